//! What cannot be run: exit code, message, and nobody else is stopped.

use std::path::Path;

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
    let task = task.to_str().unwrap();
    let refused = |arguments: &[&str], code: i32, words: &str| {
        let output = yard.proofyard(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    };
    refused(&["run", task, "-a", "orcale"], 2, "did you mean `oracle`?");
    refused(
        &[
            "run",
            yard.folder.path().join("nowhere").to_str().unwrap(),
            "-a",
            "nop",
        ],
        2,
        "nowhere",
    );
    refused(
        &[
            "run",
            task,
            "-a",
            "nop",
            "--set",
            "engine.host=unix:///nowhere.sock",
        ],
        4,
        "unix:///nowhere.sock",
    );
    refused(
        &["run", task, "-a", "nop", "--out", "/proc/nowhere"],
        2,
        "/proc/nowhere",
    );
    refused(
        &[
            "run",
            task,
            "-a",
            "nop",
            "--set",
            "limits.memory_mb=99000000",
        ],
        2,
        "memory",
    );
    std::fs::write(Path::new(task).join("instruction.md"), b"\xff").unwrap();
    refused(&["run", task, "-a", "nop"], 2, "UTF-8");
}
