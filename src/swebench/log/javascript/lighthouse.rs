//! Lighthouse's runners, which changed with its versions.
//!
//! Must not know other projects' use of the same runners.

use std::sync::LazyLock;

use regex::Regex;

use super::super::text::{float, pattern, strip};
use super::super::{FAILED, Input, PASSED, Raised, Statuses};
use super::files::carbon;
use super::suites::Suites;

/// By the version: Mocha's tree, Jest's files, or Mocha's JSON.
pub fn lighthouse(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    if matches!(input.about.version, "9.5" | "10.0" | "10.2") {
        tree(input.log, statuses);
        return Ok(());
    }
    match float(input.about.version).ok_or(Raised("ValueError"))? {
        3.0.. => carbon(input, statuses),
        _ => {
            report(input.log, statuses);
            Ok(())
        }
    }
}

/// Mocha's trees, each up to its counts.
fn tree(log: &str, statuses: &mut Statuses) {
    static START: LazyLock<Regex> = LazyLock::new(|| pattern(r"running\s\d+\stest\sfiles"));
    static COUNTS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\d+\spassing"));
    static PASS: LazyLock<Regex> = LazyLock::new(|| pattern(r"^✔\s(.*)"));
    static FAIL: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\d+\)\s(.*)"));
    static TIME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(.*)\s\(\d+m+s\)"));
    for run in START.split(log).skip(1) {
        let end = COUNTS.find(run).map_or(run.len(), |counts| counts.start());
        let run = strip(run.get(..end).unwrap_or_default());
        let mut suites = Suites::default();
        for line in run.split('\n') {
            let text = strip(line);
            let name_of = |test: &Regex| test.captures(text)?.get(1).map(|name| name.as_str());
            let passed = name_of(&PASS).map(|name| (name, PASSED));
            let Some((name, status)) = passed.or_else(|| Some((name_of(&FAIL)?, FAILED))) else {
                suites.line(line);
                continue;
            };
            let timed = TIME.captures(name).and_then(|timed| timed.get(1));
            let name = timed.map_or(name, |timed| timed.as_str());
            suites.test(name, status, statuses);
        }
    }
}

/// Mocha's JSON after each command, read as lines: the titles stay as they are written.
fn report(log: &str, statuses: &mut Statuses) {
    static TITLE: LazyLock<Regex> = LazyLock::new(|| pattern(r#""fullTitle":\s"(.*)",\n"#));
    for run in log
        .split("./node_modules/.bin/mocha --reporter json")
        .skip(1)
    {
        for (start, end, status) in [
            ("\"passes\": [", "]", PASSED),
            ("\"failures\": [", "],", FAILED),
        ] {
            let list = run.rsplit(start).next().unwrap_or(run);
            let list = list.rsplit_once(end).map_or(list, |(list, _)| list);
            for title in TITLE.captures_iter(list) {
                let (_, [title]) = title.extract();
                statuses.insert(title, status);
            }
        }
    }
}
