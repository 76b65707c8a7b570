//! What a frozen task says, and that nothing else of it changes.

use std::os::unix::fs::{PermissionsExt, symlink};

use insta::assert_snapshot;

use super::*;
use crate::task::{Format, load};

const PLAIN: &str = "\
# A task of somebody's.
version = \"1.0\"   # of the format

[metadata]
tags = [ 'a',
         'b' ]

[environment]   # where it runs
memory = \"2G\"

[verifier.environment]
cpus = 1
# the end
";

/// Tasks in Harbor's format, by their folder and `task.toml`.
fn yard(tasks: &[(&str, &str)]) -> tempfile::TempDir {
    let yard = tempfile::tempdir().unwrap();
    for (name, toml) in tasks {
        let write = |path: &str, text: &str| {
            let path = yard.path().join("src").join(name).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("task.toml", toml);
        write("instruction.md", "Do it.\n");
        write("environment/Dockerfile", "FROM proofyard/base\n");
        write("tests/test.sh", "#!/bin/sh\n");
        write("solution/solve.sh", "#!/bin/sh\n");
    }
    yard
}

/// The `task.toml` of a task that was frozen.
fn toml(text: &str, way: Way) -> String {
    let yard = yard(&[("task", text)]);
    let task = load(&yard.path().join("src/task")).unwrap();
    frozen(text, &task, way).unwrap()
}

const FILES: Way = Way {
    sees: Sees::Files,
    held: true,
};
const LIVE: Way = Way {
    sees: Sees::Live,
    held: false,
};

#[test]
fn keys_are_added_and_every_comment_stays() {
    assert_snapshot!(toml(PLAIN, FILES));
}

#[test]
fn what_says_its_network_keeps_it() {
    let text = "[environment]\nnetwork_mode = \"no-network\"\n[agent]\nnetwork_mode = \"public\"\n";
    assert_snapshot!(toml(text, LIVE), @r#"
    [environment]
    network_mode = "no-network"
    [agent]
    network_mode = "public"

    # Written by `proofyard import harbor`: how this task is verified is fixed here, and
    # no longer found out (docs/export.md).
    [verification]
    contract = "harbor"
    sees = "live"
    hidden = "writable"
    network = "none"
    "#);
    let old = toml("[environment]\nallow_internet = false\n", LIVE);
    assert!(!old.contains("network_mode"), "{old}");
    assert!(old.contains("network = \"none\""), "{old}");
}

#[test]
fn tables_are_found_however_they_are_written() {
    for text in [
        "environment.cpus = 1\n",
        "environment = { cpus = 1 }\n",
        "[environment.env]\nA = \"b\"\n",
        "",
        "[[steps]]\nname = \"one\"\n[steps.verifier.environment]\ncpus = 1\n",
    ] {
        let yard = yard(&[("task", text)]);
        let dir = yard.path().join("src/task");
        if text.contains("steps") {
            fs::create_dir_all(dir.join("steps/one/tests")).unwrap();
            fs::write(dir.join("steps/one/instruction.md"), "x").unwrap();
            fs::write(dir.join("steps/one/tests/test.sh"), "x").unwrap();
        }
        let task = load(&dir).unwrap();
        let frozen = frozen(text, &task, FILES).unwrap();
        let read: toml::Table = frozen.parse().unwrap();
        let said = read["environment"]["network_mode"].as_str();
        assert_eq!(said, Some("public"), "{frozen}");
        if let Some(steps) = read.get("steps") {
            let own = &steps[0]["verifier"]["environment"]["network_mode"];
            assert_eq!(own.as_str(), Some("public"), "{frozen}");
        }
        fs::write(dir.join("task.toml"), frozen).unwrap();
        load(&dir).unwrap();
    }
}

/// A task as it is told, without what a frozen one says otherwise.
fn meaning(task: &Task, from: &Path) -> String {
    let mut task = task.clone();
    task.digest = crate::record::Digest::new("");
    task.source = String::new();
    task.verification.sees = Sees::Files;
    task.verification.hold = true;
    task.verification.fixed = false;
    task.environment.network_is_said = true;
    if let Some(separate) = &mut task.verification.separate {
        separate.environment.network_is_said = true;
    }
    for step in &mut task.steps {
        step.verification.sees = Sees::Files;
        step.verification.hold = true;
        step.verification.fixed = false;
        if let Some(separate) = &mut step.verification.separate {
            separate.environment.network_is_said = true;
        }
    }
    let from = fs::canonicalize(from).unwrap();
    format!("{task:#?}").replace(from.to_str().unwrap(), "")
}

#[test]
fn a_frozen_folder_means_the_same_and_its_source_is_untouched() {
    let tasks = [
        ("a/plain", PLAIN),
        (
            "a/open",
            "[verifier]\nnetwork_mode = \"no-network\"\ntimeout_sec = 7.0\n",
        ),
        (
            "b",
            "artifacts = [\"x\"]\n[verifier]\nenvironment_mode = \"separate\"\n",
        ),
    ];
    let yard = yard(&tasks);
    let (src, dest) = (yard.path().join("src"), yard.path().join("deep/dest"));
    let plain = src.join("a/plain");
    fs::set_permissions(
        plain.join("tests/test.sh"),
        PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    fs::create_dir_all(plain.join("environment/empty")).unwrap();
    fs::create_dir_all(plain.join("environment/repo/.git")).unwrap();
    fs::create_dir_all(plain.join(".git")).unwrap();
    fs::write(plain.join("environment/repo/.git/HEAD"), "x").unwrap();
    symlink("Dockerfile", plain.join("environment/link")).unwrap();
    let before = listed(&src);

    let freezing = Freezing::begin(&src, &dest).unwrap();
    for (name, _) in tasks {
        let task = load(&src.join(name)).unwrap();
        freezing.add(&task, Path::new(name), Some(LIVE)).unwrap();
    }
    assert!(!dest.exists(), "it appears when all is done");
    freezing.finish().unwrap();

    assert_eq!(listed(&src), before);
    for (name, _) in tasks {
        let (old, new) = (
            load(&src.join(name)).unwrap(),
            load(&dest.join(name)).unwrap(),
        );
        assert_eq!(new.format, Format::Harbor);
        assert!(new.verification.fixed && !new.verification.hold && !new.ours());
        assert_eq!(new.verification.sees, Sees::Live);
        assert_eq!(meaning(&new, &dest), meaning(&old, &src), "{name}");
    }
    let copied = dest.join("a/plain");
    assert!(copied.join("environment/empty").is_dir());
    assert!(copied.join("environment/repo/.git/HEAD").is_file());
    assert!(!copied.join(".git").exists());
    assert!(copied.join("environment/link").is_symlink());
    let mode = fs::metadata(copied.join("tests/test.sh"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o755);
    assert_eq!(
        fs::metadata(&dest).unwrap().permissions().mode() & 0o777,
        0o755
    );
    let names: Vec<_> = fs::read_dir(yard.path().join("deep"))
        .unwrap()
        .flatten()
        .collect();
    assert_eq!(names.len(), 1, "nothing of a temporary name stays");
}

/// Every path below a folder with its bytes.
fn listed(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let walk = WalkDir::new(dir).sort_by_file_name().into_iter();
    walk.map(Result::unwrap)
        .map(|entry| {
            let bytes = match entry.file_type().is_file() {
                true => fs::read(entry.path()).unwrap(),
                false => Vec::new(),
            };
            (entry.into_path(), bytes)
        })
        .collect()
}

#[test]
fn one_task_becomes_the_folder_itself() {
    let yard = yard(&[("one", "version = \"1.0\"\n")]);
    let (src, dest) = (yard.path().join("src/one"), yard.path().join("frozen"));
    fs::create_dir(&dest).unwrap();
    let freezing = Freezing::begin(&src, &dest).unwrap();
    let task = load(&src).unwrap();
    freezing.add(&task, Path::new(""), Some(FILES)).unwrap();
    freezing.finish().unwrap();
    assert_eq!(load(&dest).unwrap().id.as_str(), "frozen");
}

#[test]
fn a_folder_that_is_there_or_lies_in_the_source_is_refused() {
    let yard = yard(&[("one", "")]);
    let src = yard.path().join("src");
    let refused = |dest: &Path| Freezing::begin(&src, dest).unwrap_err().to_string();
    fs::write(yard.path().join("file"), "").unwrap();
    assert!(refused(&yard.path().join("file")).contains("there already"));
    assert!(refused(&src).contains("there already"));
    assert!(refused(&src.join("frozen")).contains("never written to"));
    assert!(refused(&src.join("deep/frozen")).contains("never written to"));
    assert!(!src.join("deep").exists());
}
