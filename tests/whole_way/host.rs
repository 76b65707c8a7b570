//! The host's own troubles: a full disk, and things in the engine that are not ours.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::yard::{Yard, bash, docker, until};

/// A small file system of a test's own, unmounted whatever happens.
struct Disk(PathBuf);

impl Disk {
    /// None, said clearly, for who may not mount.
    fn mounted(at: PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&at).unwrap();
        let (tmpfs, size) = (Some("tmpfs"), Some("size=4m"));
        match mount(tmpfs, &at, tmpfs, MsFlags::empty(), size) {
            Ok(()) => Some(Self(at)),
            Err(error) => {
                eprintln!("skipped: mount a file system of 4 MiB: {error}");
                None
            }
        }
    }

    /// Leaves no room; gives back what to remove to make some.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("others");
        let full = std::fs::write(&path, vec![b'x'; 8 << 20]).unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

#[test]
fn a_full_disk_of_the_host_loses_no_trial_and_the_run_is_resumed_once_there_is_room() {
    let yard = Yard::new();
    let Some(disk) = Disk::mounted(yard.path("runs")) else {
        return;
    };
    let task = yard.answer("answer");
    let task = task.to_str().unwrap();
    let script = yard.script("calls.jsonl", &[bash("sleep 2; echo 42 > /answer")]);
    let arguments = [
        "run",
        task,
        "-a",
        &script,
        "-n",
        "3",
        "-j",
        "1",
        "--no-check",
        "--run-id",
        "full",
    ];
    let running = yard
        .command(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let journal = yard.path("runs/full/results.jsonl");
    let lines = || {
        std::fs::read_to_string(&journal)
            .unwrap_or_default()
            .lines()
            .count()
    };
    until("a finished trial", || (lines() == 1).then_some(()));
    let others = disk.fill();
    let output = running.wait_with_output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in [
        "No space left on device",
        "runs/full/trials",
        "finished ones are kept",
        "proofyard resume",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(lines(), 1);
    assert_eq!(yard.left(), Vec::<String>::new());

    std::fs::remove_file(others).unwrap();
    let output = yard.proofyard(&["resume", "full"]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(lines(), 3);
    for trial in std::fs::read_dir(yard.path("runs/full/trials")).unwrap() {
        let record = std::fs::read_to_string(trial.unwrap().path().join("trial.json")).unwrap();
        assert!(record.contains("\"outcome\": \"resolved\""), "{record}");
    }
    assert_eq!(yard.left(), Vec::<String>::new());

    // Where there is no room for the plan nothing runs at all.
    disk.fill();
    let output = yard.proofyard(&["run", task, "-a", "nop", "--no-check", "--run-id", "late"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("runs/late/run.json: No space left on device"),
        "{said}"
    );
    assert!(!yard.path("runs/late").exists());
}

fn text(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// What somebody else has in the engine, removed by id.
#[derive(Default)]
struct Foreign {
    containers: Vec<String>,
    volumes: Vec<String>,
    networks: Vec<String>,
}

impl Foreign {
    /// A container without labels, one with labels as ours would be of another
    /// state folder, one that even names an owner, a volume, a network.
    fn made(mark: &str) -> Self {
        let sleep = ["--network", "none", "proofyard/base", "sleep", "1000"];
        let run = |labels: &[&str]| docker(&[&["run", "-d"], labels, &sleep].concat());
        let state = "proofyard.state=0123456789abcdef";
        let owner = "proofyard.owner=0123456789ab";
        Self {
            containers: vec![
                run(&[]),
                run(&["--label", state, "--label", owner]),
                run(&["--label", owner]),
                docker(&["create", "proofyard/base", "true"]),
            ],
            volumes: vec![
                docker(&["volume", "create", "--label", state, "--label", owner]),
                docker(&["volume", "create", &format!("proofyard-{mark}")]),
            ],
            networks: vec![docker(&[
                "network",
                "create",
                "--internal",
                &format!("proofyard-{mark}"),
            ])],
        }
    }

    /// What of it is still as it was.
    fn alive(&self) -> Vec<String> {
        let containers = self.containers.iter().map(|id| {
            let format = "{{.State.Status}}";
            format!("container {}", docker(&["inspect", "--format", format, id]))
        });
        let volumes = self.volumes.iter().map(|name| {
            let found = docker(&["volume", "inspect", "--format", "{{.Name}}", name]);
            format!("volume {}", found == *name)
        });
        let networks = self.networks.iter().map(|id| {
            let found = docker(&["network", "inspect", "--format", "{{.Id}}", id]);
            format!("network {}", found == *id)
        });
        containers.chain(volumes).chain(networks).collect()
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        for id in &self.containers {
            docker(&["rm", "--force", id]);
        }
        for name in &self.volumes {
            docker(&["volume", "rm", name]);
        }
        for id in &self.networks {
            docker(&["network", "rm", id]);
        }
    }
}

#[test]
fn what_is_not_ours_survives_a_run_an_interrupt_a_kill_and_clean() {
    let yard = Yard::new();
    let foreign = Foreign::made(&format!("t{}", std::process::id()));
    let before = foreign.alive();
    let expected = ["running", "running", "running", "created"].map(|is| format!("container {is}"));
    assert_eq!(before[..4], expected);
    assert!(
        before[4..].iter().all(|line| line.ends_with("true")),
        "{before:?}"
    );

    yard.one(&yard.answer("answer"), "nop", &["--no-check"]);
    assert_eq!(foreign.alive(), before);

    let slow = yard.task("slow", "", "sleep 30", "true");
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        let mut running = begin(&yard, &slow);
        until("a sandbox", || (!yard.left().is_empty()).then_some(()));
        kill(Pid::from_raw(running.id() as i32), signal).unwrap();
        running.wait().unwrap();
        assert_eq!(foreign.alive(), before, "{signal}");
    }
    assert_ne!(yard.left(), Vec::<String>::new());
    assert!(yard.proofyard(&["clean"]).status.success());
    assert_eq!(foreign.alive(), before);
    assert_eq!(yard.left(), Vec::<String>::new());
}

fn begin(yard: &Yard, task: &Path) -> std::process::Child {
    let arguments = ["run", task.to_str().unwrap(), "-a", "oracle", "--no-check"];
    let mut command: Command = yard.command(&arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.process_group(0).spawn().unwrap()
}
