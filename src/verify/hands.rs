//! What a verification does to its sandbox: programs, files, what is kept.
//!
//! Owns bounds and deadlines of single calls, and which refusals are answers. Must
//! not know the order of the steps or what their results mean.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::junit::ReportError;
use super::keep::{bytes, last_lines, write_whole};
use super::{VerifyError, pytest};
use crate::sandbox::{Ended, Exec, ExecOutput, GuestErrorKind, Sandbox, SandboxError, User};

/// Bytes of each output that are kept.
pub(super) const OUTPUT_BYTES: u64 = 4 << 20;
/// Bytes of one read from the sandbox.
const READ_BYTES: u64 = 4 << 20;

/// A sandbox under verification.
pub(super) struct Hands<'a> {
    pub(super) sandbox: &'a dyn Sandbox,
    /// Who builds and tests.
    pub(super) user: User,
    pub(super) started: Instant,
    /// Of all programs together, from `started`.
    pub(super) limit: Duration,
    pub(super) log_dir: &'a Path,
    /// What runs is stopped where it would be ended.
    pub(super) goes_on: bool,
}

/// What became of a program.
pub(super) enum Ran {
    Ended(ExecOutput),
    TimedOut(ExecOutput),
    /// The image, or what the change left of it, has no such program.
    NoProgram(String),
}

/// What lies at a path in the sandbox.
pub(super) enum Found {
    Nothing,
    File(Vec<u8>),
    Refused(String),
}

impl Hands<'_> {
    pub(super) async fn run(
        &self,
        doing: &'static str,
        argv: Vec<String>,
        cwd: Option<String>,
        env: BTreeMap<String, String>,
    ) -> Result<Ran, VerifyError> {
        let exec = Exec {
            cwd,
            env,
            ..Exec::new(argv)
        };
        self.execute(doing, exec).await
    }

    /// Runs a program within what is left of the time, as who tests.
    pub(super) async fn execute(
        &self,
        doing: &'static str,
        exec: Exec,
    ) -> Result<Ran, VerifyError> {
        let exec = Exec {
            output_bytes: OUTPUT_BYTES,
            ..exec
        };
        self.execute_keeping(doing, exec).await
    }

    /// The same, with as much of its outputs as the call itself says.
    pub(super) async fn execute_keeping(
        &self,
        doing: &'static str,
        exec: Exec,
    ) -> Result<Ran, VerifyError> {
        let left = self.limit.saturating_sub(self.started.elapsed());
        if left < Duration::from_millis(1) {
            return Ok(Ran::TimedOut(ExecOutput::default()));
        }
        let exec = Exec {
            user: self.user.clone(),
            timeout: left,
            ..exec
        };
        match self.sandbox.exec(exec).await {
            Ok(output) if output.ended == Ended::TimedOut => Ok(Ran::TimedOut(output)),
            Ok(output) => Ok(Ran::Ended(output)),
            Err(SandboxError::Guest(refusal)) if refusal.kind == GuestErrorKind::NoProgram => {
                Ok(Ran::NoProgram(refusal.message))
            }
            Err(error) => Err(VerifyError::of(doing, error)),
        }
    }

    /// Writes a file of the verifier's, as root.
    pub(super) async fn write(&self, path: &str, content: &[u8]) -> Result<(), VerifyError> {
        let wrote = self.sandbox.write(path, content, Some(0o644), &User::Root);
        wrote
            .await
            .map_err(|source| VerifyError::of("write a file of the verifier's", source))
    }

    /// Nothing may change what the runner left while it is read.
    pub(super) async fn settle(&self) -> Result<(), VerifyError> {
        let quiet = match self.goes_on {
            true => self.sandbox.freeze().await,
            false => self.sandbox.kill_all().await,
        };
        quiet
            .map(|_| ())
            .map_err(|source| VerifyError::of("end the verifier's processes", source))
    }

    /// At most `max` bytes of a regular file.
    pub(super) async fn find(&self, path: &str, max: u64) -> Result<Found, VerifyError> {
        let mut content = Vec::new();
        loop {
            let offset = content.len() as u64;
            let piece = (max - offset).min(READ_BYTES);
            match self.sandbox.read(path, offset, piece, &User::Root).await {
                Ok(read) => {
                    if path == pytest::REPORT && read.size > max {
                        return Ok(Found::Refused(ReportError::TooLarge.to_string()));
                    }
                    content.extend(read.content.iter().take(piece as usize));
                    let end = read.size.min(max);
                    if read.content.is_empty() || content.len() as u64 >= end {
                        return Ok(Found::File(content));
                    }
                }
                Err(SandboxError::Guest(refusal)) if refusal.kind == GuestErrorKind::NotFound => {
                    return Ok(Found::Nothing);
                }
                Err(SandboxError::Guest(refusal)) => return Ok(Found::Refused(refusal.message)),
                Err(error) => return Err(VerifyError::of("read what the verifier left", error)),
            }
        }
    }

    pub(super) fn keep_outputs(&self, ran: &Ran) -> Result<(), VerifyError> {
        if let Ran::Ended(output) | Ran::TimedOut(output) = ran {
            self.keep("stdout.txt", &bytes(&output.stdout))?;
            self.keep("stderr.txt", &bytes(&output.stderr))?;
        }
        Ok(())
    }

    pub(super) fn keep_found(&self, name: &str, found: &Found) -> Result<(), VerifyError> {
        match found.content() {
            Some(content) => self.keep(name, content),
            None => Ok(()),
        }
    }

    pub(super) fn keep(&self, name: &str, content: &[u8]) -> Result<(), VerifyError> {
        let path = self.log_dir.join(name);
        write_whole(&path, content).map_err(|source| VerifyError::Keep { path, source })
    }
}

impl Found {
    pub(super) fn content(&self) -> Option<&[u8]> {
        match self {
            Found::File(content) => Some(content),
            Found::Nothing | Found::Refused(_) => None,
        }
    }
}

pub(super) fn ending(ended: Ended) -> String {
    match ended {
        Ended::Exited(code) => format!("ended with {code}"),
        Ended::Signaled(signal) => format!("was ended by signal {signal}"),
        Ended::TimedOut => "did not end".to_owned(),
        Ended::Unknown => "ended".to_owned(),
    }
}

/// How a runner that gave no verdict ended, and the last thing that it said.
pub(super) fn last_words(ran: &Ran) -> String {
    match ran {
        Ran::NoProgram(message) => format!(": {message}"),
        Ran::Ended(output) | Ran::TimedOut(output) => {
            let said = last_lines(&[&output.stdout, &output.stderr], 1);
            let colon = if said.is_empty() { "" } else { ": " };
            format!("; it {}{colon}{said}", ending(output.ended))
        }
    }
}
