//! What the host does in a service: runs a program, takes files.

use std::time::Instant;

use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, StartExecResults};
use bollard::query_parameters::DownloadFromContainerOptionsBuilder;
use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;

use super::{Project, ProjectError};
use crate::sandbox::docker::refusal::{is_missing, refused};
use crate::sandbox::guest::capture::Capture;
use crate::sandbox::{
    Ended, Exec, ExecOutput, GuestError, GuestErrorKind, PackBounds, SandboxError, User,
};

/// A piece of an archive may take this long.
const PIECE: std::time::Duration = std::time::Duration::from_secs(120);

impl Project {
    /// Runs a program in a service, as the service's user where `exec` names none;
    /// there is no third output. At its time-out the program is no longer waited for:
    /// it goes on until the project is stopped.
    pub async fn exec(&self, service: &str, exec: Exec) -> Result<ExecOutput, ProjectError> {
        let id = self.container(service)?;
        let began = Instant::now();
        let mut ran = Ran {
            stdout: Capture::new(exec.output_bytes),
            stderr: Capture::new(exec.output_bytes),
            ended: Ended::TimedOut,
        };
        let timeout = exec.timeout;
        if let Ok(failed) = tokio::time::timeout(timeout, self.run(&id, exec, &mut ran)).await {
            failed.map_err(|error| refused(&format!("run a program in {service}"), &error))?;
        }
        Ok(ExecOutput {
            stdout: ran.stdout.captured(),
            stderr: ran.stderr.captured(),
            left_running: ran.ended == Ended::TimedOut,
            ended: ran.ended,
            elapsed: began.elapsed(),
            ..ExecOutput::default()
        })
    }

    async fn run(&self, id: &str, exec: Exec, ran: &mut Ran) -> Result<(), bollard::errors::Error> {
        let docker = &self.engine.docker;
        let stdin = exec.stdin;
        let env = exec.env.into_iter();
        let options = CreateExecOptions::<String> {
            attach_stdin: Some(!stdin.is_empty()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            user: match exec.user {
                User::Default => None,
                User::Root => Some("0:0".into()),
                User::Named(name) => Some(name),
            },
            working_dir: exec.cwd,
            env: Some(env.map(|(name, value)| format!("{name}={value}")).collect()),
            cmd: Some(exec.argv),
            ..Default::default()
        };
        let exec = docker.create_exec(id, options).await?.id;
        let started = docker.start_exec(&exec, None).await?;
        if let StartExecResults::Attached {
            mut output,
            mut input,
        } = started
        {
            let typing = async {
                // One that does not read all of it is no failure.
                let _ = input.write_all(&stdin).await;
                let _ = input.shutdown().await;
            };
            let reading = async {
                while let Some(piece) = output.next().await {
                    match piece? {
                        LogOutput::StdErr { message } => ran.stderr.push(&message),
                        other => ran.stdout.push(&other.into_bytes()),
                    }
                }
                Ok::<(), bollard::errors::Error>(())
            };
            let ((), read) = tokio::join!(typing, reading);
            read?;
        }
        let status = docker.inspect_exec(&exec).await?.exit_code;
        ran.ended = status.map_or(Ended::Unknown, |status| Ended::Exited(status as i32));
        Ok(())
    }

    /// A file or a folder of a service as a tar stream, as the engine makes it; none
    /// where there is nothing at that path. Also of a service that ended.
    ///
    /// # Errors
    /// More than `bounds` is a refusal ([`GuestErrorKind::TooLarge`]).
    pub async fn archive(
        &self,
        service: &str,
        path: &str,
        bounds: PackBounds,
    ) -> Result<Option<Vec<u8>>, ProjectError> {
        let doing = || format!("take {path} from {service}");
        let id = self.container(service)?;
        let options = DownloadFromContainerOptionsBuilder::default()
            .path(path)
            .build();
        let pieces = self
            .engine
            .docker
            .download_from_container(&id, Some(options));
        let mut pieces = std::pin::pin!(pieces);
        let mut tar = Vec::new();
        // Headers and padding come on top of contents.
        let most = bounds
            .bytes
            .saturating_add(bounds.entries.saturating_mul(2048))
            .saturating_add(1 << 20);
        loop {
            let piece = tokio::time::timeout(PIECE, pieces.next()).await;
            let piece = piece.map_err(|_| SandboxError::Deadline {
                doing: "taking files from a service",
                seconds: PIECE.as_secs(),
            })?;
            match piece {
                None => break,
                Some(Err(error)) if is_missing(&error) => return Ok(None),
                Some(Err(error)) => return Err(refused(&doing(), &error).into()),
                Some(Ok(piece)) if (tar.len() + piece.len()) as u64 > most => {
                    return Err(too_large(path, bounds));
                }
                Some(Ok(piece)) => tar.extend_from_slice(&piece),
            }
        }
        match within(&tar, bounds) {
            true => Ok(Some(tar)),
            false => Err(too_large(path, bounds)),
        }
    }
}

/// What a program left so far.
struct Ran {
    stdout: Capture,
    stderr: Capture,
    ended: Ended,
}

/// Whether entries and their contents are as few as allowed. What cannot be read is
/// for whoever reads it.
fn within(tar: &[u8], bounds: PackBounds) -> bool {
    let mut archive = tar::Archive::new(tar);
    let (mut entries, mut bytes) = (0u64, 0u64);
    for entry in archive
        .entries()
        .into_iter()
        .flatten()
        .map_while(Result::ok)
    {
        entries += 1;
        bytes = bytes.saturating_add(entry.size());
        if entries > bounds.entries || bytes > bounds.bytes {
            return false;
        }
    }
    true
}

fn too_large(path: &str, bounds: PackBounds) -> ProjectError {
    let (bytes, entries) = (bounds.bytes, bounds.entries);
    ProjectError::Sandbox(SandboxError::Guest(GuestError {
        kind: GuestErrorKind::TooLarge,
        message: format!("{path} is more than {bytes} bytes or {entries} entries"),
    }))
}
