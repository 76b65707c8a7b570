//! Short programs of this host that must end: mount, umount, mkfs, cp.

use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

use wait_timeout::ChildExt;

/// Runs a program to its end within a bound; what it printed is in the error.
pub fn run(argv: &[&str], bound: Duration) -> io::Result<()> {
    let (program, arguments) = argv
        .split_first()
        .ok_or_else(|| io::Error::other("no program was named"))?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("start {program}: {error}")))?;
    let Some(status) = child.wait_timeout(bound)? else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("{program} did not end within {} s", bound.as_secs()),
        ));
    };
    if status.success() {
        return Ok(());
    }
    let mut said = String::new();
    if let Some(stderr) = child.stderr.take() {
        let _ = stderr.take(4096).read_to_string(&mut said);
    }
    Err(io::Error::other(format!(
        "{program} ended with {status}: {}",
        said.trim()
    )))
}
