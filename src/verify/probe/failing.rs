//! Hidden tests of languages that are not ours to parse, made to fail whatever they are
//! about: each body begins with a failure.
//!
//! Owns how a test begins in each language. It reads text and no grammar, which may miss
//! a test or break a file; then the reference solution is not refused there, and nothing
//! is asked of it. Must not know sandboxes, nor what follows from a run.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::super::{HiddenError, Place, hidden};
use super::failing_python;
use crate::task::{Runner, Task};

/// Most bytes of a file that is altered; what is larger was not written by people.
const MOST: usize = 4 << 20;

/// A language: its files, how the head of a test ends, and what is put behind it.
struct Language {
    endings: &'static [&'static str],
    heads: &'static [Head],
}

/// `what` behind a match of `head`; `@` stands for the message, `$1` and so on for what
/// the head took.
struct Head {
    head: &'static LazyLock<Regex>,
    what: &'static str,
}

macro_rules! pattern {
    ($name:ident, $pattern:expr) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($pattern).expect("a constant expression"));
    };
}
pattern!(
    GO,
    r"(?m)^func[ \t]+Test\w*[ \t]*\([ \t]*(\w+)[ \t]+\*testing\.T[ \t]*\)[ \t]*\{"
);
pattern!(
    RUST,
    r"#\[(?:\w+::)*test(?:\([^\]]*\))?\](?:\s*#\[[^\]]*\]|[ \t]*//[^\n]*\n)*\s*(?:pub\s+)?(?:async\s+)?fn\s+\w+\s*\(\s*\)(?:\s*->\s*[^{;]+)?\s*\{"
);
pattern!(
    JAVA,
    r"@(?:Parameterized)?Test\b(?:\([^)]*\))?(?:\s*@\w+(?:\([^)]*\))?)*\s*(?:public\s+|protected\s+)?(?:final\s+)?void\s+\w+\s*\([^)]*\)(?:\s*throws\s+[\w.,\s]+)?\s*\{"
);
pattern!(
    PHP,
    r"public\s+function\s+test\w*\s*\([^)]*\)(?:\s*:\s*\w+)?\s*\{"
);
pattern!(GOOGLETEST, r"(?m)^[ \t]*TEST(?:_F|_P)?\s*\([^(){}]*\)\s*\{");
pattern!(
    DOCTEST,
    r"(?m)^[ \t]*TEST_CASE(?:_FIXTURE)?\s*\((?:[^(){}]|\([^(){}]*\))*\)\s*\{"
);
pattern!(RUBY_METHOD, r"(?m)^[ \t]*def[ \t]+test_\w+[?!]?[ \t]*$");
pattern!(
    RUBY_BLOCK,
    r#"(?m)^[ \t]*(?:test|it|should|specify)[ \t(]+["'][^\n]*\bdo[ \t]*$"#
);
pattern!(SCRIPT, r"(^|[^.\w$])(test|it)\(");

const LANGUAGES: [Language; 6] = [
    Language {
        endings: &["_test.go"],
        heads: &[Head {
            head: &GO,
            // It fails, and goes on: what it runs below itself is run all the same.
            what: " $1.Error(\"@\"); ",
        }],
    },
    Language {
        endings: &[".rs"],
        heads: &[Head {
            head: &RUST,
            what: " if true { panic!(\"@\"); } ",
        }],
    },
    Language {
        endings: &[".java"],
        heads: &[Head {
            head: &JAVA,
            what: " if (true) throw new AssertionError(\"@\"); ",
        }],
    },
    Language {
        endings: &[".php"],
        heads: &[Head {
            head: &PHP,
            what: " $$this->fail('@'); ",
        }],
    },
    Language {
        endings: &[".cc", ".cpp", ".cxx", ".h", ".hpp"],
        heads: &[
            Head {
                head: &GOOGLETEST,
                what: " FAIL() << \"@\"; ",
            },
            Head {
                head: &DOCTEST,
                what: " FAIL(\"@\"); ",
            },
        ],
    },
    Language {
        endings: &[".rb"],
        heads: &[
            Head {
                head: &RUBY_METHOD,
                what: "; flunk '@'",
            },
            Head {
                head: &RUBY_BLOCK,
                what: "; raise '@'",
            },
        ],
    },
];

const SCRIPTS: [&str; 4] = [".js", ".mjs", ".cjs", ".jsx"];
const TYPED_SCRIPTS: [&str; 4] = [".ts", ".mts", ".cts", ".tsx"];

/// A file whose tests fail with this message; none where no test was found in it.
/// `mark`: a word that begins with a letter and is in none of the files.
pub fn failing(path: &str, text: &str, message: &str, mark: &str) -> Option<String> {
    if text.len() > MOST {
        return None;
    }
    if path.ends_with(".py") {
        return failing_python::failing(text, message);
    }
    let is_one_of = |endings: &[&str]| endings.iter().any(|ending| path.ends_with(ending));
    if is_one_of(&SCRIPTS) || is_one_of(&TYPED_SCRIPTS) {
        return script(text, message, mark, is_one_of(&TYPED_SCRIPTS));
    }
    let language = LANGUAGES
        .iter()
        .find(|language| is_one_of(language.endings))?;
    let mut altered = text.to_owned();
    let mut found = false;
    for Head { head, what } in language.heads {
        found |= head.is_match(&altered);
        let what = what.replace('@', message);
        altered = head
            .replace_all(&altered, format!("${{0}}{what}"))
            .into_owned();
    }
    found.then_some(altered)
}

/// In JavaScript and its kin a test is a call. What is called instead takes the body away
/// and calls the same; a function that is declared anywhere is there from the beginning.
fn script(text: &str, message: &str, mark: &str, typed: bool) -> Option<String> {
    let mut called: Vec<String> = Vec::new();
    let altered = SCRIPT.replace_all(text, |found: &Captures<'_>| {
        let (before, name) = (&found[1], &found[2]);
        if !called.iter().any(|known| known == name) {
            called.push(name.to_owned());
        }
        format!("{before}{mark}{name}(")
    });
    let mut altered = altered.into_owned();
    for name in &called {
        let (given, call) = match typed {
            true => ("...a: any[]", format!("({name} as any)")),
            false => ("...a", name.clone()),
        };
        altered.push_str(&format!(
            "\nfunction {mark}{name}({given}) {{ const at = a.findIndex((one) => typeof one === 'function'); if (at >= 0) a[at] = () => {{ throw new Error('{message}'); }}; return {call}(...a); }}\n"
        ));
    }
    (!called.is_empty()).then_some(altered)
}

/// Whether a task's tests can be made to fail so: its runner is not one whose tests are
/// altered value by value, and it brings no altered tests along.
pub fn applies(task: &Task) -> bool {
    let verification = &task.verification;
    verification.altered.is_none()
        && match verification.runner {
            Runner::Pytest | Runner::Script | Runner::TerminalBench(_) => false,
            _ => !verification.fail_to_pass.is_empty(),
        }
}

/// The place with hidden tests that must fail; none where there is no file of tests that
/// can be made to.
///
/// # Errors
/// Hidden files that cannot be packed again.
pub fn must_fail(place: &Place, message: &str, mark: &str) -> Result<Option<Place>, HiddenError> {
    let texts = hidden::texts(&place.hidden_tar, |_| true);
    let mut contents = BTreeMap::new();
    for (path, text) in &texts {
        if text.contains(mark) {
            continue;
        }
        if let Some(altered) = failing(path, text, message, mark) {
            contents.insert(path.clone(), altered.into_bytes());
        }
    }
    if contents.is_empty() {
        return Ok(None);
    }
    let mut place = place.clone();
    place.hidden_tar = hidden::replaced(&place.hidden_tar, &contents)?;
    Ok(Some(place))
}

#[cfg(test)]
#[path = "failing_tests.rs"]
mod tests;
