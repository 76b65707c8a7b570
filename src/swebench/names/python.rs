//! Official names of Python's tests.
//!
//! Owns what these parsers make of an id. Must not know other languages.

use std::sync::LazyLock;

use regex::Regex;

use super::{Record, is_blank};

static COLOUR: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\[\d+m").expect("a constant expression"));
static OPTION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(.*?)\[(.*)\]").expect("a constant expression"));

/// How a parser of this name reads ids.
enum Reads {
    FirstWord,
    Options,
    Whole,
    Mouse,
    Django,
    Sympy,
}

fn reads(parser: &str) -> Option<Reads> {
    Some(match parser {
        "pytest" | "astroid" | "flask" | "marshmallow" | "pvlib" | "pyvista" | "sqlfluff"
        | "xarray" | "seaborn" => Reads::FirstWord,
        "pytest_options" | "pydicom" | "requests" | "pylint" => Reads::Options,
        "pytest_v2" | "astropy" | "scikit" | "sphinx" => Reads::Whole,
        "matplotlib" => Reads::Mouse,
        "django" => Reads::Django,
        "sympy" => Reads::Sympy,
        _ => return None,
    })
}

pub(super) fn is_pytest(parser: &str) -> bool {
    !matches!(reads(parser), None | Some(Reads::Django | Reads::Sympy))
}

pub(super) fn names(parser: &str, record: &Record<'_>) -> Option<Vec<String>> {
    let id = record.id;
    Some(match reads(parser)? {
        Reads::FirstWord => vec![first_word(id).to_owned()],
        Reads::Options => vec![with_option(first_word(id))],
        Reads::Whole => whole(id),
        Reads::Mouse => {
            let id = id.replace("MouseButton.LEFT", "1");
            let id = id.replace("MouseButton.RIGHT", "3");
            vec![first_word(&id).to_owned()]
        }
        Reads::Django => django(record),
        Reads::Sympy => sympy(record),
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_blank).filter(|word| !word.is_empty())
}

fn first_word(text: &str) -> &str {
    words(text).next().unwrap_or_default()
}

fn joined(text: &str) -> String {
    words(text).collect::<Vec<_>>().join(" ")
}

/// Of an option that is a path the last part is left.
fn with_option(word: &str) -> String {
    let Some(parts) = OPTION.captures(word) else {
        return word.to_owned();
    };
    let option = &parts[2];
    let is_path = option.starts_with('/') && !option.starts_with("//") && !option.contains('*');
    match option.rsplit('/').next() {
        Some(last) if is_path => format!("{}[/{last}]", &parts[1]),
        _ => format!("{}[{option}]", &parts[1]),
    }
}

/// 5.0 keeps an id whole, but for a failed one's from ` - ` on; 4.1 keeps its first word.
/// Both take what looks like the rest of a colour out of it.
fn whole(id: &str) -> Vec<String> {
    let plain: String = COLOUR.replace_all(id, "").into_owned();
    let plain: String = plain
        .chars()
        .filter(|c| !('\u{1}'..'\u{20}').contains(c))
        .collect();
    let failed = plain.split(" - ").next().unwrap_or(&plain);
    vec![
        joined(&plain),
        joined(failed),
        first_word(&plain).to_owned(),
    ]
}

/// `test_x (app.tests.Class)` as Python up to 3.10 prints it, and later ones; where a
/// test has a description, the line is that.
fn django(record: &Record<'_>) -> Vec<String> {
    let mut names = Vec::new();
    if let Some((class, name)) = record.id.rsplit_once('.') {
        // Django's tests run from this folder.
        let below = class.strip_prefix("tests.").unwrap_or(class);
        for class in [class, below] {
            names.push(format!("{name} ({class})"));
            names.push(format!("{name} ({class}.{name})"));
        }
    }
    if let Some(doc) = record.doc.map(|doc| doc.trim_matches(is_blank)) {
        names.push(doc.to_owned());
        names.push(doc.split(" ... ").next().unwrap_or(doc).to_owned());
    }
    names
}

/// The bare name; of a failed test also with its file.
fn sympy(record: &Record<'_>) -> Vec<String> {
    let id = record.id;
    let bare = id.rsplit_once("::").map_or(id, |(_, name)| name);
    let bare = first_word(bare.split('[').next().unwrap_or(bare));
    let file = record.file().map(|file| format!("{file}:{bare}"));
    [Some(bare.to_owned()), file]
        .into_iter()
        .flatten()
        .collect()
}
