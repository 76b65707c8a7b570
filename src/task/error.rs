//! What can be wrong with a task, and how it is told.

use std::io;
use std::path::{Path, PathBuf};

use crate::diagnose::{Problem, render_error};

/// Why a task, or a folder of tasks, was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    #[error("there is no `{}`", path.display())]
    NotFound { path: PathBuf },
    #[error("`{}` is not a folder; a task is a folder with a task.toml", path.display())]
    NotAFolder { path: PathBuf },
    #[error("`{}` is not a task: it has no task.toml", path.display())]
    NoTaskToml { path: PathBuf },
    #[error("there is no task below `{}`", path.display())]
    NoTasks { path: PathBuf },
    #[error("`{}` has no instruction.md, which is what the agent is told", path.display())]
    NoInstruction { path: PathBuf },
    #[error("`{}` says nothing", path.display())]
    EmptyInstruction { path: PathBuf },
    #[error("`{}` is not UTF-8: byte {offset} (0x{byte:02x}), in line {line}", path.display())]
    NotUtf8 {
        path: PathBuf,
        /// From 0.
        offset: usize,
        byte: u8,
        /// From 1.
        line: usize,
    },
    #[error("`{}` cannot be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` is larger than {limit} bytes", path.display())]
    FileTooLarge { path: PathBuf, limit: u64 },
    #[error("`{}` has more than {limit} files", path.display())]
    TooManyFiles { path: PathBuf, limit: usize },
    #[error("the files of `{}` are larger than {limit} bytes together", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
    #[error("the link `{}` leads in a circle, to `{}`", link.display(), target.display())]
    LinkCycle { link: PathBuf, target: PathBuf },
    #[error("the link `{}` leaves its task, to `{}`", link.display(), target.display())]
    LinkLeaves { link: PathBuf, target: PathBuf },
    #[error("`{}` is neither a file nor a folder nor a link", path.display())]
    SpecialFile { path: PathBuf },
    /// Everything wrong with a `task.toml`; never empty.
    #[error("{}", Problem::first_of(problems))]
    Invalid { problems: Vec<Problem> },
    #[error("two tasks are called `{name}`: `{first}` and `{second}`")]
    SameName {
        name: String,
        first: String,
        second: String,
    },
    #[error("`{pattern}` is not a filter")]
    Filter {
        pattern: String,
        source: globset::Error,
    },
    #[error("`{}` is there already, and not empty", path.display())]
    Exists { path: PathBuf },
    #[error("`{}` lies in `{}`, which is read and never written to", path.display(), src.display())]
    InSource { path: PathBuf, src: PathBuf },
    #[error("`{}` is a task of the format {format}", path.display())]
    OtherFormat { path: PathBuf, format: &'static str },
    #[error("`{}` cannot be written", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("`{name}` cannot be a task's folder: a name is letters, digits, `.`, `_` and `-`")]
    FolderName { name: String },
}

impl TaskError {
    /// The error as a block of lines for a terminal; ends with a newline.
    pub fn render(&self, colour: bool) -> String {
        match self {
            Self::Invalid { problems } => Problem::render_all(problems, colour),
            other => render_error(other, &other.advice(), colour),
        }
    }

    /// What to do about it, a line each.
    fn advice(&self) -> Vec<String> {
        match self {
            Self::NoTaskToml { path } => vec![how_to_begin(&path.with_file_name("new-task"))],
            Self::NoTasks { path } => vec![how_to_begin(&path.join("new-task"))],
            Self::SameName { .. } => {
                vec!["a task is called by `name` in [task], else like its folder".to_string()]
            }
            Self::LinkCycle { .. } | Self::LinkLeaves { .. } => {
                vec!["a task is read as data: links stay inside its folder, and end".to_string()]
            }
            _ => Vec::new(),
        }
    }
}

fn how_to_begin(path: &Path) -> String {
    let path = path.display();
    format!("try: proofyard new {path}     a small task that works, to start from")
}
