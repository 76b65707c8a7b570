//! Harbor's tasks frozen into tasks of ours.

use std::path::Path;

use serde_json::Value;

use crate::yard::Yard;

const SOLVE: &str = "echo 42 > answer";

/// A task in Harbor's format below `src`: sound where a test says so.
fn task(yard: &Yard, name: &str, solve: &str, test: &str) {
    let dir = yard.path("src").join(name);
    let write = |path: &str, text: &str| {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("task.toml", "version = \"1.0\" # kept\n");
    write("instruction.md", "Write 42 to the file `answer`.\n");
    write(
        "environment/Dockerfile",
        "FROM proofyard/base\nWORKDIR /app\n",
    );
    write("solution/solve.sh", &format!("#!/bin/bash\n{solve}\n"));
    let test = format!(
        "#!/bin/bash\nif {test}; then echo 1; else echo 0; fi > /logs/verifier/reward.txt\n"
    );
    write("tests/test.sh", &test);
}

fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let walk = walkdir::WalkDir::new(dir).sort_by_file_name().into_iter();
    let all = walk
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file());
    all.map(|entry| {
        (
            entry.path().display().to_string(),
            std::fs::read(entry.path()).unwrap(),
        )
    })
    .collect()
}

/// Imports `src` to `dest`; what was told of each task, and the exit code.
fn import(yard: &Yard, more: &[&str]) -> (Vec<Value>, Option<i32>) {
    let (src, dest) = (yard.path("src"), yard.path("dest"));
    let paths = [src.to_str().unwrap(), dest.to_str().unwrap()];
    let arguments = [&["import", "harbor", "--json"][..], &paths, more].concat();
    let output = yard.proofyard(&arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    let told = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (told.collect(), output.status.code())
}

fn told<'a>(told: &'a [Value], task: &str) -> Vec<&'a Value> {
    let of = told.iter().find(|one| one["task"] == task).unwrap();
    ["found", "kept", "sees", "hidden"]
        .map(|key| &of[key])
        .into()
}

#[test]
fn frozen_tasks_are_verified_as_was_found_out_and_nothing_is_looked_for_again() {
    let yard = Yard::new();
    let right = "grep -qx 42 answer";
    task(&yard, "a/plain", SOLVE, right);
    let writes = "chmod +x /tests/test.sh && echo >> /tests/test.sh && grep -qx 42 answer";
    task(&yard, "a/writes", SOLVE, writes);
    let runs = "cp /bin/sleep ticker\n(setsid ./ticker 1000 >/dev/null 2>&1 &)";
    task(&yard, "live", runs, "grep -lqs ticker /proc/[0-9]*/comm");
    task(&yard, "never", SOLVE, "false");
    let before = files(&yard.path("src"));

    let (said, code) = import(&yard, &[]);
    assert_eq!((said.len(), code), (4, Some(3)), "{said:#?}");
    assert_eq!(
        told(&said, "plain"),
        ["sound", "true", "files", "held"].map(json)
    );
    assert_eq!(
        told(&said, "writes"),
        ["sound", "true", "files", "writable"].map(json)
    );
    assert_eq!(
        told(&said, "live"),
        ["sound", "true", "live", "writable"].map(json)
    );
    assert_eq!(
        told(&said, "never"),
        ["unsound", "false", "null", "null"].map(json)
    );
    assert_eq!(files(&yard.path("src")), before);
    let dest = yard.path("dest");
    assert!(!dest.join("never").exists());
    assert_eq!(yard.left(), Vec::<String>::new());

    let (trials, code) = yard.run(&dest, &["-a", "oracle"]);
    assert_eq!((trials.len(), code), (3, Some(0)), "{trials:#?}");
    for trial in &trials {
        assert_eq!(trial["outcome"], "resolved", "{trial:#}");
        assert_eq!(trial["warnings"], Value::Array(Vec::new()), "{trial:#}");
        let name = trial["task"]["name"].as_str().unwrap();
        assert_eq!(&trial["verdict"]["sees"], told(&said, name)[2], "{name}");
        let held = told(&said, name)[3] == "held";
        assert_eq!(trial["verdict"]["hidden_read_only"], held, "{name}");
    }

    let (_, code) = import(&yard, &[]);
    assert_eq!(code, Some(2), "it is there already");
}

fn json(word: &str) -> &'static Value {
    let value = serde_json::from_str(word).unwrap_or_else(|_| Value::from(word));
    Box::leak(Box::new(value))
}

#[test]
fn without_a_check_tasks_are_verified_as_their_format_does() {
    let yard = Yard::new();
    task(&yard, "never", SOLVE, "false");
    task(&yard, "broken", SOLVE, "true");
    let broken = yard.path("src/broken/task.toml");
    std::fs::write(&broken, "[environment]\ncpus = -1\n").unwrap();
    assert_eq!(import(&yard, &["--no-check"]).1, Some(2));
    assert!(!yard.path("dest").exists(), "nothing is written");
    let (said, code) = import(&yard, &["--no-check", "--keep-going"]);
    assert_eq!((said.len(), code), (1, Some(3)), "{said:#?}");
    assert_eq!(
        told(&said, "never"),
        ["unchecked", "true", "live", "writable"].map(json)
    );
    let toml = std::fs::read_to_string(yard.path("dest/never/task.toml")).unwrap();
    assert!(toml.starts_with("version = \"1.0\" # kept\n"), "{toml}");

    // What is frozen stays as it is.
    std::fs::rename(yard.path("dest"), yard.path("first")).unwrap();
    std::fs::remove_dir_all(yard.path("src")).unwrap();
    std::fs::rename(yard.path("first"), yard.path("src")).unwrap();
    let (said, code) = import(&yard, &[]);
    assert_eq!((said[0]["found"].as_str(), code), (Some("ours"), Some(0)));
    let again = std::fs::read_to_string(yard.path("dest/never/task.toml")).unwrap();
    assert_eq!(again, toml);
}
