//! A Debian base from the distribution's own packages, where no registry answers.
//!
//! Owns the run of `mmdebstrap` and the import of what it made.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bollard::query_parameters::CreateImageOptionsBuilder;
use bollard::{Docker, body_try_stream};
use futures_util::StreamExt;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use wait_timeout::ChildExt;

use super::build::{TAIL, chunks};
use super::error::ImageError;
use super::rewrite::KIND;
use super::text::{Tail, plain};
use super::{ImageProgress, Progress};

/// How long making a base may take: it downloads some forty packages.
const LIMIT: Duration = Duration::from_secs(15 * 60);
/// How long importing the file may take.
const IMPORT: Duration = Duration::from_secs(5 * 60);
/// How often progress is told.
const PULSE: Duration = Duration::from_secs(1);
/// How often the program's end and our own cancellation are looked for.
const PAUSE: Duration = Duration::from_millis(200);
/// What the program gets to take its mounts away after it was asked to end.
const GRACE: Duration = Duration::from_secs(10);

/// What the slim images leave out as well; copyright files stay.
const EXCLUDED: [&str; 8] = [
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/groff/*",
    "path-exclude=/usr/share/lintian/*",
    "path-exclude=/usr/share/linda/*",
];

/// As in the distribution's images: installing a service does not start it, and
/// installing anything leaves no archive behind.
const HOOKS: [&str; 2] = [
    r#"printf '#!/bin/sh\nexit 101\n' > "$1/usr/sbin/policy-rc.d" && chmod 755 "$1/usr/sbin/policy-rc.d""#,
    r#"echo 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };' > "$1/etc/apt/apt.conf.d/docker-clean""#,
];

/// Merges `/usr` as the distribution's images do, by links rather than by a
/// package that would bring the whole of Perl.
const MERGED_USR: &str = "/usr/share/mmdebstrap/hooks/maybe-merged-usr";

const CHANGES: [&str; 2] = [
    "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    r#"CMD ["bash"]"#,
];

/// The suite that an image's name means: `debian:bookworm-slim`, `debian:12`,
/// `debian:12.5-slim` → `bookworm`. None for other images, and for dated ones,
/// which ask for exactly that day.
pub(super) fn suite(image: &str) -> Option<&str> {
    let image = image.strip_prefix("docker.io/").unwrap_or(image);
    let image = image.strip_prefix("library/").unwrap_or(image);
    let tag = match image.strip_prefix("debian")? {
        "" => "stable",
        tagged => tagged.strip_prefix(':')?,
    };
    let tag = tag.strip_suffix("-slim").unwrap_or(tag);
    match tag.split('.').next()? {
        "latest" => Some("stable"),
        "11" => Some("bullseye"),
        "12" => Some("bookworm"),
        "13" => Some("trixie"),
        _ => ["bullseye", "bookworm", "trixie", "stable", "testing", "sid"]
            .into_iter()
            .find(|suite| *suite == tag),
    }
}

/// The tag of the base that is made for a suite.
pub(super) fn tag(suite: &str) -> String {
    format!("proofyard/debian:{suite}")
}

/// Makes the base for `image` and imports it as [`tag`]; `reason` is why it was
/// not pulled.
pub(super) async fn make(
    docker: &Docker,
    image: &str,
    suite: &str,
    reason: &str,
    state: &Path,
    progress: &Progress<'_>,
) -> Result<(), ImageError> {
    let tell = |text: String| {
        progress(ImageProgress::MakingBase {
            image: image.to_owned(),
            text,
        });
    };
    let log = state.join("logs").join(format!("image-debian-{suite}.log"));
    let made = bootstrap(image, suite, reason, state, &log, &tell).await?;
    tell("importing it into the engine".into());
    let tar = made.path().join("base.tar");
    let tar = File::open(&tar).map_err(|source| ImageError::host("reading", &tar, source))?;
    let mut changes: Vec<String> = CHANGES.map(str::to_owned).into();
    changes.push(format!("LABEL {KIND}=base"));
    let options = CreateImageOptionsBuilder::new()
        .from_src("-")
        .repo("proofyard/debian")
        .tag(suite)
        .changes(changes)
        .build();
    let doing = || format!("importing the base {image}");
    let docker = docker.clone().with_timeout(IMPORT);
    let imported = async {
        let body = body_try_stream(chunks(tar));
        let mut answers = std::pin::pin!(docker.create_image(Some(options), Some(body), None));
        while let Some(answer) = answers.next().await {
            answer.map_err(|source| ImageError::engine(doing(), source))?;
        }
        Ok(())
    };
    let late = bollard::errors::Error::RequestTimeoutError;
    tokio::time::timeout(IMPORT, imported)
        .await
        .unwrap_or_else(|_| Err(ImageError::engine(doing(), late)))
}

/// Runs `mmdebstrap`; the folder that comes back holds `base.tar`.
async fn bootstrap(
    image: &str,
    suite: &str,
    reason: &str,
    state: &Path,
    log: &Path,
    tell: &(dyn Fn(String) + Send + Sync),
) -> Result<TempDir, ImageError> {
    let scratch = state.join("scratch");
    let folder = std::fs::create_dir_all(&scratch)
        .and_then(|()| tempfile::tempdir_in(&scratch))
        .map_err(|source| ImageError::host("writing to", &scratch, source))?;
    let child = match spawn(suite, &folder.path().join("base.tar"), log) {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ImageError::NoMmdebstrap {
                image: image.to_owned(),
                reason: reason.to_owned(),
            });
        }
        Err(source) => return Err(ImageError::host("starting mmdebstrap with", log, source)),
    };
    let cancel = CancellationToken::new();
    let cancelled = cancel.clone();
    // Whoever drops this future ends the program by it.
    let _guard = cancel.drop_guard();
    let mut waiting = tokio::task::spawn_blocking(move || (wait(child, &cancelled), folder));
    let mut pulse = tokio::time::interval(PULSE);
    let mut told = String::new();
    let (ended, folder) = loop {
        tokio::select! {
            ended = &mut waiting => {
                let failed = |error| ImageError::host("waiting for", log, std::io::Error::other(error));
                break ended.map_err(failed)?;
            }
            _ = pulse.tick() => {
                let now = last_lines(log, 1).pop().unwrap_or_default();
                if now != told {
                    tell(now.clone());
                    told = now;
                }
            }
        }
    };
    match ended {
        Ok(()) => Ok(folder),
        Err(message) => Err(ImageError::MakeBase {
            image: image.to_owned(),
            message,
            tail: last_lines(log, TAIL),
            log: log.to_owned(),
        }),
    }
}

fn spawn(suite: &str, out: &Path, log: &Path) -> std::io::Result<Child> {
    if let Some(folder) = log.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let said = File::create(log)?;
    let mut command = Command::new("mmdebstrap");
    command
        .args(["--variant=minbase", "--format=tar"])
        .arg("--aptopt=Acquire::Languages \"none\"")
        .args(EXCLUDED.map(|option| format!("--dpkgopt={option}")))
        .args(HOOKS.map(|hook| format!("--customize-hook={hook}")))
        .args(
            Path::new(MERGED_USR)
                .is_dir()
                .then(|| format!("--hook-dir={MERGED_USR}")),
        )
        .arg(suite)
        .arg(out)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(said.try_clone()?)
        .stderr(said)
        .process_group(0);
    command.spawn()
}

/// Waits for the program's end, its limit or our cancellation.
fn wait(mut child: Child, cancelled: &CancellationToken) -> Result<(), String> {
    let began = Instant::now();
    loop {
        match child.wait_timeout(PAUSE) {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("it ended with {status}")),
            Ok(None) if cancelled.is_cancelled() => {
                end(&mut child);
                return Err("cancelled".into());
            }
            Ok(None) if began.elapsed() > LIMIT => {
                end(&mut child);
                return Err(format!("it took longer than {} s", LIMIT.as_secs()));
            }
            Ok(None) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}

fn end(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().map(Pid::from_raw);
    let signal = |signal| group.map(|group| killpg(group, signal));
    signal(Signal::SIGTERM);
    if !matches!(child.wait_timeout(GRACE), Ok(Some(_))) {
        signal(Signal::SIGKILL);
        // Reaped, so that no zombie stays; it can only be gone already.
        let _ = child.wait();
    }
}

/// The last lines of a file, read from its end.
fn last_lines(path: &Path, most: usize) -> Vec<String> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(16 << 10)))?;
        let mut end = Vec::new();
        file.take(16 << 10).read_to_end(&mut end)?;
        Ok(end)
    };
    let mut tail = Tail::new(most);
    for line in String::from_utf8_lossy(&read().unwrap_or_default()).lines() {
        // A progress bar redraws its line.
        tail.push(&plain(line.rsplit('\r').next().unwrap_or(line)));
    }
    tail.into_lines()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_is_told_from_the_image_s_name() {
        for (image, meant) in [
            ("debian:bookworm-slim", Some("bookworm")),
            ("docker.io/library/debian:12.5-slim", Some("bookworm")),
            ("debian:13", Some("trixie")),
            ("debian", Some("stable")),
            ("debian:bookworm-20240701", None),
            ("debianx:12", None),
            ("some/debian:12", None),
            ("python:3.12", None),
        ] {
            assert_eq!(suite(image), meant, "{image}");
        }
    }
}
