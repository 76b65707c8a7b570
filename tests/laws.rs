//! The laws of the house, held by reading the source.
//!
//! Each law comes with a snippet that breaks it, so that a law that can no longer
//! fail is noticed. Comments and, where a law is about code, strings do not count.

use std::collections::BTreeSet;
use std::path::Path;

/// One file below `src/`.
struct Source {
    /// Relative to `src/`.
    path: String,
    text: String,
    /// Without comments.
    code: String,
    /// Without comments and without what is in strings.
    bare: String,
}

/// Something that every file keeps; `broken` is a file that does not.
struct Law {
    name: &'static str,
    /// What is wrong with the file, empty where nothing is.
    check: fn(&Source) -> Vec<String>,
    broken: (&'static str, &'static str),
}

const LAWS: &[Law] = &[
    Law {
        name: "each file opens with what it owns and what it must not know",
        check: |source| {
            when(
                !source.text.starts_with("//! "),
                "it does not begin with `//! `",
            )
        },
        broken: ("run/plan.rs", "use std::fmt;\n"),
    },
    Law {
        name: "a room knows only the rooms above it in the list of src/lib.rs",
        check: |source| {
            let order = rooms();
            let place = |room: &str| order.iter().position(|name| name == room);
            let Some(own) = place(room(source)) else {
                return Vec::new();
            };
            let below = |used: &String| place(used).is_some_and(|place| place > own);
            named(
                paths(source).into_iter().filter(below),
                "it uses the room below it",
            )
        },
        broken: ("task/load.rs", "//! x\nuse crate::run::RunEvent;\n"),
    },
    Law {
        name: "score, stats and report touch neither engine nor network",
        check: |source| match room(source) {
            "score" | "stats" | "report" => {
                let mut wrong = forbidden_rooms(source, &["sandbox", "agent", "tool", "repo"]);
                wrong.extend(words(
                    source,
                    &["bollard", "hyper", "reqwest", "TcpStream", "UnixStream"],
                ));
                wrong
            }
            _ => Vec::new(),
        },
        broken: (
            "report/json.rs",
            "//! x\nuse crate::{record::TrialRecord, sandbox::Sandbox};\n",
        ),
    },
    Law {
        name: "verify sees no agent, no model and no run",
        check: |source| match room(source) {
            "verify" => forbidden_rooms(source, &["run", "agent", "tool", "model", "repo"]),
            _ => Vec::new(),
        },
        broken: (
            "verify/mod.rs",
            "//! x\nfn f(agent: &dyn crate::agent::Agent) {}\n",
        ),
    },
    Law {
        name: "task knows no sandbox",
        check: |source| match room(source) {
            "task" => forbidden_rooms(source, &["sandbox", "repo"]),
            _ => Vec::new(),
        },
        broken: ("task/mod.rs", "//! x\nuse crate :: sandbox :: Exec;\n"),
    },
    Law {
        name: "sandbox knows no task, no agent and no verdict",
        check: |source| match room(source) {
            "sandbox" => forbidden_rooms(source, &["task", "agent", "verify", "run", "score"]),
            _ => Vec::new(),
        },
        broken: ("sandbox/docker/mod.rs", "//! x\nuse crate::task::Task;\n"),
    },
    Law {
        name: "bollard stays inside sandbox::docker",
        check: |source| match within(source, "sandbox/docker") {
            true => Vec::new(),
            false => words(source, &["bollard"]),
        },
        broken: ("sandbox/images.rs", "//! x\nuse bollard::Docker;\n"),
    },
    Law {
        name: "git2 stays inside repo",
        check: |source| match room(source) {
            "repo" => Vec::new(),
            _ => words(source, &["git2"]),
        },
        broken: ("run/trial.rs", "//! x\nfn f(id: git2::Oid) {}\n"),
    },
    Law {
        name: "HTTP stays inside model, tool::mcp and what fetches data sets",
        check: |source| match room(source) {
            "model" => Vec::new(),
            "cli" if within(source, "cli/fetched") => Vec::new(),
            "tool" if within(source, "tool/mcp") => words(source, &["reqwest"]),
            _ => words(source, &["reqwest", "hyper", "hyper_util"]),
        },
        broken: ("agent/tool_loop/mod.rs", "//! x\nuse reqwest::Client;\n"),
    },
    Law {
        name: "the protocol of tool servers stays inside tool::mcp",
        check: |source| match within(source, "tool/mcp") {
            true => Vec::new(),
            false => words(source, &["rmcp", "sse_stream"]),
        },
        broken: ("tool/toolbox.rs", "//! x\nuse rmcp::model::Tool;\n"),
    },
    Law {
        name: "only cli and report print",
        check: |source| {
            let mut printing = vec!["println!", "print!", "eprintln!", "eprint!", "dbg!"];
            if !within(source, "sandbox/guest") {
                // The helper's own ends are a transport, not a terminal.
                printing.extend(["stdout()", "stderr()"]);
            }
            match room(source) {
                "cli" | "report" => Vec::new(),
                // A test says that it skips.
                _ if source.path.ends_with("tests.rs") => Vec::new(),
                _ => words(source, &printing),
            }
        },
        broken: ("run/scheduler.rs", "//! x\nfn f() { eprintln!(\"x\") }\n"),
    },
    Law {
        name: "only run knows the journal",
        check: |source| {
            let named = room(source) != "run" && source.code.contains("results.jsonl");
            when(named, "it names results.jsonl")
        },
        broken: (
            "report/json.rs",
            "//! x\nconst JOURNAL: &str = \"results.jsonl\";\n",
        ),
    },
    Law {
        name: "unsafe only in the guest, each with a SAFETY line",
        check: |source| match within(source, "sandbox/guest") {
            false => words(source, &["unsafe"]),
            true => {
                let counted =
                    words(source, &["unsafe"]).len() > source.text.matches("SAFETY").count();
                when(counted, "an unsafe block has no SAFETY line")
            }
        },
        broken: ("sandbox/guest/mod.rs", "//! x\nfn f() { unsafe { g() } }\n"),
    },
    Law {
        name: "no lint is allowed silently",
        check: |source| words(source, &["#[allow(", "#![allow("]),
        broken: ("lib.rs", "//! x\n#[allow(dead_code)]\nfn f() {}\n"),
    },
    Law {
        name: "nothing on disk is flattened or untagged",
        check: |source| {
            let attribute = |line: &&str| line.contains("serde(");
            let lines = source.bare.lines().filter(attribute);
            let named = lines.filter(|line| line.contains("flatten") || line.contains("untagged"));
            named.map(|line| format!("`{}`", line.trim())).collect()
        },
        broken: ("record/mod.rs", "//! x\n#[serde(untagged)]\nenum E {}\n"),
    },
];

#[test]
fn every_file_keeps_every_law() {
    let sources = sources();
    let mut wrong = Vec::new();
    for source in &sources {
        for law in LAWS {
            let found = (law.check)(source);
            wrong.extend(
                found
                    .iter()
                    .map(|what| format!("src/{}: {}: {what}", source.path, law.name)),
            );
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_law_can_be_broken() {
    for law in LAWS {
        let (path, text) = law.broken;
        assert!(
            !(law.check)(&read(path, text)).is_empty(),
            "nothing breaks: {}",
            law.name
        );
    }
}

#[test]
fn comments_strings_and_other_words_break_nothing() {
    let text = r##"//! Tells what `crate::run` is; eprintln! and unsafe are only mentioned.
/* use bollard::Docker; /* nested */ git2 */
const A: &str = "crate::run::x bollard \" git2 println!(";
const B: &str = r#"unsafe " eprintln!("#;
const C: char = '"';
fn f<'a>(x: &'a str) -> &'a str { x } // dbg!(x)
fn eprintln_count() -> u8 { b'"' }
"##;
    for path in ["verify/x.rs", "task/x.rs", "score/x.rs"] {
        let source = read(path, text);
        for law in LAWS {
            assert_eq!((law.check)(&source), Vec::<String>::new(), "{}", law.name);
        }
    }
}

#[test]
fn every_way_to_name_a_room_is_seen() {
    let text = "//! x\nuse crate::{a, b::{c, d}, e as f};\nuse crate::g::h;\nfn i(j: &crate::k::L) {}\npub(crate) mod m;";
    let found: Vec<String> = paths(&read("lib.rs", text)).into_iter().collect();
    assert_eq!(found, ["a", "b", "e", "g", "k"]);
}

#[test]
fn the_list_of_rooms_is_complete() {
    let listed: BTreeSet<String> = rooms().into_iter().collect();
    let lib = std::fs::read_to_string(src().join("lib.rs")).unwrap();
    let declared = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    assert_eq!(listed, declared.map(str::to_owned).collect());
}

fn src() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources() -> Vec<Source> {
    let src = src();
    let files = walkdir::WalkDir::new(&src)
        .sort_by_file_name()
        .into_iter()
        .map(Result::unwrap);
    let sources: Vec<Source> = files
        .filter(|file| {
            file.path()
                .extension()
                .is_some_and(|extension| extension == "rs")
        })
        .map(|file| {
            let path = file
                .path()
                .strip_prefix(&src)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            read(&path, &std::fs::read_to_string(file.path()).unwrap())
        })
        .collect();
    assert!(
        sources.len() > 20,
        "only {} files were found",
        sources.len()
    );
    sources
}

/// The rooms in the order of the table in `src/lib.rs`, the highest first.
fn rooms() -> Vec<String> {
    let lib = std::fs::read_to_string(src().join("lib.rs")).unwrap();
    let rows = lib.lines().filter_map(|line| line.strip_prefix("//! | [`"));
    rows.map(|row| row.split('`').next().unwrap().to_owned())
        .collect()
}

fn read(path: &str, text: &str) -> Source {
    let (code, bare) = strip(text);
    Source {
        path: path.to_owned(),
        text: text.to_owned(),
        code,
        bare,
    }
}

fn room(source: &Source) -> &str {
    let first = source.path.split('/').next().unwrap();
    first.strip_suffix(".rs").unwrap_or(first)
}

fn within(source: &Source, module: &str) -> bool {
    let rest = source.path.strip_prefix(module);
    rest.is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

fn when(wrong: bool, what: &str) -> Vec<String> {
    if wrong {
        vec![what.to_owned()]
    } else {
        Vec::new()
    }
}

fn named(rooms: impl IntoIterator<Item = String>, what: &str) -> Vec<String> {
    rooms
        .into_iter()
        .map(|room| format!("{what}: {room}"))
        .collect()
}

fn forbidden_rooms(source: &Source, forbidden: &[&str]) -> Vec<String> {
    let used = paths(source)
        .into_iter()
        .filter(|room| forbidden.contains(&room.as_str()));
    named(used, "it uses the room")
}

/// Each place where one of these words stands by itself.
fn words(source: &Source, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for word in words {
        for (at, _) in source.bare.match_indices(word) {
            let before = source.bare[..at].chars().next_back();
            let after = source.bare[at + word.len()..].chars().next();
            let open_end = word.ends_with(is_name);
            let inside = before.is_some_and(is_name) || open_end && after.is_some_and(is_name);
            if !inside {
                let line = source.bare[..at].lines().count();
                found.push(format!("`{word}` in line {line}"));
            }
        }
    }
    found
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The rooms that `crate::…` paths name, groups in braces included.
fn paths(source: &Source) -> BTreeSet<String> {
    let code: String = source.bare.replace([' ', '\n', '\t'], "\u{0}");
    let mut found = BTreeSet::new();
    // Spaces may stand anywhere in a path, so what is compared has none; words stay
    // apart by a mark that no path contains.
    let squeezed = squeeze(&code);
    for (at, _) in squeezed.match_indices("crate::") {
        if squeezed[..at].chars().next_back().is_some_and(is_name) {
            continue;
        }
        let rest = &squeezed[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(heads(group)),
            None => found.extend(head(rest)),
        }
    }
    found
}

/// Drops marks beside `::`, `{`, `}` and `,`, keeps one between two words.
fn squeeze(code: &str) -> String {
    let characters: Vec<char> = code.chars().collect();
    let mut out = String::new();
    for (index, character) in characters.iter().enumerate() {
        if *character != '\u{0}' {
            out.push(*character);
            continue;
        }
        let next = characters[index..].iter().find(|other| **other != '\u{0}');
        let between =
            out.chars().next_back().is_some_and(is_name) && next.is_some_and(|next| is_name(*next));
        if between {
            out.push('\u{0}');
        }
    }
    out
}

fn head(path: &str) -> Option<String> {
    let name: String = path
        .chars()
        .take_while(|character| is_name(*character))
        .collect();
    (!name.is_empty()).then_some(name)
}

/// The first names of the members of a group, up to its closing brace.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut names) = (0, true, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            _ if start && depth == 0 => {
                names.extend(head(&group[at..]));
                start = false;
            }
            _ => {}
        }
    }
    names
}

/// The text without comments, and without what is in strings as well; line ends stay.
fn strip(text: &str) -> (String, String) {
    let characters: Vec<char> = text.chars().collect();
    let (mut code, mut bare) = (String::new(), String::new());
    let mut at = 0;
    let seen = |at: usize, what: &str| {
        what.chars()
            .enumerate()
            .all(|(offset, character)| characters.get(at + offset) == Some(&character))
    };
    while at < characters.len() {
        let before = at.checked_sub(1).map(|at| characters[at]);
        let (end, is_comment) = if seen(at, "//") {
            (line_end(&characters, at), true)
        } else if seen(at, "/*") {
            (comment_end(&characters, at), true)
        } else if let Some(end) =
            string_end(&characters, at).filter(|_| !before.is_some_and(is_name))
        {
            (end, false)
        } else if characters[at] == '"' {
            (quoted_end(&characters, at + 1, '"'), false)
        } else if characters[at] == '\''
            && (seen(at + 1, "\\") || characters.get(at + 2) == Some(&'\''))
        {
            (quoted_end(&characters, at + 1, '\''), false)
        } else {
            code.push(characters[at]);
            bare.push(characters[at]);
            at += 1;
            continue;
        };
        let piece: String = characters[at..end].iter().collect();
        let lines = "\n".repeat(piece.matches('\n').count());
        code.push_str(if is_comment { &lines } else { &piece });
        bare.push_str(&lines);
        at = end;
    }
    (code, bare)
}

fn line_end(characters: &[char], at: usize) -> usize {
    let rest = characters[at..]
        .iter()
        .position(|character| *character == '\n');
    rest.map_or(characters.len(), |length| at + length)
}

fn comment_end(characters: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < characters.len() {
        match (characters[at], characters.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The end of a raw string that begins here, if one does.
fn string_end(characters: &[char], at: usize) -> Option<usize> {
    let mut open = at;
    if characters.get(open) == Some(&'b') {
        open += 1;
    }
    if characters.get(open) != Some(&'r') {
        return None;
    }
    let hashes = characters[open + 1..]
        .iter()
        .take_while(|character| **character == '#')
        .count();
    let start = open + 1 + hashes;
    if characters.get(start) != Some(&'"') {
        return None;
    }
    let closes = |at: &usize| {
        characters[*at] == '"'
            && characters[at + 1..]
                .iter()
                .take(hashes)
                .filter(|hash| **hash == '#')
                .count()
                == hashes
    };
    let end = (start + 1..characters.len()).find(closes);
    Some(end.map_or(characters.len(), |end| end + 1 + hashes))
}

fn quoted_end(characters: &[char], mut at: usize, quote: char) -> usize {
    while at < characters.len() && characters[at] != quote {
        at += if characters[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(characters.len())
}
