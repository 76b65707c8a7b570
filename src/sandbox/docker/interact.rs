//! A shell for people: the engine's exec with a terminal, as the tools' user.

use bollard::exec::{CreateExecOptions, ResizeExecOptions, StartExecOptions, StartExecResults};
use futures_util::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::container::DockerSandbox;
use crate::sandbox::SandboxError;

impl DockerSandbox {
    /// Connects streams to a shell in the sandbox, until the shell ends.
    /// `terminal`: height and width where a person sits at the other end.
    pub async fn interact(
        &self,
        mut typed: impl AsyncRead + Unpin + Send + 'static,
        mut out: impl AsyncWrite + Unpin,
        mut err: impl AsyncWrite + Unpin,
        terminal: Option<(u16, u16)>,
    ) -> Result<(), SandboxError> {
        let failed = |error: bollard::errors::Error| SandboxError::Engine {
            doing: "open a shell in the sandbox".into(),
            message: error.to_string(),
        };
        let docker = self.docker();
        let (user, group) = self.owner();
        let options = CreateExecOptions::<String> {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(terminal.is_some()),
            user: Some(format!("{user}:{group}")),
            working_dir: Some(crate::sandbox::Sandbox::workdir(self).to_owned()),
            env: Some(self.environment()),
            cmd: Some(vec![
                "sh".into(),
                "-c".into(),
                "command -v bash >/dev/null && exec bash || exec sh".into(),
            ]),
            ..Default::default()
        };
        let exec = docker
            .create_exec(self.id(), options)
            .await
            .map_err(failed)?
            .id;
        let started = docker
            .start_exec(
                &exec,
                Some(StartExecOptions {
                    tty: terminal.is_some(),
                    ..Default::default()
                }),
            )
            .await;
        let StartExecResults::Attached {
            mut output,
            mut input,
        } = started.map_err(failed)?
        else {
            return Ok(());
        };
        if let Some((height, width)) = terminal {
            let _ = docker
                .resize_exec(&exec, ResizeExecOptions { height, width })
                .await;
        }
        let typing = tokio::spawn(async move {
            let _ = tokio::io::copy(&mut typed, &mut input).await;
            let _ = input.shutdown().await;
        });
        while let Some(piece) = output.next().await {
            let shown = match piece.map_err(failed)? {
                bollard::container::LogOutput::StdErr { message } => err.write_all(&message).await,
                other => out.write_all(&other.into_bytes()).await,
            };
            let flushed = match shown {
                Ok(()) => out.flush().await,
                failed => failed,
            };
            if flushed.is_err() {
                break;
            }
        }
        typing.abort();
        Ok(())
    }
}
