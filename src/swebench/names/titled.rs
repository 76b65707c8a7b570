//! Official names of tests in other languages, which are titles for the most part.
//!
//! Owns what these parsers make of titles, classes and files. Must not know Python.

use std::sync::LazyLock;

use regex::Regex;

use super::{Record, is_blank};

macro_rules! pattern {
    ($name:ident, $pattern:expr) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($pattern).expect("a constant expression"));
    };
}
// What a parser takes for a duration, at the end of a name.
pattern!(IN_BRACKETS, r"^(.+?)(?:\s\(\d+\s*m?s\))?$");
pattern!(BARE, r"^(.+?)(?:\s(?:\d+\s*m?s?|\[skipped\]))?$");
pattern!(OF_FILE, r"\s\([\d.]+\s?m?s\)$");

pub(super) fn names(parser: &str, record: &Record<'_>) -> Option<Vec<String>> {
    let titles = record.titles();
    let by = |separator: &str| line(&titles.join(separator));
    let leaf = line(record.leaf());
    Some(match parser {
        "gotest" => vec![behind_colons(record.id, 1).to_owned()],
        "cargo" => cargo(record.id),
        "jest" => jest(&leaf),
        "jest_json" => vec![by(" > ")],
        "immutable_js" => [jest(&leaf), vec![by(" > ")]].concat(),
        "vitest" => vitest(record, &by(" > ")),
        "karma" => karma(&titles),
        "tap" => vec![by(" "), line(&by(" ").replace('#', "")), by(" > ")],
        "calypso" => vec![by(" - ")],
        "next" => next(&titles),
        "lighthouse" => [vec![by(" - "), by(" ")], files(record)].concat(),
        "react_pdf" | "carbon" | "grommet" => files(record),
        "highlightjs" => vec![last_two(&titles, "."), by(".")],
        "p5js" => vec![
            titles
                .iter()
                .map(|title| line(title))
                .collect::<Vec<_>>()
                .join(":"),
        ],
        "prismjs" | "marked" => vec![by(" ")],
        // These end where a status begins, with a blank, or where an error does.
        "chart_js" | "bpmn_js" | "openlayers" | "eslint" => {
            let title = by(" ");
            let blank = format!("{title} ");
            let colon = format!("{title}:");
            vec![title, blank, colon]
        }
        "redis" => [cut(&IN_BRACKETS, record.id), cut(&IN_BRACKETS, &leaf)].concat(),
        "googletest" => vec![
            record.id.to_owned(),
            class_by(record, "."),
            last_two(&titles, "."),
        ],
        "doctest" | "phpunit" => vec![by(" > "), last_two(&titles, " > ")],
        "maven" => maven(record),
        "gradle_custom" => gradle(record),
        "ant" => vec![record.id.to_owned(), leaf, of_class(record)],
        "minitest" => vec![record.id.to_owned(), class_by(record, "#")],
        "ruby_unit" => vec![
            leaf.strip_prefix("test: ").unwrap_or(&leaf).to_owned(),
            leaf,
        ],
        "jekyll" => vec![record.id.to_owned(), class_by(record, "#"), leaf],
        "rspec_transformed_json" => vec![format!("{leaf} - {}", record.id), leaf],
        "jq" | "micropython_test" | "cucumber" | "quarto_cli" => vec![record.id.to_owned(), leaf],
        _ => return None,
    })
}

/// A parser sees lines: of a text with several its first, without blanks around it.
fn line(text: &str) -> String {
    let first = text.trim_matches(is_blank).split('\n').next();
    first.unwrap_or_default().trim_matches(is_blank).to_owned()
}

/// A name, and what is left of it where its end looks like a duration.
fn cut(duration: &Regex, name: &str) -> Vec<String> {
    let left = duration.captures(name).map(|parts| parts[1].to_owned());
    [Some(name.to_owned()), left]
        .into_iter()
        .flatten()
        .collect()
}

/// What stands behind the first so many `::`.
fn behind_colons(id: &str, count: usize) -> &str {
    let mut rest = id;
    for _ in 0..count {
        rest = rest.split_once("::").map_or(rest, |(_, rest)| rest);
    }
    rest
}

/// The path in its crate. Ids of ours begin with `crate:source`, those of nextest with a
/// crate, or with a crate and a binary; names with blanks are in no official log.
fn cargo(id: &str) -> Vec<String> {
    let crate_of = id.split("::").next().unwrap_or_default();
    let paths = match crate_of.contains(':') {
        true => vec![behind_colons(id, 1)],
        false => vec![id, behind_colons(id, 1), behind_colons(id, 2)],
    };
    let plain = paths.into_iter().filter(|path| !path.contains(is_blank));
    plain.map(str::to_owned).collect()
}

/// The title alone; a skipped test's has a word before it.
fn jest(leaf: &str) -> Vec<String> {
    let skipped = format!("skipped {leaf}");
    [cut(&IN_BRACKETS, leaf), cut(&IN_BRACKETS, &skipped)].concat()
}

/// The file and all titles.
fn vitest(record: &Record<'_>, titles: &str) -> Vec<String> {
    let whole = match record.file() {
        Some(file) => format!("{file} > {titles}"),
        None => titles.to_owned(),
    };
    cut(&BARE, &whole)
}

/// The parser loses suites that end, so those in between may be missing.
fn karma(titles: &[&str]) -> Vec<String> {
    let mut names = vec![line(&titles.join(" > "))];
    if let [first, .., last] = titles {
        names.push(line(&format!("{first} > {last}")));
    }
    names
}

fn next(titles: &[&str]) -> Vec<String> {
    vec![line(&titles.join(" - ")), last_two(titles, ": ")]
}

fn last_two(titles: &[&str], separator: &str) -> String {
    let from = titles.len().saturating_sub(2);
    line(&titles.get(from..).unwrap_or(titles).join(separator))
}

/// Only files have names: all tests of one have to pass.
fn files(record: &Record<'_>) -> Vec<String> {
    let Some(file) = record.file() else {
        return vec![record.id.to_owned()];
    };
    vec![file.to_owned(), OF_FILE.replace(file, "").into_owned()]
}

fn class_by(record: &Record<'_>, separator: &str) -> String {
    let both = record.class_and_name();
    both.map_or_else(String::new, |(class, name)| {
        line(&format!("{class}{separator}{name}"))
    })
}

/// `name(class)`, as JUnit describes a test.
fn of_class(record: &Record<'_>) -> String {
    let both = record.class_and_name();
    both.map_or_else(String::new, |(class, name)| format!("{name}({class})"))
}

/// A Java class with its package, and without.
fn classes(class: &str) -> [&str; 2] {
    [class, class.rsplit('.').next().unwrap_or(class)]
}

/// What `-Dtest` names: a class, or a method without its parameters.
fn maven(record: &Record<'_>) -> Vec<String> {
    let Some((class, name)) = record.class_and_name() else {
        return vec![record.id.to_owned()];
    };
    let method = name.split(['(', '[', '{', ' ']).next().unwrap_or(name);
    let named = classes(class).map(|class| [format!("{class}#{method}"), class.to_owned()]);
    named.concat()
}

fn gradle(record: &Record<'_>) -> Vec<String> {
    let Some((class, name)) = record.class_and_name() else {
        return vec![record.id.to_owned()];
    };
    let method = name.strip_suffix("()").unwrap_or(name);
    let named = |class| [format!("{class} > {name}"), format!("{class} > {method}")];
    classes(class).map(named).concat()
}
