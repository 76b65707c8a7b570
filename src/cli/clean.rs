//! `proofyard clean`: what dead runs left.

use std::io::Write;

use super::{Exit, Failure, settings, to_stdout};
use crate::sandbox::docker::{clean, connect};

/// Takes it away and says how much there was.
pub async fn run() -> Result<Exit, Failure> {
    let settings = settings(None)?;
    let docker = connect(settings.engine.host.as_deref()).await;
    if let Err(error) = &docker {
        let _ = writeln!(
            std::io::stderr(),
            "warning: {error}\n  only what lies on this host is removed"
        );
    }
    let cleaned = clean(docker.as_ref().ok(), &settings.host.state).await;
    for failed in &cleaned.failed {
        let _ = writeln!(std::io::stderr(), "error: {failed}");
    }
    to_stdout(&format!(
        "removed {} containers, {} networks, {} volumes and {} mounts of {} dead owners\n",
        cleaned.containers, cleaned.networks, cleaned.volumes, cleaned.mounts, cleaned.owners
    ))?;
    Ok(if cleaned.failed.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    })
}
