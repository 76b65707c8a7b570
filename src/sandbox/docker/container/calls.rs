//! The calls of a sandbox, as requests to its helper.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{DockerSandbox, hold, reach, unexpected};
use crate::sandbox::docker::attach::leave;
use crate::sandbox::wire::{self, ExecRequest, Lengths, Reply, Request, ShellRequest};
use crate::sandbox::{
    Captured, Change, Exec, ExecOutput, FileRead, LimitHit, PackBounds, Packed, Sandbox,
    SandboxError, SandboxStream, Serving, ShellCommand, StreamTo, User,
};

/// What a call may take beyond its own time-out.
const SLACK: Duration = Duration::from_secs(15);
/// A call that only moves bytes.
const SHORT: Duration = Duration::from_secs(60);
/// A stream of gigabytes.
const LONG: Duration = Duration::from_secs(1800);

#[async_trait]
impl Sandbox for DockerSandbox {
    async fn exec(&self, exec: Exec) -> Result<ExecOutput, SandboxError> {
        let request = Request::Exec(ExecRequest {
            argv: exec.argv,
            cwd: exec.cwd,
            env: exec.env,
            user: exec.user,
            timeout_ms: exec.timeout.as_millis() as u64,
            cap: exec.output_bytes,
            records_cap: exec.records_bytes,
        });
        let (reply, blob) = self
            .call(
                "running a program",
                &request,
                &exec.stdin,
                exec.timeout + SLACK,
            )
            .await?;
        output(reply, blob)
    }

    async fn shell(&self, command: ShellCommand) -> Result<ExecOutput, SandboxError> {
        let deadline = command.timeout + SLACK;
        let request = Request::Shell(ShellRequest {
            interpreter: command.interpreter,
            command: command.command,
            user: command.user,
            timeout_ms: command.timeout.as_millis() as u64,
            cap: command.output_bytes,
        });
        let (reply, blob) = self
            .call("running a command", &request, &[], deadline)
            .await?;
        output(reply, blob)
    }

    async fn open(&self, to: &StreamTo) -> Result<SandboxStream, SandboxError> {
        self.open_stream(to).await
    }

    async fn read(
        &self,
        path: &str,
        offset: u64,
        max: u64,
        user: &User,
    ) -> Result<FileRead, SandboxError> {
        let request = Request::Read {
            path: path.to_owned(),
            offset,
            max,
            user: user.clone(),
        };
        match self.call("reading a file", &request, &[], SHORT).await? {
            (Reply::File { size, mode }, content) => Ok(FileRead {
                content,
                size,
                mode,
            }),
            (other, _) => Err(unexpected("reading a file", &other)),
        }
    }

    async fn write(
        &self,
        path: &str,
        content: &[u8],
        mode: Option<u32>,
        user: &User,
    ) -> Result<(), SandboxError> {
        let request = Request::Write {
            path: path.to_owned(),
            mode,
            user: user.clone(),
        };
        self.call("writing a file", &request, content, SHORT)
            .await
            .map(drop)
    }

    async fn kill_all(&self) -> Result<u32, SandboxError> {
        match self
            .call("ending all processes", &Request::KillAll, &[], SHORT)
            .await?
        {
            (Reply::Killed { processes }, _) => Ok(processes),
            (other, _) => Err(unexpected("ending all processes", &other)),
        }
    }

    async fn freeze(&self) -> Result<u32, SandboxError> {
        const DOING: &str = "stopping all processes";
        match self.call(DOING, &Request::Freeze, &[], SHORT).await? {
            (Reply::Killed { processes }, _) => Ok(processes),
            (other, _) => Err(unexpected(DOING, &other)),
        }
    }

    async fn thaw(&self) -> Result<(), SandboxError> {
        let thawed = self.call("letting all processes go on", &Request::Thaw, &[], SHORT);
        thawed.await.map(drop)
    }

    async fn serve(&self, command: &[String]) -> Result<(), SandboxError> {
        let request = Request::Serve {
            argv: command.to_vec(),
            user: User::Default,
        };
        let served = self.call("starting a service", &request, &[], SHORT);
        served.await.map(drop)
    }

    async fn serving(&self, command: &[String], port: u16) -> Result<Serving, SandboxError> {
        const DOING: &str = "looking for a service";
        let request = Request::Serving {
            argv: command.to_vec(),
            port,
        };
        match self.call(DOING, &request, &[], SHORT).await? {
            (Reply::Serving(serving), _) => Ok(serving),
            (other, _) => Err(unexpected(DOING, &other)),
        }
    }

    async fn changes(&self) -> Result<Vec<Change>, SandboxError> {
        self.written.changes(&self.engine, &self.id).await
    }

    async fn pack(&self, paths: &[Vec<u8>], bounds: PackBounds) -> Result<Packed, SandboxError> {
        const DOING: &str = "taking the change";
        let link = self.link();
        let blob = wire::join_paths(paths);
        let begun = link.begin(&Request::Pack { bounds }, &blob, LONG).await;
        let mut exchange = match begun {
            Ok(exchange) => exchange,
            Err(error) => return Err(self.explain(DOING, error, LONG).await),
        };
        let mut packed = Packed::default();
        // Headers and padding come on top of what the helper counts.
        let most = bounds
            .bytes
            .saturating_add(bounds.entries.saturating_mul(2048))
            .saturating_add(1 << 20);
        loop {
            match exchange.reply().await {
                Ok((Reply::Data, piece)) => {
                    if packed.tar.len() as u64 + piece.len() as u64 > most {
                        return Err(unexpected(DOING, &Reply::Data));
                    }
                    packed.tar.extend_from_slice(&piece);
                }
                Ok((Reply::Packed, skipped)) => {
                    let mut fields = skipped.split(|byte| *byte == 0);
                    while let (Some(path), Some(reason)) = (fields.next(), fields.next()) {
                        if !path.is_empty() {
                            packed.skipped.push((
                                path.to_vec(),
                                String::from_utf8_lossy(reason).into_owned(),
                            ));
                        }
                    }
                    return Ok(packed);
                }
                Ok((Reply::Refused(error), _)) => return Err(error.into()),
                Ok((other, _)) => return Err(unexpected(DOING, &other)),
                Err(error) => return Err(self.explain(DOING, error, LONG).await),
            }
        }
    }

    async fn unpack(&self, root: &str, delete: &[Vec<u8>], tar: &[u8]) -> Result<(), SandboxError> {
        const DOING: &str = "laying files";
        let link = self.link();
        let sent = async {
            let blob = wire::join_paths(delete);
            let mut exchange = link
                .begin(
                    &Request::Unpack {
                        root: root.to_owned(),
                    },
                    &blob,
                    LONG,
                )
                .await?;
            for piece in tar.chunks(wire::CHUNK) {
                exchange.send(&Request::UnpackData, piece).await?;
            }
            exchange.send(&Request::UnpackData, &[]).await?;
            exchange.reply().await
        };
        match sent.await {
            Ok((Reply::Ok, _)) => Ok(()),
            Ok((Reply::Refused(error), _)) => Err(error.into()),
            Ok((other, _)) => Err(unexpected(DOING, &other)),
            Err(error) => Err(self.explain(DOING, error, LONG).await),
        }
    }

    async fn hold(&self, paths: &[String]) -> Result<bool, SandboxError> {
        let opened = self.link().peer().map(hold::Space::of);
        let Some(Ok(space)) = opened else {
            return Ok(false);
        };
        // The helper answers, so the number was still its own when it was looked up.
        self.call("holding files", &Request::Ping, &[], SHORT)
            .await?;
        let paths = paths.to_vec();
        let held = tokio::task::spawn_blocking(move || space.hold(paths)).await;
        match held.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
            Ok(whole) => Ok(whole),
            Err(error) => {
                tracing::debug!(%error, "files of a sandbox stay writable");
                Ok(false)
            }
        }
    }

    async fn start_main(&self) -> Result<(), SandboxError> {
        if self.main.is_empty() {
            return Ok(());
        }
        let request = Request::StartMain {
            argv: self.main.clone(),
            user: User::Default,
        };
        self.call("starting the image's own process", &request, &[], SHORT)
            .await
            .map(drop)
    }

    async fn detach(&self) -> Result<(), SandboxError> {
        let mut left = Ok(());
        for network in &self.networks {
            left = left.and(leave(&self.engine, network, &self.id).await);
        }
        left
    }

    async fn revive(&self) -> Result<(), SandboxError> {
        let docker = &self.engine.docker;
        let _ = docker.kill_container(&self.id, None).await;
        let link = match self.engine.uses_socket() {
            true => {
                let listener = reach::listen(&self.scratch)?;
                reach::launch(docker, &self.id).await?;
                reach::accept(&listener, &self.scratch, docker, &self.id).await?
            }
            false => {
                let attached = reach::attach(docker, &self.id).await?;
                reach::launch(docker, &self.id).await?;
                attached
            }
        };
        self.relink(Arc::new(link));
        self.set_up().await.map(drop)
    }

    async fn limit_reached(&self) -> LimitHit {
        let mut limit = self.limit.clone();
        let hit = limit
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|hit| hit.clone());
        match hit {
            Some(hit) => hit,
            // Nobody watches any more.
            None => std::future::pending().await,
        }
    }

    fn workdir(&self) -> &str {
        &self.setup.workdir
    }

    async fn stop(&self) -> Result<(), SandboxError> {
        let Some(removal) = self.begin_removal() else {
            return Ok(());
        };
        removal.await.unwrap_or_else(|error| {
            Err(SandboxError::Host {
                doing: "take a sandbox away".into(),
                source: std::io::Error::other(error),
            })
        })
    }
}

fn output(reply: Reply, mut blob: Vec<u8>) -> Result<ExecOutput, SandboxError> {
    let Reply::Ran {
        ended,
        out,
        err,
        records,
        elapsed_us,
        left_running,
        shell_ended,
    } = reply
    else {
        return Err(unexpected("running a command", &reply));
    };
    let mut captured = |lengths: Lengths| -> Option<Captured> {
        let (head, tail) = (lengths.head as usize, lengths.tail as usize);
        if blob.len() < head.checked_add(tail)? {
            return None;
        }
        let rest = blob.split_off(head + tail);
        let mut head_bytes = std::mem::replace(&mut blob, rest);
        let tail_bytes = head_bytes.split_off(head);
        Some(Captured {
            head: head_bytes,
            tail: tail_bytes,
            cut: lengths.cut,
        })
    };
    match (captured(out), captured(err), captured(records)) {
        (Some(stdout), Some(stderr), Some(records)) => Ok(ExecOutput {
            stdout,
            stderr,
            records,
            ended,
            elapsed: Duration::from_micros(elapsed_us),
            left_running,
            session_ended: shell_ended,
        }),
        _ => Err(unexpected("running a command", &Reply::Data)),
    }
}
