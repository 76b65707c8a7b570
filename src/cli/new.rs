//! `proofyard new`: a task to start from.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Exit;
use super::failure::{Failure, to_stdout};
use crate::diagnose::printable;
use crate::task::{Kind, scaffold};

const EXAMPLES: &str = "\
Examples:
  proofyard new tasks/terminal/count-clients
  proofyard new tasks/repo/small-words --repo";

/// Begin a new task.
///
/// Writes a small task that works: its reference solution passes, doing nothing
/// fails. Change it from there; docs/tasks.md has every key.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct NewArgs {
    /// The folder of the task; it must not be there yet, or be empty
    #[arg(value_name = "TASK")]
    pub task: PathBuf,

    /// A task on a repository, verified by its patch, rather than on files
    #[arg(long)]
    pub repo: bool,
}

/// Writes the task and says what to do next.
pub fn run(args: &NewArgs) -> Result<Exit, Failure> {
    let kind = if args.repo {
        Kind::Repo
    } else {
        Kind::Terminal
    };
    let files = scaffold(&args.task, kind)?;
    to_stdout(&told(&args.task, &files))
}

fn told(dir: &Path, files: &[PathBuf]) -> String {
    let dir = dir.display();
    let mut out = format!("{dir}\n");
    for file in files {
        out.push_str(&format!("  {}\n", file.display()));
    }
    out.push_str(&format!("\n  proofyard run {dir} -a oracle -a nop     does the solution pass, and doing nothing fail?\n"));
    printable(&out)
}
