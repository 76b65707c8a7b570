//! `solution.yaml`: what is typed into a terminal, in order.

use std::path::Path;
use std::time::Duration;

use super::source::{Least, Source};
use crate::diagnose::yaml::{self, Node};
use crate::diagnose::{Problem, nearest};
use crate::task::TaskError;
use crate::task::compose;

const KEYS: [&str; 5] = [
    "append_enter",
    "block",
    "command",
    "max_timeout_sec",
    "min_timeout_sec",
];
/// Most commands of a solution.
const MOST: usize = 10_000;
const LONGEST: Duration = Duration::from_secs(180);

/// Something that is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Typed sign by sign; a name of a key (`C-c`, `Escape`) is that key.
    pub command: String,
    /// Whether it is waited for, `most` at most.
    pub block: bool,
    /// How long is waited after what is not.
    pub least: Duration,
    pub most: Duration,
    /// Whether the Enter key follows.
    pub enter: bool,
}

impl Command {
    /// Whether it is a line whose end is waited for.
    pub fn ends(&self) -> bool {
        self.block && self.enter
    }
}

/// The commands of a `solution.yaml`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn commands(path: &Path) -> Result<Vec<Command>, TaskError> {
    let read = read(path, path).map(|(commands, _)| commands);
    read.map_err(|problems| TaskError::Invalid { problems })
}

/// The commands, and what deserves a warning; `shown`: what the user calls the file.
pub fn read(path: &Path, shown: &Path) -> Result<(Vec<Command>, Vec<String>), Vec<Problem>> {
    let text = compose::load(path, shown).map_err(|problem| vec![*problem])?;
    let root = yaml::parse(&text).map_err(|problem| vec![*problem])?;
    let mut source = Source::new(&text);
    let items = source.list(&root, "a solution.yaml").unwrap_or_default();
    if items.len() > MOST {
        source.wrong(&root, format!("there are more than {MOST} commands"), "");
    }
    let read = |item| command(item, &mut source);
    let commands: Vec<Command> = items.iter().take(MOST).filter_map(read).collect();
    match source.problems.is_empty() {
        true => Ok((commands, source.warnings)),
        false => Err(source.problems),
    }
}

fn command(item: &Node, source: &mut Source<'_>) -> Option<Command> {
    let entries = source.map(item, "a command")?;
    let mut typed = None;
    let mut command = Command {
        command: String::new(),
        block: false,
        least: Duration::ZERO,
        most: LONGEST,
        enter: true,
    };
    for entry in entries {
        let (key, node) = (entry.key.as_str(), &entry.node);
        match key {
            "command" => typed = Some(source.word(node, key)?),
            "block" => command.block = source.truth(node, key)?,
            "append_enter" => command.enter = source.truth(node, key)?,
            "min_timeout_sec" => command.least = source.seconds(node, key, Least::Nought)?,
            "max_timeout_sec" => command.most = source.seconds(node, key, Least::Nought)?,
            _ => source.unknown(entry, &KEYS),
        }
    }
    let Some(typed) = typed else {
        let meant = entries
            .iter()
            .find(|entry| nearest(&entry.key, KEYS) == Some("command"));
        let label = meant.map_or("it is what is typed".to_owned(), |entry| {
            format!("did you mean it by `{}`?", entry.key)
        });
        source.wrong(item, "this has no `command`", label);
        return None;
    };
    command.command = typed;
    Some(command)
}
