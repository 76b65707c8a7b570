//! Grading a prediction under both rules, against what cannot be left out of it: the tests
//! of either verdict, the probe run, and a bare sandbox for each verdict.
//!
//! Owns a small instance of its own, from its repository to its image.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::place::Place;
use crate::{Outcome, PROOFYARD, timed, told};

const ROUNDS: usize = 7;
/// Rounds that nobody counts: in the first the image is built and the reference verified.
const WARM: usize = 1;
const TARGET: Duration = Duration::from_secs(1);

const BEFORE: &str = "def double(x):\n    return x + 1\n";
const AFTER: &str = "def double(x):\n    return x + x\n";
const OLD: &str = "from double import double\n\n\ndef test_old():\n    assert double(1) == 2\n";
const NEW: &str = "\n\ndef test_new():\n    assert double(4) == 8\n";

/// Figure: what grading one prediction costs beyond that.
pub fn against_tests(place: &Place) -> Outcome<()> {
    let instance = Instance::make(place)?;
    let (mut overheads, mut wholes) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS + WARM {
        let graded = instance.graded()?;
        let began = Instant::now();
        for _ in 0..2 {
            let bare = ["run", "--rm", "--network", "none", &graded.image, "true"];
            timed(place.docker().args(bare))?;
        }
        let bare = began.elapsed();
        let tests = instance.tests(place, &graded)?;
        if round >= WARM {
            overheads.push(graded.whole.saturating_sub(graded.probes + bare + tests));
            wholes.push(graded.whole);
        }
    }
    let (n, value) = (overheads.len(), told::median(overheads));
    let whole = told::millis(told::median(wholes));
    told::absolute("grading a prediction", &whole, "–", true, n);
    let name = "  beyond tests and sandboxes";
    told::absolute(name, &told::millis(value), "< 1 s", value < TARGET, n);
    Ok(())
}

/// What one graded prediction took, without its wait for its turn.
struct Graded {
    whole: Duration,
    probes: Duration,
    image: String,
    /// `eval.sh`, where it is kept.
    script: PathBuf,
}

/// A repository with its row and the specification of its environment.
struct Instance<'a> {
    place: &'a Place,
    folder: PathBuf,
    /// On all of its images.
    label: String,
}

impl<'a> Instance<'a> {
    fn make(place: &'a Place) -> Outcome<Self> {
        let folder = place.runs().with_file_name("instance");
        let label = format!("proofyard.bench={}", std::process::id());
        let instance = Self {
            place,
            folder,
            label,
        };
        let base = instance.base()?;
        let row = instance.row()?;
        fs::write(instance.folder.join("rows.jsonl"), format!("{row}\n"))?;
        let envs = instance.folder.join("envs");
        fs::create_dir_all(&envs)?;
        let source = instance.repo();
        let text = format!(
            r#"[[environment]]
repo = "own/double"
base = {base:?}
source = {source:?}
network = "none"
python = "3.11"
packages = ["pip"]
env = {{ PIP_NO_INDEX = "1", PYTHONPATH = "/testbed" }}
pre_install = [
    "cp -r /usr/local/lib/python3.11/dist-packages/. /opt/proofyard/env/lib/python3.11/site-packages",
    "sed '1s|.*|#!/opt/proofyard/env/bin/python|' /usr/local/bin/pytest > /opt/proofyard/env/bin/pytest",
    "chmod 755 /opt/proofyard/env/bin/pytest",
]
test = "pytest -rA"
parser = "pytest"
"#
        );
        fs::write(envs.join("double.toml"), text)?;
        Ok(instance)
    }

    fn repo(&self) -> PathBuf {
        self.folder.join("repo")
    }

    /// A base that has all that a specification needs, so that nothing is fetched.
    fn base(&self) -> Outcome<String> {
        let name = format!("proofyard-bench/python-{}", std::process::id());
        let mut build = self.place.docker();
        build
            .args([
                "build",
                "--quiet",
                "--tag",
                &name,
                "--label",
                &self.label,
                "-",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let mut build = build.spawn()?;
        let text = "FROM proofyard/python\nRUN printf '#!/bin/sh\\nexit 1\\n' > /usr/local/bin/patch \
                    && chmod 755 /usr/local/bin/patch\n";
        build
            .stdin
            .take()
            .ok_or("no input")?
            .write_all(text.as_bytes())?;
        match build.wait()?.success() {
            true => Ok(name),
            false => Err("the base image could not be built".into()),
        }
    }

    /// The repository at its base commit, and the row.
    fn row(&self) -> Outcome<Value> {
        let repo = self.repo();
        fs::create_dir_all(repo.join("tests"))?;
        let lay = |double: &str, tests: &str| -> Outcome<()> {
            fs::write(repo.join("double.py"), double)?;
            Ok(fs::write(repo.join("tests/test_double.py"), tests)?)
        };
        lay(BEFORE, OLD)?;
        git(&repo, &["init", "-q", "-b", "main", "."])?;
        git(&repo, &["add", "-A"])?;
        git(&repo, &["commit", "-qm", "Add one to what is given"])?;
        let commit = git(&repo, &["rev-parse", "HEAD"])?;
        lay(AFTER, &format!("{OLD}{NEW}"))?;
        Ok(json!({
            "repo": "own/double", "instance_id": "own__double-1",
            "base_commit": commit.trim(), "version": "1.0",
            "patch": git(&repo, &["diff", "--", "double.py"])?,
            "test_patch": git(&repo, &["diff", "--", "tests"])?,
            "problem_statement": "Double what is given.",
            "FAIL_TO_PASS": ["tests/test_double.py::test_new"],
            "PASS_TO_PASS": ["tests/test_double.py::test_old"],
        }))
    }

    /// Grades the reference patch, with nothing kept of earlier verdicts.
    fn graded(&self) -> Outcome<Graded> {
        let out = Command::new(PROOFYARD)
            .args([
                "grade",
                "gold",
                "--no-cache",
                "--json",
                "--progress",
                "none",
            ])
            .args(["--set", "images.pull=false", "--envs"])
            .arg(self.folder.join("envs"))
            .arg("--dataset")
            .arg(self.folder.join("rows.jsonl"))
            .arg("--out")
            .arg(self.place.runs())
            .output()?;
        let text = String::from_utf8(out.stdout)?;
        let events = text.lines().map(serde_json::from_str::<Value>);
        let mut events = events.filter_map(Result::ok);
        let finished = events.find(|event| event["event"] == "trial_finished");
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        let trial = &finished.ok_or(format!("no trial was finished: {said}"))?["trial"];
        if trial["outcome"] != "resolved" {
            return Err(format!("the reference does not resolve: {}", trial["verdict"]).into());
        }
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let timing = trial["timing_ms"].as_object().ok_or("no times")?;
        let took = |key: &str| timing.get(key).and_then(Value::as_u64).unwrap_or(0);
        let whole = timing
            .keys()
            .filter(|key| *key != "queued" && *key != "total");
        let trial_dir = [
            "trials",
            &word(&trial["trial"]),
            "verifier/official/eval.sh",
        ];
        let run = self.place.runs().join(word(&trial["run"]));
        Ok(Graded {
            whole: Duration::from_millis(whole.map(|key| took(key)).sum()),
            probes: Duration::from_millis(took("probes")),
            image: word(&trial["provenance"]["image"]),
            script: run.join(trial_dir.iter().collect::<PathBuf>()),
        })
    }

    /// The time of the eval script and of the tests alone, as a clock in the container takes
    /// it: in a work tree that no Python has run in, as each verdict's is.
    fn tests(&self, place: &Place, graded: &Graded) -> Outcome<Duration> {
        let mut start = place.docker();
        start.args([
            "run",
            "-d",
            "--rm",
            "--network",
            "none",
            "--label",
            &self.label,
        ]);
        start.args([&graded.image, "sleep", "600"]);
        let id = String::from_utf8(start.output()?.stdout)?.trim().to_owned();
        let times = self.timed_in(place, &id, &graded.script);
        timed(place.docker().args(["rm", "-f", &id]))?;
        times
    }

    fn timed_in(&self, place: &Place, id: &str, script: &Path) -> Outcome<Duration> {
        let into = format!("{id}:/eval.sh");
        timed(
            place
                .docker()
                .args(["cp", "-q", &script.to_string_lossy(), &into]),
        )?;
        let clock = |command: &str| -> Outcome<Duration> {
            let clocked = format!(
                "cd /testbed && began=$(date +%s%N) && {{ {command}; }} >/dev/null 2>&1; echo $(($(date +%s%N) - began))"
            );
            let mut exec = place.docker();
            exec.args(["exec", id, "bash", "-c", &clocked]);
            let nanos: u64 = String::from_utf8(exec.output()?.stdout)?.trim().parse()?;
            Ok(Duration::from_nanos(nanos))
        };
        let script = clock("bash /eval.sh")?;
        let alone = clock(
            "/opt/proofyard/env/bin/python -m pytest -q -p no:cacheprovider tests/test_double.py",
        )?;
        Ok(script + alone)
    }
}

impl Drop for Instance<'_> {
    /// Takes its images away, the last that was made first.
    fn drop(&mut self) {
        let mut list = self.place.docker();
        list.args(["images", "--quiet", "--filter"]);
        let Ok(out) = list.arg(format!("label={}", self.label)).output() else {
            return;
        };
        for id in String::from_utf8_lossy(&out.stdout).split_whitespace() {
            if let Err(error) = timed(self.place.docker().args(["image", "rm", "--force", id])) {
                println!("left behind: image {id}: {error}");
            }
        }
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Outcome<String> {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder);
    git.args([
        "-c",
        "user.name=dev",
        "-c",
        "user.email=dev@example.invalid",
    ]);
    let out = git.args(arguments).output()?;
    match out.status.success() {
        true => Ok(String::from_utf8(out.stdout)?),
        false => Err(format!(
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&out.stderr)
        )
        .into()),
    }
}
