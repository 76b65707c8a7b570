//! Why a row cannot become a task.

use std::path::PathBuf;

use crate::swebench::script::ScriptError;
use crate::swebench::specs::SpecError;
use crate::task::envs::EnvironmentsError;

/// Why an instance was not made a task.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    #[error(
        "`{instance}` has no eval script, and nothing says how its tests are run: no specification in `envs` is for {repo} {version}"
    )]
    NoCommands {
        instance: String,
        repo: String,
        version: String,
        /// What a table said, where there is one.
        table: Option<Box<SpecError>>,
    },
    #[error("`{instance}`: {source}")]
    Script {
        instance: String,
        source: ScriptError,
    },
    #[error("`{instance}`: the log parser of its row is {what}, which is not run")]
    Parser {
        instance: String,
        what: &'static str,
    },
    #[error("`{instance}` has no log parser: its row names none, and neither does a specification")]
    NoParser { instance: String },
    #[error(transparent)]
    Environments(#[from] EnvironmentsError),
    #[error("`{}` cannot be written", path.display())]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
}

impl InstanceError {
    /// What to do about it, a line each.
    pub fn advice(&self) -> Vec<String> {
        match self {
            Self::NoCommands { table, .. } => {
                let mut lines: Vec<String> = table.iter().map(ToString::to_string).collect();
                lines.push(
                    "try: an [[environment]] of your own in a folder that `swebench.envs` names (docs/environments.md)"
                        .to_owned(),
                );
                if table.is_none() {
                    lines.push(
                        "  or: proofyard import swebench-specs     what an installed swebench 4.1 says, as `swebench.specs`"
                            .to_owned(),
                    );
                }
                lines
            }
            _ => Vec::new(),
        }
    }
}
