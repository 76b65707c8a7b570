//! Files of rows that lie behind a URL, fetched once.
//!
//! A copy is kept in the state folder by its URL and the digest that is asked for: another
//! digest in the settings fetches anew. Must not know what rows are.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};

use super::Failure;
use crate::diagnose::{innermost, printable};
use crate::record::hex;

/// Below the state folder.
const FOLDER: &str = "datasets";
/// Most bytes of a file.
const MOST: u64 = 4 << 30;
/// Without a byte for so long the server is taken for gone.
const SILENT: Duration = Duration::from_secs(60);
/// How often progress is told.
const TOLD: Duration = Duration::from_secs(1);

/// The copy of what lies at `url`, fetched where there is none for this digest.
pub fn fetched(url: &str, digest: Option<&str>, state: &Path) -> Result<PathBuf, Failure> {
    let home = home(url, digest, state);
    if is_fetched(url, digest, state) {
        return Ok(home);
    }
    let failed = |message: String| Failure::Fetch {
        url: url.to_owned(),
        message,
    };
    let fetch = || -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        runtime.block_on(fetch(url, &home))
    };
    // Callers are inside a runtime, and wait for a file as for any other.
    let done = std::thread::scope(|scope| scope.spawn(fetch).join());
    match done {
        Ok(done) => done.map_err(failed)?,
        Err(_) => return Err(failed("the thread that fetched it ended".to_owned())),
    }
    Ok(home)
}

/// Whether there is a copy. What was fetched without a digest is only looked at once.
pub fn is_fetched(url: &str, digest: Option<&str>, state: &Path) -> bool {
    digest.is_some() && home(url, digest, state).is_file()
}

fn home(url: &str, digest: Option<&str>, state: &Path) -> PathBuf {
    let key = Sha256::digest(format!("{url} {}", digest.unwrap_or_default()));
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let name = path.rsplit('/').next().unwrap_or_default();
    let plain = |sign: &char| sign.is_ascii_alphanumeric() || "._-".contains(*sign);
    let name: String = name.chars().filter(plain).take(100).collect();
    // The ending is only a hint; what is in a file decides.
    let name = format!("rows-{name}");
    state.join(FOLDER).join(hex(&key[..12])).join(name)
}

/// Fetches into a temporary file beside `home`, which it becomes.
async fn fetch(url: &str, home: &Path) -> Result<(), String> {
    let of = |error: std::io::Error| format!("{}: {error}", home.display());
    let folder = home.parent().unwrap_or(home);
    std::fs::create_dir_all(folder).map_err(of)?;
    // What an interrupted attempt left.
    for entry in std::fs::read_dir(folder).map_err(of)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(".partial-") {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    let mut file = tempfile::Builder::new()
        .prefix(".partial-")
        .tempfile_in(folder)
        .map_err(of)?;
    // The only provider in the tree; a second installation is nothing to worry about.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .user_agent(concat!("proofyard/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(20))
        .read_timeout(SILENT)
        .build()
        .map_err(|error| innermost(&error))?;
    // A server may take its time before the first byte.
    eprintln!("fetching {}", printable(url));
    let answer = client.get(url).send().await;
    let answer = answer.map_err(|error| innermost(&error))?;
    if !answer.status().is_success() {
        return Err(format!("the server says {}", answer.status()));
    }
    let whole = answer.content_length();
    let too_large = || format!("it has more than {} GB", MOST >> 30);
    if whole.is_some_and(|whole| whole > MOST) {
        return Err(too_large());
    }
    let mut progress = Progress::new(url, whole);
    let mut body = answer.bytes_stream();
    let mut have = 0;
    while let Some(part) = body.next().await {
        let part = part.map_err(|error| innermost(&error))?;
        have += part.len() as u64;
        if have > MOST {
            return Err(too_large());
        }
        file.write_all(&part).map_err(of)?;
        progress.tell(have);
    }
    if let Some(whole) = whole.filter(|whole| *whole != have) {
        return Err(format!("it broke off after {have} of {whole} bytes"));
    }
    file.as_file().sync_all().map_err(of)?;
    file.persist(home).map_err(|error| of(error.error))?;
    Ok(())
}

/// What is told of a file that takes longer than a second.
struct Progress<'a> {
    url: &'a str,
    whole: Option<u64>,
    last: Instant,
}

impl<'a> Progress<'a> {
    fn new(url: &'a str, whole: Option<u64>) -> Self {
        Self {
            url,
            whole,
            last: Instant::now(),
        }
    }

    fn tell(&mut self, have: u64) {
        if self.last.elapsed() < TOLD {
            return;
        }
        self.last = Instant::now();
        let of = match self.whole {
            Some(whole) => format!(" of {:.1}", whole as f64 / 1e6),
            None => String::new(),
        };
        let have = have as f64 / 1e6;
        eprintln!("fetching {}: {have:.1}{of} MB", printable(self.url));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_of_one_url_and_one_digest() {
        let state = Path::new("/state");
        let of = |url, digest| home(url, digest, state);
        let first = of("https://host/a/test.parquet?x=1", Some("d1"));
        assert!(first.starts_with("/state/datasets"));
        assert!(first.ends_with("rows-test.parquet"), "{first:?}");
        assert_ne!(first, of("https://host/a/test.parquet?x=1", Some("d2")));
        assert_ne!(first, of("https://host/b/test.parquet?x=1", Some("d1")));
        assert!(of("https://host/..", None).ends_with("rows-.."));
    }
}
