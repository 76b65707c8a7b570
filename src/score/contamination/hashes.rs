//! Commits named by hashes that nobody told the agent.

use std::collections::HashSet;

use super::{Call, Grounds};
use crate::score::shell::Started;

/// Commands of git that show a commit, or take something from it.
const COMMANDS: [&str; 22] = [
    "archive",
    "blame",
    "branch",
    "bundle",
    "cat-file",
    "checkout",
    "cherry-pick",
    "diff",
    "fetch",
    "format-patch",
    "log",
    "ls-tree",
    "merge",
    "pull",
    "read-tree",
    "reset",
    "restore",
    "rev-list",
    "show",
    "switch",
    "tag",
    "worktree",
];
/// Options of git itself that take a word.
const WITH_WORD: [&str; 4] = ["-C", "-c", "--git-dir", "--work-tree"];
/// Digits of a short hash that are enough for git.
const SHORT: usize = 7;

/// The step and a sentence of each.
pub fn commits(
    calls: &[Call<'_>],
    grounds: &Grounds<'_>,
    has: &(dyn Fn(&str) -> bool + Send + Sync),
) -> Vec<(u64, String)> {
    // Words of all that the agent was told so far. Its own commits are among them: git
    // prints what it makes, and nobody knows a hash beforehand.
    let mut told: HashSet<String> = HashSet::new();
    told.extend(hexes(grounds.instruction));
    let (mut found, mut brought) = (Vec::new(), false);
    for call in calls {
        let git = || call.started.iter().filter(|one| one.program() == "git");
        // Another repository has its own commits.
        let brings = |one: &Started| matches!(command(one), Some(("clone" | "submodule", _)));
        brought |= grounds.network && git().any(brings);
        for (name, words) in git().filter_map(command).filter(|_| !brought) {
            if !COMMANDS.contains(&name) {
                continue;
            }
            let revisions = words.iter().take_while(|word| *word != "--");
            for hash in revisions.flat_map(|word| hashes(word)) {
                let known = told.iter().any(|seen| alike(seen, &hash)) || has(&hash);
                if !known {
                    let what = "the checkout has no such object, and no output named it";
                    found.push((call.made.seq, format!("`git {name}` of `{hash}`: {what}")));
                }
            }
        }
        told.extend(hexes(call.output()));
    }
    found
}

/// A command of git's with its words.
fn command(git: &Started) -> Option<(&str, &[String])> {
    let words = git.arguments();
    let mut at = 0;
    while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
        at += if WITH_WORD.contains(&word.as_str()) {
            2
        } else {
            1
        };
    }
    Some((words.get(at)?, &words[at + 1..]))
}

/// Hashes in a word that names revisions: `a1b2c3d~2`, `a1b2c3d..e4f5a6b`, `a1b2c3d:x`.
fn hashes(word: &str) -> Vec<String> {
    let value = match word.starts_with('-') {
        true => word.split_once('=').map_or("", |(_, value)| value),
        false => word,
    };
    let revisions = value.replace("..", "\n");
    revisions
        .split('\n')
        .filter_map(|revision| {
            let revision = revision.trim_matches('.').trim_start_matches('^');
            let hash = revision.split(['~', '^', ':', '@']).next()?;
            is_hash(hash).then(|| hash.to_lowercase())
        })
        .collect()
}

/// Whether a word can hardly be anything else; `1000000` and `defaced` can.
fn is_hash(word: &str) -> bool {
    let hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mixed = word.bytes().any(|byte| byte.is_ascii_digit())
        && word.bytes().any(|byte| byte.is_ascii_alphabetic());
    hex && (word.len() == 40 || mixed && (SHORT..40).contains(&word.len()))
}

fn alike(a: &str, b: &str) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

/// All runs of hexadecimal digits in a text that are long enough.
fn hexes(text: &str) -> impl Iterator<Item = String> {
    text.split(|sign: char| !sign.is_ascii_hexdigit())
        .filter(|run| run.len() >= SHORT)
        .map(str::to_lowercase)
}
