//! What has to be right about a row, beyond the types of its fields.

use super::fields::Wrong;
use super::{Row, patch};

/// Longest id of an instance; images and folders are called after it.
const LONGEST_ID: usize = 200;
/// Most bytes of a name of a repo, an image, a version.
const LONGEST_NAME: usize = 512;

/// Adds what is wrong with a row whose fields have the right types. What is missing is
/// told by the reader of fields.
pub fn row(row: &Row, wrong: &mut Vec<Wrong>) {
    let mut tell = |field: &str, what: String, advice: &str| {
        wrong.push(Wrong::new(field, what, advice));
    };
    if !row.instance_id.is_empty() && !is_plain(&row.instance_id) {
        let what = format!("cannot be `{}`", shortened(&row.instance_id));
        tell(
            "instance_id",
            what,
            "letters, digits, `.`, `_` and `-`, at most 200, beginning with a letter or digit",
        );
    }
    if !row.repo.is_empty() && !is_repo(&row.repo) {
        let what = format!("cannot be `{}`", shortened(&row.repo));
        tell("repo", what, "it is written owner/name");
    }
    let commits = [
        ("base_commit", &row.base_commit),
        ("environment_setup_commit", &row.environment_setup_commit),
    ];
    for (field, commit) in commits {
        if let Some(commit) = commit.as_deref().filter(|commit| !is_commit(commit)) {
            let what = format!("cannot be `{}`", shortened(commit));
            tell(field, what, "a commit is 40 hexadecimal digits");
        }
    }
    for (field, text) in [("patch", &row.patch), ("test_patch", &row.test_patch)] {
        if !text.trim().is_empty() && !patch::look(text).is_patch {
            let first = text.trim_start().lines().next().unwrap_or_default();
            let what = format!("is not a patch; it begins with `{}`", shortened(first));
            tell(field, what, "a patch as git writes it, or nothing");
        }
    }
    if let Some(kind) = &row.eval_type
        && !["pass_and_fail", "fail_only"].contains(&kind.as_str())
    {
        let what = format!("cannot be `{}`", shortened(kind));
        tell("eval_type", what, "it is pass_and_fail or fail_only");
    }
    if let Some(image) = row.image.as_deref().filter(|image| !is_image(image)) {
        let what = format!("cannot be `{}`", shortened(image));
        tell(
            "image",
            what,
            "the name of an image, such as owner/name:tag",
        );
    }
    if let Some(version) = row.version.as_deref().filter(|version| !is_word(version)) {
        let what = format!("cannot be `{}`", shortened(version));
        tell("version", what, "a short text in one line");
    }
    for assets in row.image_assets.values() {
        let paths = assets.iter().filter_map(|asset| asset.path.as_deref());
        for path in paths.filter(|path| !is_below(path)) {
            let what = format!("has the path `{}`", shortened(path));
            tell("image_assets", what, "paths are relative, without `..`");
        }
    }
}

/// Whether an instance, so a file, may be called this.
pub fn is_plain(id: &str) -> bool {
    id.len() <= LONGEST_ID
        && id.starts_with(|sign: char| sign.is_ascii_alphanumeric())
        && id.bytes().all(is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

/// One to three plain words with `/` between.
fn is_repo(repo: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && !word.starts_with(['.', '-']) && word.bytes().all(is_name_byte)
    };
    repo.len() <= LONGEST_NAME && repo.split('/').count() <= 3 && repo.split('/').all(word)
}

/// Whether a text is the whole name of a commit, in either case.
pub fn is_commit(commit: &str) -> bool {
    commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_image(image: &str) -> bool {
    let allowed = |byte: u8| is_name_byte(byte) || b"/:@+".contains(&byte);
    image.len() <= LONGEST_NAME
        && image.starts_with(|sign: char| sign.is_ascii_alphanumeric())
        && image.bytes().all(allowed)
}

fn is_word(text: &str) -> bool {
    text.len() <= LONGEST_NAME && !text.chars().any(char::is_control)
}

/// Whether a path stays below where it begins.
fn is_below(path: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part != "." && part != "..";
    path.len() <= 4096 && !path.chars().any(char::is_control) && path.split('/').all(part)
}

/// A word of the file, short enough for a message.
pub fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line.to_owned(),
    }
}
