//! What the test command is given: directives out of a test patch.
//!
//! Owns the ways to name tests. Must not know the rest of a script.

use std::sync::LazyLock;

use regex::Regex;

use super::ScriptError;
use super::diff;
use crate::swebench::specs::{Commands, Directives};

/// Endings of files that are no tests; the third has no dot officially either.
const NO_TESTS: [&str; 11] = [
    ".json", ".png", "csv", ".txt", ".md", ".jpg", ".jpeg", ".pkl", ".yml", ".yaml", ".toml",
];

/// Versions of Node whose jest is configured by a script.
const JEST_JS: [&str; 6] = [
    "10.10.0", "10.12.0", "10.13.0", "10.14.0", "10.15.2", "10.16.3",
];
/// Versions of Node whose jest is configured by JSON.
const JEST_JSON: [&str; 10] = [
    "6.11.5", "8.9.1", "8.9.3", "8.9.4", "8.11.0", "8.11.2", "10.4.1", "10.5.0", "10.6.0", "10.9.0",
];

static HEADERS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"diff --git a/.* b/(.*)").expect("a constant expression"));
static SNAPSHOT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"__snapshots__/(.*).js.snap\n?$").expect("a constant expression"));

/// What the patch's files are called for the command.
///
/// A `diff --git` is found anywhere in the patch, in a line that it adds as well.
pub(super) fn directives(directives: &Directives, patch: &str) -> Vec<String> {
    let paths = || {
        HEADERS
            .captures_iter(patch)
            .filter_map(|names| names.get(1).map(|path| path.as_str()))
            .filter(|path| !NO_TESTS.iter().any(|ending| path.ends_with(ending)))
    };
    match directives {
        Directives::None | Directives::Calypso { .. } => Vec::new(),
        Directives::Fixed(names) => names.clone(),
        Directives::Paths => paths().map(str::to_owned).collect(),
        Directives::Modules => paths().map(module).collect(),
    }
}

fn module(path: &str) -> String {
    let path = path.strip_suffix(".py").unwrap_or(path);
    let path = path.strip_prefix("tests/").unwrap_or(path);
    path.replace('/', ".")
}

/// The lines between the markers.
pub(super) fn test_commands(commands: &Commands, patch: &str) -> Result<Vec<String>, ScriptError> {
    if let Directives::Calypso { node } = &commands.directives {
        let files = diff::files(patch)?;
        return Ok(files
            .iter()
            .flat_map(|file| calypso(&file.path(), node))
            .collect());
    }
    let (last, first) = commands.test.split_last().ok_or(ScriptError::NoTest)?;
    let mut words = vec![last.clone()];
    words.extend(directives(&commands.directives, patch));
    let mut lines = first.to_vec();
    lines.push(words.join(" "));
    Ok(lines)
}

fn calypso(path: &str, node: &str) -> Vec<String> {
    // Snapshots are not run; the folder above theirs is.
    let folder = match SNAPSHOT.is_match(path) {
        true => path.rsplitn(3, '/').nth(2).unwrap_or_default(),
        false => path,
    };
    let package = folder.split('/').next().unwrap_or_default();
    let jest = |ending: &str| {
        format!(
            "./node_modules/.bin/jest --verbose -c=test/{package}/jest.config.{ending} '{folder}'"
        )
    };
    if folder.starts_with("client") || folder.starts_with("packages") {
        vec![if JEST_JS.contains(&node) {
            jest("js")
        } else if JEST_JSON.contains(&node) {
            jest("json")
        } else {
            format!("npm run test-{package} --verbose '{folder}'")
        }]
    } else if folder.starts_with("test/e2e") {
        vec![
            "cd test/e2e".to_owned(),
            format!("NODE_CONFIG_ENV=test npm run test {folder}"),
            "cd ../..".to_owned(),
        ]
    } else {
        Vec::new()
    }
}
