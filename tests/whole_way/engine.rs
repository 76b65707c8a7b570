//! An engine that fails by itself is an error of nobody's, and can be made good.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use crate::yard::{Yard, bash, docker};

/// A way to the engine that can be cut.
struct Way {
    socket: PathBuf,
    connections: Arc<Mutex<Vec<UnixStream>>>,
}

impl Way {
    fn open(socket: PathBuf) -> Self {
        let listener = UnixListener::bind(&socket).unwrap();
        let connections: Arc<Mutex<Vec<UnixStream>>> = Arc::default();
        let held = connections.clone();
        // It ends with the test's process; what it leads to is closed by then.
        thread::spawn(move || {
            for near in listener.incoming() {
                let (near, far) = (near.unwrap(), UnixStream::connect("/var/run/docker.sock"));
                let far = far.unwrap();
                let mut held = held.lock().unwrap();
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    held.push(from.try_clone().unwrap());
                    thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
            }
        });
        Self {
            socket,
            connections,
        }
    }

    /// Closes what is open; nothing more is let through.
    fn cut(&self) {
        std::fs::remove_file(&self.socket).unwrap();
        for connection in self.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

fn journal(yard: &Yard, run: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(yard.path("runs").join(run).join("results.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

#[test]
fn an_engine_that_goes_away_is_an_error_and_what_it_kept_is_cleaned_and_run_again() {
    let yard = Yard::new();
    let way = Way::open(yard.path("engine.sock"));
    let host = format!("engine.host=unix://{}", way.socket.display());
    let task = yard.answer("answer");
    let script = yard.script("calls.jsonl", &[bash("echo 42 > /answer; sleep 3")]);
    let arguments = [
        "-a",
        &script,
        "-n",
        "2",
        "-j",
        "1",
        "--no-check",
        "--run-id",
        "cut",
        "--set",
        &host,
    ];
    let (trials, code) = thread::scope(|scope| {
        scope.spawn(|| {
            yard.at_work("answer", "sleep 3");
            way.cut();
        });
        yard.run(&task, &arguments)
    });
    assert_eq!((trials.len(), code), (2, Some(1)));
    for trial in &trials {
        assert_eq!(trial["outcome"], "error", "{trial:#}");
        assert_eq!(trial["error"]["class"], "engine");
        let message = trial["error"]["message"].as_str().unwrap();
        let told = ": the Docker engine does not answer: ";
        assert!(message.contains(told), "{message}");
    }
    // What was done until then is kept.
    assert_eq!(yard.results(&trials[0]).len(), 2);
    // It could not be taken away, and is still known as ours.
    assert!(!yard.left().is_empty());
    assert!(yard.proofyard(&["clean"]).status.success());
    assert_eq!(yard.left(), Vec::<String>::new());

    let again = yard.proofyard(&["resume", "cut", "--retry-errors", "1"]);
    assert!(
        again.status.success(),
        "{}",
        String::from_utf8_lossy(&again.stderr)
    );
    let outcomes: Vec<Value> = journal(&yard, "cut".as_ref())
        .into_iter()
        .map(|line| line["outcome"].clone())
        .collect();
    assert_eq!(outcomes[2..], ["resolved", "resolved"]);
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn a_container_that_somebody_takes_away_is_no_doing_of_the_agents() {
    let yard = Yard::new();
    let script = yard.script(
        "calls.jsonl",
        &[bash("echo 42 > /answer; [ -n \"$FINE\" ] || sleep 30")],
    );
    let (trials, code) = thread::scope(|scope| {
        scope.spawn(|| docker(&["rm", "--force", &yard.at_work("hostile", "sleep 30")]));
        yard.run(&yard.pair(), &["-a", &script, "--no-check"])
    });
    assert_eq!((trials.len(), code), (2, Some(1)));
    for trial in &trials {
        if trial["task"]["name"] == "fine" {
            assert_eq!(trial["outcome"], "resolved", "{trial:#}");
        } else {
            assert_eq!(trial["error"]["class"], "engine", "{trial:#}");
            assert_eq!(yard.results(trial).len(), 1);
        }
    }
    assert_eq!(yard.left(), Vec::<String>::new());
}
