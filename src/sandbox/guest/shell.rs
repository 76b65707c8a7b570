//! Persistent sessions: their script, and what of them outlives a time-out.
//!
//! The shell reads a script from its standard input: for each call one `eval` of
//! the quoted command, and one line that reports status, directory and exports on
//! a descriptor which the command itself does not have. Python reads its code in
//! the same way, a JSON string a line, and reports in the same form. No marker is
//! looked for in anything that a command prints.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use nix::unistd::Pid;

use super::capture::Stream;
use super::refuse;
use super::spawn::{Spawn, pipe, spawn};
use super::users::Identity;
use crate::sandbox::{GuestError, GuestErrorKind, Interpreter};

/// The descriptor that the shell reports on; one digit, since some shells know no more.
const REPORT: i32 = 9;

/// Keeps the report's number from being taken by anything else of this process,
/// so that a child's copy under it replaces nothing.
pub fn reserve_report() -> io::Result<()> {
    let null = std::fs::File::open("/dev/null")?;
    // Never closed: it is to be taken for good.
    nix::fcntl::fcntl(&null, nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(REPORT))?;
    Ok(())
}

/// The most that is kept of a report: directory and exports.
const REPORT_MOST: u64 = 1 << 20;

/// What Python runs: code comes as JSON strings, its end goes to the descriptor of
/// reports. The value of a last expression is shown, as at Python's own prompt.
const PYTHON: &str = include_str!("session.py");

/// What a new shell starts from after the last one ended.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    pub cwd: Option<String>,
    exports: Option<String>,
}

/// A running session.
pub struct Shell {
    interpreter: Interpreter,
    pub pid: Pid,
    script: std::fs::File,
    pub report: Stream,
    pub out: Stream,
    pub err: Stream,
    reported: Vec<u8>,
}

/// One report: a command ended.
pub struct Report {
    pub status: i32,
}

impl Shell {
    /// Starts bash, or sh where there is none, or Python, where the last one stood.
    pub fn start(
        interpreter: Interpreter,
        who: &Identity,
        env: BTreeMap<String, String>,
        workdir: &str,
        memory: &Memory,
    ) -> Result<Self, GuestError> {
        let path = env.get("PATH").map_or("", String::as_str);
        let argv = match interpreter {
            Interpreter::Shell => program(path)?,
            Interpreter::Python => python(path)?,
        };
        let cwd = memory
            .cwd
            .as_deref()
            .filter(|cwd| std::path::Path::new(cwd).is_dir())
            .unwrap_or(workdir);
        let (script_end, script) = pipe()?;
        let (report, report_end) = pipe()?;
        let (out, out_end) = pipe()?;
        let (err, err_end) = pipe()?;
        let pid = spawn(Spawn {
            argv: &argv,
            cwd,
            env,
            who,
            stdin: Stdio::from(script_end),
            stdout: Stdio::from(out_end),
            stderr: Stdio::from(err_end),
            extra: Some((std::os::fd::AsFd::as_fd(&report_end), REPORT)),
        })?;
        let stream = |fd: OwnedFd, cap| {
            Stream::new(fd, cap).map_err(|error| refuse("read from the shell", &error))
        };
        let mut shell = Self {
            interpreter,
            pid,
            script: std::fs::File::from(script),
            report: stream(report, REPORT_MOST)?,
            out: stream(out, 1 << 15)?,
            err: stream(err, 1 << 15)?,
            reported: Vec::new(),
        };
        if let Some(exports) = &memory.exports {
            let line = format!(
                "eval {} >/dev/null 2>&1 </dev/null {REPORT}>&-\n",
                quoted(exports)
            );
            shell
                .send(&line)
                .map_err(|error| refuse("start the shell", &error))?;
        }
        Ok(shell)
    }

    /// Gives the shell a command; its end comes as a [`Report`], or the shell ends.
    pub fn submit(&mut self, command: &str) -> Result<(), GuestError> {
        if command.contains('\0') {
            return Err(GuestError {
                kind: GuestErrorKind::Invalid,
                message: "a command cannot hold a NUL byte".into(),
            });
        }
        if self.interpreter == Interpreter::Python {
            let code = serde_json::Value::from(command).to_string();
            return self
                .send(&format!("{code}\n"))
                .map_err(|error| refuse("give Python its code", &error));
        }
        let line = format!(
            "eval {} </dev/null {REPORT}>&-\n\
             {{ command printf '%s\\000' \"$?\"; command pwd; command printf '\\000'; \
             command export -p; command printf '\\000'; }} >&{REPORT} 2>/dev/null\n",
            quoted(command)
        );
        self.send(&line)
            .map_err(|error| refuse("give the shell a command", &error))
    }

    fn send(&mut self, line: &str) -> io::Result<()> {
        match self.script.write_all(line.as_bytes()) {
            // The shell is ending; the loop will see it.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            sent => sent,
        }
    }

    /// Takes a report, where one is complete; what it says is kept in `memory`.
    pub fn take_report(&mut self, memory: &mut Memory) -> Option<Report> {
        let (_, bytes) = self.report.capture.take();
        self.reported.extend(bytes);
        if self.reported.iter().filter(|byte| **byte == 0).count() < 3 {
            return None;
        }
        let report = std::mem::take(&mut self.reported);
        let text = String::from_utf8_lossy(&report);
        let mut fields = text.split('\0');
        let status = fields.next()?.trim().parse().unwrap_or(0);
        memory.cwd = fields
            .next()
            .map(|cwd| cwd.trim_end_matches('\n').to_owned())
            .filter(|cwd| cwd.starts_with('/'));
        memory.exports = fields
            .next()
            .filter(|exports| !exports.is_empty())
            .map(str::to_owned);
        Some(Report { status })
    }
}

fn program(path: &str) -> Result<Vec<String>, GuestError> {
    if let Some(bash) = find(path, "bash") {
        return Ok(vec![bash, "--noprofile".into(), "--norc".into()]);
    }
    find(path, "sh")
        .map(|sh| vec![sh])
        .ok_or_else(|| GuestError {
            kind: GuestErrorKind::NoProgram,
            message: "the sandbox has no shell: neither bash nor sh is on its PATH".into(),
        })
}

fn python(path: &str) -> Result<Vec<String>, GuestError> {
    let named = ["python3", "python"]
        .into_iter()
        .find_map(|name| find(path, name));
    match named {
        Some(python) => Ok(vec![python, "-u".into(), "-c".into(), PYTHON.into()]),
        None => Err(GuestError {
            kind: GuestErrorKind::NoProgram,
            message: "the sandbox has no Python: python3 is not on its PATH".into(),
        }),
    }
}

/// The first file of a name on the path that may be executed.
fn find(path: &str, name: &str) -> Option<String> {
    let folders = path.split(':').chain(["/bin", "/usr/bin"]);
    folders
        .filter(|folder| !folder.is_empty())
        .map(|folder| format!("{folder}/{name}"))
        .find(|file| {
            std::fs::metadata(file)
                .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
        })
}

/// The text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_survive_quoting() {
        assert_eq!(quoted("a'b"), r"'a'\''b'");
    }

    #[test]
    fn a_sandbox_without_a_shell_says_so() {
        // `/bin` and `/usr/bin` of the machine that tests have one.
        assert!(program("/nowhere").is_ok());
    }
}
