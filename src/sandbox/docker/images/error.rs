//! What can go wrong between a recipe and an image.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why there is no image. Cheap to clone: whoever waited for the same build
/// gets the same answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ImageError {
    /// Something of this host could not be done.
    #[error("{doing} {}: {source}", path.display())]
    Host {
        doing: &'static str,
        path: PathBuf,
        source: Arc<std::io::Error>,
    },
    /// A folder that cannot be a recipe's context.
    #[error("the context {}: {message}", dir.display())]
    Context { dir: PathBuf, message: String },
    /// A Dockerfile that cannot be built, with the line that says so.
    #[error("{}:{line}: {message}", file.display())]
    Dockerfile {
        file: PathBuf,
        line: usize,
        message: String,
    },
    /// The engine refused or failed.
    #[error("{doing}: {source}")]
    Engine {
        doing: String,
        source: Arc<bollard::errors::Error>,
    },
    /// The build ran and failed.
    #[error(transparent)]
    Build(#[from] Arc<BuildFailure>),
    /// The build did not end in time and was ended.
    #[error("building the image {name} took longer than {seconds} s and was ended; its log: {}", log.display())]
    Timeout {
        name: String,
        seconds: u64,
        log: PathBuf,
    },
    /// Another process holds the lock of the same recipe for too long.
    #[error("waited {seconds} s for another process that builds the image {name}")]
    Waited { name: String, seconds: u64 },
    /// An image that is not local and may not be pulled.
    #[error("the image {image} is not local, and `images.pull` is off")]
    NotLocal { image: String },
    /// An image that the registry did not give.
    #[error("pulling the image {image} failed {attempts} times: {message}")]
    Pull {
        image: String,
        attempts: u32,
        message: String,
    },
    /// A Debian base that is neither local nor pulled, with nothing to make it.
    #[error(
        "the base {image} is neither local nor to be pulled ({reason}), and mmdebstrap, which makes the same one, is not installed\n  try: apt-get install mmdebstrap     as root; or load {image} into the engine"
    )]
    NoMmdebstrap { image: String, reason: String },
    /// `mmdebstrap` failed.
    #[error("making the base {image} with mmdebstrap: {message}\n{}  whole log: {}", Indented(tail), log.display())]
    MakeBase {
        image: String,
        message: String,
        tail: Vec<String>,
        log: PathBuf,
    },
}

/// A failed build: where, and the end of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildFailure {
    pub name: String,
    /// What the engine said.
    pub message: String,
    pub dockerfile: PathBuf,
    /// Line and first line of text of the failing instruction, where it can be told.
    pub at: Option<(usize, String)>,
    /// The last lines of the log, escapes stripped.
    pub tail: Vec<String>,
    /// The whole log.
    pub log: PathBuf,
}

impl std::error::Error for BuildFailure {}

impl fmt::Display for BuildFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the image {} did not build: {}", self.name, self.message)?;
        match &self.at {
            Some((line, text)) => {
                let margin = " ".repeat(line.to_string().len());
                writeln!(f, "{margin} ┌─ {}:{line}", self.dockerfile.display())?;
                writeln!(f, "{line} │ {text}")?;
            }
            None => writeln!(f, "  ┌─ {}", self.dockerfile.display())?,
        }
        if !self.tail.is_empty() {
            writeln!(f, "  the last lines of its log:")?;
        }
        write!(
            f,
            "{}  whole log: {}",
            Indented(&self.tail),
            self.log.display()
        )
    }
}

/// Lines, each indented and ended.
struct Indented<'a>(&'a [String]);

impl fmt::Display for Indented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "    {line}"))
    }
}

impl ImageError {
    /// Whether another attempt would meet the same: what is missing or written wrong stays so.
    pub fn lasts(&self) -> bool {
        matches!(
            self,
            Self::Context { .. }
                | Self::Dockerfile { .. }
                | Self::NotLocal { .. }
                | Self::NoMmdebstrap { .. }
        )
    }

    pub(super) fn host(doing: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Host {
            doing,
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }

    pub(super) fn engine(doing: impl Into<String>, source: bollard::errors::Error) -> Self {
        Self::Engine {
            doing: doing.into(),
            source: Arc::new(source),
        }
    }
}
