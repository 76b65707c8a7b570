//! `proofyard serve-model` as a program: what it prints, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn start(script: &str, dir: &std::path::Path) -> Child {
    let file = dir.join("clerk.toml");
    std::fs::write(&file, script).unwrap();
    Command::new(env!("CARGO_BIN_EXE_proofyard"))
        .args(["serve-model", "clerk.toml"])
        .current_dir(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What a request for the models is answered.
fn models(url: &str) -> String {
    let address = url.strip_prefix("http://").unwrap();
    let address = address.strip_suffix("/v1").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(b"GET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_says_where_it_listens_and_ends_well_at_a_signal() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let dir = tempfile::tempdir().unwrap();
        let mut child = start("model = 'clerk'\n", dir.path());
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut url = String::new();
        out.read_line(&mut url).unwrap();
        let url = url.trim_end();
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        assert!(models(url).contains("\"id\":\"clerk\""));
        kill(Pid::from_raw(child.id() as i32), signal).unwrap();
        let mut told = String::new();
        let mut err = child.stderr.take().unwrap();
        err.read_to_string(&mut told).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        assert_eq!(told, "GET /v1/models 200\n");
    }
}

#[test]
fn a_script_that_is_wrong_is_shown_and_not_served() {
    let dir = tempfile::tempdir().unwrap();
    let ended = start("sed = 1\n", dir.path()).wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.stdout.is_empty());
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(told.contains("clerk.toml:1:1"), "{told}");
    assert!(told.contains("did you mean `seed`?"), "{told}");
}
