//! Names of runs: made to be read aloud, safe as file names.

use std::path::Path;

use rand::seq::IndexedRandom;

use super::PlanError;
use crate::record::RunId;

/// The most bytes that the name of a run may have.
const LONGEST: usize = 100;

const FIRST: [&str; 48] = [
    "amber", "brisk", "calm", "candid", "careful", "clear", "cobalt", "copper", "curious", "deft",
    "eager", "early", "even", "fair", "fluent", "frank", "gentle", "glad", "hazel", "honest",
    "humble", "ivory", "keen", "kind", "level", "light", "lively", "lucid", "mellow", "merry",
    "mild", "modest", "nimble", "patient", "plain", "polite", "proud", "quick", "quiet", "ready",
    "silver", "simple", "sober", "steady", "subtle", "swift", "warm", "wise",
];

const SECOND: [&str; 48] = [
    "alder", "aspen", "badger", "beaver", "birch", "bittern", "cedar", "cricket", "curlew",
    "dipper", "dunlin", "egret", "elder", "falcon", "ferret", "finch", "gannet", "hare", "hazel",
    "heron", "hornbeam", "ibis", "juniper", "kestrel", "lapwing", "larch", "linnet", "lynx",
    "magpie", "maple", "marten", "minnow", "newt", "osprey", "otter", "petrel", "plover", "quail",
    "raven", "rowan", "sparrow", "spruce", "stoat", "swift", "thrush", "tern", "willow", "wren",
];

/// A name that no run below `out` has: today's date (UTC) and two words.
pub fn fresh_run_id(out: &Path) -> RunId {
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let mut random = rand::rng();
    let mut number = 0u32;
    loop {
        let words = [FIRST.choose(&mut random), SECOND.choose(&mut random)];
        let mut name = today.clone();
        for word in words.into_iter().flatten() {
            name.push('-');
            name.push_str(word);
        }
        // Once many names of a day are taken a number makes the rest.
        if number >= 16 {
            name.push_str(&format!("-{number}"));
        }
        if !out.join(&name).exists() {
            return RunId::new(name);
        }
        number += 1;
    }
}

/// A name that the user chose for a run.
///
/// # Errors
/// [`PlanError::RunName`] where it is not safe as a file name.
pub fn run_id(text: &str) -> Result<RunId, PlanError> {
    let refuse = |why| PlanError::RunName {
        name: text.to_owned(),
        why,
    };
    if text.is_empty() {
        return Err(refuse("it is empty"));
    }
    if text.len() > LONGEST {
        return Err(refuse("it is longer than 100 bytes"));
    }
    if text.starts_with(['.', '-']) {
        return Err(refuse("it begins with `.` or `-`"));
    }
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !text.chars().all(safe) {
        return Err(refuse("only letters, digits, `.`, `_` and `-` are allowed"));
    }
    Ok(RunId::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_name_is_a_date_and_two_words_and_safe() {
        let out = tempfile::tempdir().unwrap();
        let name = fresh_run_id(out.path());
        assert_eq!(name.as_str().split('-').count(), 5, "{name}");
        assert_eq!(run_id(name.as_str()).unwrap(), name);
    }

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        for name in ["", ".", "..", "../x", "a/b", "-rf", ".hidden", "ä", "a b"] {
            assert!(run_id(name).is_err(), "{name}");
        }
        assert!(run_id(&"x".repeat(101)).is_err());
        assert!(run_id("nightly_2.1-a").is_ok());
    }
}
