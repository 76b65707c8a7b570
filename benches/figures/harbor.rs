//! Tasks of another harness: its trivial task against that harness itself, where it is
//! at hand, and ten thousand folders of tasks that are read.
//!
//! `PROOFYARD_HARBOR` is the other harness's command, its words with spaces between; a
//! path that it sees as we do is `PROOFYARD_HARBOR_DIR` (default: the folder for
//! temporary files).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::place::Place;
use crate::{Outcome, PROOFYARD, timed, told};

const TRIALS: usize = 5;
const FOLDERS: usize = 10_000;

/// Figure: metadata of ten thousand folders, once they were read before.
pub fn folders(place: &Place) -> Outcome<()> {
    let root = place.runs().with_file_name("many");
    for number in 0..FOLDERS {
        let task = root.join(format!("task-{number:05}"));
        for (name, text) in FILES {
            let path = task.join(name);
            fs::create_dir_all(path.parent().unwrap_or(&task))?;
            fs::write(path, text)?;
        }
    }
    let mut times = Vec::new();
    for round in 0..6 {
        let took = timed(Command::new(PROOFYARD).arg("list").arg(&root))?;
        if round > 0 {
            times.push(took);
        }
    }
    let (n, value) = (times.len(), told::median(times));
    let holds = value <= Duration::from_secs(2);
    told::absolute(
        "10,000 task folders read",
        &told::millis(value),
        "≤ 2 s",
        holds,
        n,
    );
    Ok(())
}

const FILES: [(&str, &str); 6] = [
    (
        "task.toml",
        "version = \"1.0\"\n[metadata]\ndifficulty = \"medium\"\ntags = [\"a\"]\n\
         [verifier]\ntimeout_sec = 900.0\n[agent]\ntimeout_sec = 900.0\n\
         [environment]\nbuild_timeout_sec = 600.0\ncpus = 1\nmemory = \"2G\"\nstorage = \"10G\"\n",
    ),
    ("instruction.md", "Do the thing.\n"),
    ("environment/Dockerfile", "FROM proofyard/base\n"),
    ("tests/test.sh", "#!/bin/bash\n"),
    ("tests/test_outputs.py", "import os\n"),
    ("solution/solve.sh", "#!/bin/bash\n"),
];

/// Figure: the trivial task of Harbor's format, against Harbor.
pub fn against_harbor(place: &Place) -> Outcome<()> {
    let harbor = std::env::var("PROOFYARD_HARBOR").map_err(|_| "PROOFYARD_HARBOR is not set")?;
    let seen = std::env::var_os("PROOFYARD_HARBOR_DIR").map(PathBuf::from);
    let seen = seen.unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::tempdir_in(seen)?;
    let task = folder.path().join("trivial");
    for (name, text) in TRIVIAL {
        let path = task.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&task))?;
        fs::write(path, text)?;
    }
    // Images and the reference run come before all trials.
    ours(place, &task)?;
    theirs(&harbor, &task, folder.path())?;
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for _ in 0..TRIALS {
        own.push(ours(place, &task)?);
        other.push(theirs(&harbor, &task, folder.path())?);
    }
    told::faster("trivial Harbor task / Harbor", own, other, 15.0);
    Ok(())
}

const TRIVIAL: [(&str, &str); 5] = [
    ("task.toml", "version = \"1.0\"\n"),
    ("instruction.md", "Write 42 to answer.txt.\n"),
    (
        "environment/Dockerfile",
        "FROM proofyard/base\nWORKDIR /app\n",
    ),
    (
        "solution/solve.sh",
        "#!/bin/bash\necho 42 > /app/answer.txt\n",
    ),
    (
        "tests/test.sh",
        "#!/bin/bash\nif grep -qx 42 /app/answer.txt; then echo 1; else echo 0; fi > /logs/verifier/reward.txt\n",
    ),
];

/// One trial of ours, once it has its turn.
fn ours(place: &Place, task: &Path) -> Outcome<Duration> {
    let output = Command::new(PROOFYARD)
        .args(["run", "-a", "oracle", "--json", "--progress", "none"])
        .arg(task)
        .arg("--out")
        .arg(place.runs())
        .stdin(Stdio::null())
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    for line in text.lines() {
        let event: Value = serde_json::from_str(line)?;
        if event["event"] == "trial_finished" {
            let trial = &event["trial"];
            if trial["reward"] != 1.0 {
                return Err(format!("our trial gave {}", trial["reward"]).into());
            }
            let times = &trial["timing_ms"];
            let of = |name: &str| times[name].as_u64().unwrap_or_default();
            return Ok(Duration::from_millis(of("total") - of("queue")));
        }
    }
    Err("no trial was finished".into())
}

/// One trial of Harbor's, without its own start.
fn theirs(harbor: &str, task: &Path, folder: &Path) -> Outcome<Duration> {
    let mut words = harbor.split_whitespace();
    let program = words.next().ok_or("PROOFYARD_HARBOR is empty")?;
    let jobs = folder.join("jobs");
    fs::create_dir_all(&jobs)?;
    let name = format!("job-{}", fs::read_dir(&jobs)?.count());
    timed(
        Command::new(program)
            .args(words)
            .args([
                "run",
                "-a",
                "oracle",
                "-n",
                "1",
                "-y",
                "-q",
                "--job-name",
                &name,
                "-p",
            ])
            .arg(task)
            .arg("-o")
            .arg(&jobs),
    )?;
    for entry in fs::read_dir(jobs.join(&name))? {
        let result = entry?.path().join("result.json");
        if !result.is_file() {
            continue;
        }
        let trial: Value = serde_json::from_slice(&fs::read(result)?)?;
        let reward = &trial["verifier_result"]["rewards"]["reward"];
        if *reward != 1.0 {
            return Err(format!("Harbor's trial gave {reward}").into());
        }
        let at = |name: &str| -> Outcome<jiff::Timestamp> {
            Ok(trial[name].as_str().unwrap_or_default().parse()?)
        };
        let took = at("finished_at")?.duration_since(at("started_at")?);
        return Ok(took.try_into()?);
    }
    Err("Harbor left no result".into())
}
