//! Two images, compared file by file.
//!
//! Owns what counts as a difference: content, kind, mode and owner, never times; and
//! which places change with every build and mean nothing.

use std::collections::BTreeMap;
use std::io::Read;

use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder};
use futures_util::StreamExt;
use sha2::{Digest as _, Sha256};
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::engine::Engine;
use super::refusal::refused;
use crate::sandbox::SandboxError;

const DOING: &str = "compare two images";
/// Logs, caches and lists that every build writes anew.
const PASSING: [&str; 9] = [
    "var/log/",
    "var/cache/",
    "var/lib/apt/",
    "var/lib/dpkg/",
    "tmp/",
    "run/",
    "root/.cache/",
    "root/.npm/",
    "dev/",
];
/// What the engine lays into every container.
const ENGINES: [&str; 4] = [".dockerenv", "etc/hostname", "etc/hosts", "etc/resolv.conf"];

/// An entry of an image, as far as it is compared.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    kind: u8,
    mode: u32,
    owner: (u64, u64),
    link: Option<Vec<u8>>,
    size: u64,
    content: [u8; 32],
}

impl Engine {
    /// The paths in which two images differ, sorted, each with what differs.
    ///
    /// # Errors
    /// An engine that fails, or an image that cannot be read.
    pub async fn compare(
        &self,
        one: &str,
        other: &str,
    ) -> Result<Vec<(String, String)>, SandboxError> {
        let (one, other) = (self.entries(one).await?, self.entries(other).await?);
        let mut found = Vec::new();
        for (path, entry) in &one {
            match other.get(path) {
                None => found.push((path.clone(), "only in the first".to_owned())),
                Some(second) if second != entry => found.push((path.clone(), what(entry, second))),
                Some(_) => {}
            }
        }
        let new = other.keys().filter(|path| !one.contains_key(*path));
        found.extend(new.map(|path| (path.clone(), "only in the second".to_owned())));
        found.sort();
        Ok(found)
    }

    /// All entries of an image, through a container that is never started.
    async fn entries(&self, image: &str) -> Result<BTreeMap<String, Entry>, SandboxError> {
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            entrypoint: Some(vec!["none".to_owned()]),
            labels: Some(self.owner.labels("", "")),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::default().build();
        let made = self.docker.create_container(Some(options), body).await;
        let id = made.map_err(|error| refused(DOING, &error))?.id;
        let pieces = self.docker.export_container(&id);
        let pieces = pieces.map(|piece| piece.map_err(std::io::Error::other));
        let stream = SyncIoBridge::new(StreamReader::new(Box::pin(pieces)));
        let reading = tokio::task::spawn_blocking(move || read(stream));
        let entries = reading.await;
        let options = RemoveContainerOptionsBuilder::default().force(true).build();
        let removed = self.docker.remove_container(&id, Some(options)).await;
        let host = |source| SandboxError::Host {
            doing: DOING.to_owned(),
            source,
        };
        let entries = entries.map_err(|error| host(std::io::Error::other(error)))?;
        removed.map_err(|error| refused(DOING, &error))?;
        entries.map_err(host)
    }
}

fn what(one: &Entry, other: &Entry) -> String {
    let parts = [
        ("kind", one.kind != other.kind),
        ("mode", one.mode != other.mode),
        ("owner", one.owner != other.owner),
        ("target", one.link != other.link),
        ("content", one.content != other.content),
    ];
    let named = parts.iter().filter(|(_, differs)| *differs);
    let named: Vec<&str> = named.map(|(name, _)| *name).collect();
    named.join(", ")
}

fn read(stream: impl Read) -> std::io::Result<BTreeMap<String, Entry>> {
    let mut entries = BTreeMap::new();
    for entry in tar::Archive::new(stream).entries()? {
        let mut entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if is_passing(&path) {
            continue;
        }
        let header = entry.header().clone();
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match entry.read(&mut buffer)? {
                0 => break,
                count => hash.update(&buffer[..count]),
            }
        }
        let found = Entry {
            kind: header.entry_type().as_byte(),
            mode: header.mode()?,
            owner: (header.uid()?, header.gid()?),
            link: entry.link_name_bytes().map(|link| link.into_owned()),
            size: header.size()?,
            content: hash.finalize().into(),
        };
        entries.insert(path, found);
    }
    Ok(entries)
}

/// Whether a path changes with every build, and nothing is meant by it.
fn is_passing(path: &str) -> bool {
    let path = path.trim_start_matches("./");
    PASSING.iter().any(|passing| path.starts_with(passing))
        || ENGINES.contains(&path)
        || path.contains("__pycache__")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_build_writes_anew_is_no_difference() {
        assert!(is_passing("var/log/apt/history.log"));
        assert!(is_passing("usr/lib/python3/x/__pycache__/a.pyc"));
        assert!(is_passing("etc/hosts"));
        assert!(!is_passing("etc/hosts.allow"));
        assert!(!is_passing("app/built"));
    }
}
