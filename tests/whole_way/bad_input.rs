//! What cannot be run: exit code, message, and nobody else is stopped.

use std::os::unix::fs::symlink;

use insta::assert_snapshot;

use crate::yard::Yard;

#[test]
fn an_image_that_fails_to_build_is_told_and_stops_nobody_else() {
    let yard = Yard::new();
    let broken = yard.answer("broken");
    yard.answer("fine");
    std::fs::write(
        broken.join("environment/Dockerfile"),
        "FROM proofyard/base\nRUN echo some words && false\n",
    )
    .unwrap();
    let (trials, code) = yard.run(&yard.path("tasks"), &["-a", "oracle"]);
    assert_eq!((trials.len(), code), (2, Some(1)));
    for trial in trials {
        if trial["task"]["name"] == "fine" {
            assert_eq!(trial["outcome"], "resolved");
        } else {
            assert_eq!(trial["error"]["class"], "image");
            assert!(
                trial["error"]["message"]
                    .as_str()
                    .unwrap()
                    .contains("some words"),
                "{trial:#}"
            );
        }
    }
}

#[test]
fn usage_errors_run_nothing_and_say_the_way_out() {
    let yard = Yard::new();
    let task = yard.answer("answer");
    let refused = |arguments: &str, code: i32, words: &[&str]| {
        let arguments = arguments.replace("TASK", task.to_str().unwrap());
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let output = yard.proofyard(&arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{arguments:?}: {said}");
        }
    };
    refused(
        "run TASK -a orcale",
        2,
        &["error: there is no agent `orcale`; did you mean `oracle`?"],
    );
    refused("run TASK/nowhere -a nop", 2, &["answer/nowhere`"]);
    refused(
        "run TASK -a nop --set engine.host=unix:///nowhere.sock",
        4,
        &[
            "error: the Docker engine does not answer at unix:///nowhere.sock",
            "try: ./dev engine",
        ],
    );
    let out = "error: the folder for runs /proc/nowhere cannot be made or written: \
               No such file or directory (os error 2)\n  try: --out FOLDER";
    refused("run TASK -a nop --out /proc/nowhere", 2, &[out]);
    refused(
        "run TASK -a nop --set limits.memory_mb=99000000",
        2,
        &["error: the task `answer` declares 99000000 MiB of memory and this machine has "],
    );
    refused(
        "run TASK -a script:/nowhere.jsonl",
        2,
        &["error: read the script /nowhere.jsonl: No such file or directory"],
    );
    std::fs::remove_dir_all(task.join("solution")).unwrap();
    refused(
        "run TASK -a oracle",
        2,
        &["oracle", "no solution/solve.sh and no solution/calls.jsonl"],
    );
    assert!(!yard.path("runs").exists(), "nothing was run");
}

#[test]
fn every_task_that_cannot_be_used_is_told_with_its_place_and_none_runs() {
    let yard = Yard::new();
    yard.answer("fine");
    let bare = yard.answer("no-toml");
    std::fs::remove_file(bare.join("task.toml")).unwrap();
    let circle = yard.answer("circle");
    symlink("a", circle.join("tests/a")).unwrap();
    let nested = yard.answer("nested");
    symlink("..", nested.join("tests/up")).unwrap();
    let outside = yard.answer("outside");
    symlink("/etc/passwd", outside.join("tests/passwd")).unwrap();
    let text = yard.answer("text");
    std::fs::write(text.join("instruction.md"), b"fine\n\xff\n").unwrap();
    let typo = yard.answer("typo");
    std::fs::write(
        typo.join("task.toml"),
        "[verification]\nruner = \"script\"\n",
    )
    .unwrap();
    let tasks = yard.path("tasks");
    let output = yard.proofyard(&["run", tasks.to_str().unwrap(), "-a", "nop"]);
    let said = String::from_utf8_lossy(&output.stderr).replace(tasks.to_str().unwrap(), "tasks");
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_snapshot!(said, @r#"
    error: the link `tasks/circle/tests/a` leads in a circle, to `a`
      a task is read as data: links stay inside its folder, and end

    error: the link `tasks/nested/tests/up` leads in a circle, to `tasks/nested`
      a task is read as data: links stay inside its folder, and end

    error: `tasks/no-toml` is not a task: it has no task.toml
      try: proofyard new tasks/new-task     a small task that works, to start from

    error: the link `tasks/outside/tests/passwd` leaves its task, to `/etc/passwd`
      a task is read as data: links stay inside its folder, and end

    error: `tasks/text/instruction.md` is not UTF-8: byte 5 (0xff), in line 2

    error: unknown key `runer` in [verification]
      ┌─ tasks/typo/task.toml:2:1
      │
    2 │ runer = "script"
      │ ^^^^^ did you mean `runner`?
    "#);
    assert!(!yard.path("runs").exists(), "nothing was run");
}

#[test]
fn more_processors_than_there_are_are_clamped_and_said() {
    let yard = Yard::new();
    let set = ["--no-check", "--set", "limits.cpus=4000"];
    let trial = yard.one(&yard.answer("answer"), "oracle", &set);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    let warning = trial["warnings"][0].as_str().unwrap();
    assert!(warning.contains("4000"), "{warning}");
    assert!(trial["provenance"]["limits"]["cpus"].as_f64().unwrap() < 4000.0);
}
