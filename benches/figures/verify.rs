//! Verification and probes: each against its containers and its tests by hand.
//!
//! Owns the floor of both: one container made, started and taken away, and the hidden
//! tests run once in one where all lies ready.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place::Place;
use crate::{Outcome, PROOFYARD, timed, told};

const ROUNDS: usize = 7;
/// Runs of the tests that nobody counts: the first ones read from the disk.
const WARM: usize = 1;

/// Figures: a task of five quick tests, and one that the project ships.
pub fn against_tests(place: &Place) -> Outcome<()> {
    let quick = place.runs().with_file_name("quick");
    let new = ["new", &quick.to_string_lossy(), "--repo"].map(str::to_owned);
    timed(Command::new(PROOFYARD).args(new))?;
    of_task(place, &quick, "5 tests")?;
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("tasks/repo/ledger-rounding");
    of_task(place, &shipped, "ledger-rounding")
}

fn of_task(place: &Place, task: &Path, name: &str) -> Outcome<()> {
    // The reference run comes before all trials, and is no part of any.
    let first = verified(place, task)?;
    let ready = Ready::make(place, task, &first.image)?;
    let (mut verify, mut probes) = (Vec::new(), Vec::new());
    let (mut containers, mut tests) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS + WARM {
        let trial = verified(place, task)?;
        let began = Instant::now();
        let arguments = ["run", "--rm", "--network", "none", &trial.image, "true"];
        timed(place.docker().args(arguments))?;
        let container = began.elapsed();
        let test = ready.tests(place)?;
        if round >= WARM {
            verify.push(trial.verify);
            probes.push(trial.probes);
            containers.push(container);
            tests.push(test);
        }
    }
    let n = verify.len();
    let (container, test) = (told::median(containers), told::median(tests));
    told::at_most(
        &format!("verification, {name}"),
        told::median(verify),
        container + test,
        Some(1.3),
        n,
    );
    told::at_most(
        &format!("  its probe run, {name}"),
        told::median(probes),
        container + test.mul_f64(1.2),
        Some(1.0),
        n,
    );
    Ok(())
}

/// What one trial of the reference solution took.
struct Verified {
    /// With the end of its sandbox.
    verify: Duration,
    probes: Duration,
    image: String,
}

fn verified(place: &Place, task: &Path) -> Outcome<Verified> {
    let out = Command::new(PROOFYARD)
        .arg("run")
        .arg(task)
        .args(["-a", "oracle", "--json", "--progress", "none", "--out"])
        .arg(place.runs())
        .output()?;
    let text = String::from_utf8(out.stdout)?;
    let events = text.lines().map(serde_json::from_str::<Value>);
    let finished = events
        .filter_map(Result::ok)
        .find(|event| event["event"] == "trial_finished");
    let trial = &finished.ok_or("no trial was finished")?["trial"];
    if trial["verdict"]["evidence"] != "probed" {
        return Err(format!("the reference solution is not probed: {}", trial["verdict"]).into());
    }
    let took = |key: &str| Duration::from_millis(trial["timing_ms"][key].as_u64().unwrap_or(0));
    Ok(Verified {
        verify: took("verify") + took("teardown"),
        probes: took("probes"),
        image: trial["provenance"]["image"]
            .as_str()
            .ok_or("the trial names no image")?
            .to_owned(),
    })
}

/// A container in which checkout, solution and hidden tests lie.
struct Ready<'a> {
    place: &'a Place,
    id: String,
    files: Vec<String>,
}

const WORK_TREE: &str = "/workspace";

impl<'a> Ready<'a> {
    fn make(place: &'a Place, task: &Path, image: &str) -> Outcome<Self> {
        let tree = place.runs().with_file_name("floor");
        let _ = fs::remove_dir_all(&tree);
        checkout(task, &tree)?;
        let fix = task.join("solution/fix.patch");
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            git.arg("-C").arg(&tree).args(arguments);
            git
        };
        timed(git(&["apply", &fix.to_string_lossy()]).env("GIT_CEILING_DIRECTORIES", "/"))?;
        let hidden = task.join("tests/files/.");
        timed(Command::new("cp").arg("-r").arg(&hidden).arg(&tree))?;
        let mut files = Vec::new();
        tests_below(&task.join("tests/files"), "", &mut files)?;
        let mut start = place.docker();
        start.args([
            "run",
            "-d",
            "--rm",
            "--network",
            "none",
            "--label",
            "proofyard.bench",
        ]);
        start.args([image, "sleep", "600"]);
        let out = start.output()?;
        let id = String::from_utf8(out.stdout)?.trim().to_owned();
        let ready = Self { place, id, files };
        let into = format!("{}:{WORK_TREE}", ready.id);
        let from = format!("{}/.", tree.display());
        timed(
            ready
                .place
                .docker()
                .args(["exec", &ready.id, "mkdir", "-p", WORK_TREE]),
        )?;
        timed(ready.place.docker().args(["cp", "-q", &from, &into]))?;
        Ok(ready)
    }

    /// The time of the tests, as a clock in the container takes it: in a checkout that
    /// no Python has run in, as every verification's is.
    fn tests(&self, place: &Place) -> Outcome<Duration> {
        let script = format!(
            "cd {WORK_TREE} && find . -name __pycache__ -prune -exec rm -r {{}} + && began=$(date +%s%N) && python3 -m pytest -q -p no:cacheprovider {} >/dev/null && echo $(($(date +%s%N) - began))",
            self.files.join(" ")
        );
        let mut run = place.docker();
        run.args(["exec", &self.id, "sh", "-c", &script]);
        let out = run.output()?;
        let nanos = String::from_utf8(out.stdout)?;
        let nanos: u64 = nanos
            .trim()
            .parse()
            .map_err(|_| "the tests do not pass by hand")?;
        Ok(Duration::from_nanos(nanos))
    }
}

impl Drop for Ready<'_> {
    fn drop(&mut self) {
        if let Err(error) = timed(self.place.docker().args(["rm", "-f", &self.id])) {
            println!("left behind: container {}: {error}", self.id);
        }
    }
}

/// The task's work tree, without its history.
fn checkout(task: &Path, to: &Path) -> Outcome<()> {
    let text = fs::read_to_string(task.join("task.toml"))?;
    let table: toml::Table = toml::from_str(&text)?;
    let word = |key: &str| table["repo"].get(key).and_then(|value| value.as_str());
    let source: PathBuf = task.join(word("path").or(word("bundle")).ok_or("no repo")?);
    if source.is_dir() {
        timed(Command::new("cp").arg("-r").arg(&source).arg(to))?;
        return Ok(());
    }
    let mut clone = Command::new("git");
    clone
        .args(["clone", "-q", "--no-checkout"])
        .arg(&source)
        .arg(to);
    timed(&mut clone)?;
    let commit = word("commit").unwrap_or("HEAD");
    timed(
        Command::new("git")
            .arg("-C")
            .arg(to)
            .args(["checkout", "-q", commit]),
    )?;
    Ok(())
}

fn tests_below(folder: &Path, below: &str, files: &mut Vec<String>) -> Outcome<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            tests_below(&entry.path(), &format!("{name}/"), files)?;
        } else if entry.file_name().to_string_lossy().starts_with("test_") {
            files.push(name);
        }
    }
    files.sort();
    Ok(())
}
