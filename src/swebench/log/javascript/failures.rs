//! Runners whose failures alone are read: what is not listed did not fail.
//!
//! Must not know grading, which takes it so.

use std::sync::LazyLock;

use regex::Regex;

use super::super::text::{is_digit, is_space, pattern, strip, without_escapes, words};
use super::super::{FAILED, Input, Raised, Statuses};

/// ESLint's Mocha with its smallest printer: `1) suite test` up to the error.
pub fn eslint(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static FAILURE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\s{2}\d+\)((?s:.*?))\s+.*Error"));
    for found in FAILURE.captures_iter(input.log) {
        let (_, [name]) = found.extract();
        statuses.insert(&spaced(name), FAILED);
    }
    Ok(())
}

/// bpmn-js' Karma, in the browsers of its times.
pub fn bpmn_js(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static FAILURES: LazyLock<[Regex; 4]> = LazyLock::new(|| {
        [
            r"2KPhantomJS\s[\d\.]+\s\(Linux\s[\d\.]+\)\s(.*)FAILED\n",
            r"2KPhantomJS\s[\d\.]+\s\(Linux\sx86_64\)\s(.*)FAILED\n",
            r"Chrome\sHeadless\s.*\s\(Linux\sx86_64\)\s(.*)FAILED\n",
            r"HeadlessChrome\s[\d\.]+\s\(Linux\s[\d\.]+\)\s(.*)FAILED\n",
        ]
        .map(pattern)
    });
    for failure in FAILURES.iter() {
        for found in failure.captures_iter(input.log) {
            let (_, [name]) = found.extract();
            statuses.insert(name, FAILED);
        }
    }
    Ok(())
}

/// OpenLayers' Karma, Mocha and comparison of renderings.
pub fn openlayers(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static FAILURES: LazyLock<[Regex; 4]> = LazyLock::new(|| {
        [
            r"Chrome\sHeadless\s[\d\.]+\s\(Linux\s\S+\)\s(.*)\sFAILED\n",
            r"Chrome\s[\d\.]+\s\(Linux\s\S+\)\s(.*)FAILED\n",
            r"(?m)^\s{2}\d+\)((?s:.*?))Error:",
            r"(?m)^case\s(.*):\smismatch",
        ]
        .map(pattern)
    });
    for failure in FAILURES.iter() {
        for found in failure.captures_iter(input.log) {
            let (_, [name]) = found.extract();
            statuses.insert(&spaced(name), FAILED);
        }
    }
    Ok(())
}

/// Chart.js' Karma.
pub fn chart_js(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static FAILURE: LazyLock<Regex> = LazyLock::new(|| {
        let blank = r"[\s&&[^\r\n]]";
        pattern(&format!(
            r"(?m)Chrome\s[\d\.]+{blank}\(.+?\){blank}(.*)FAILED$"
        ))
    });
    for found in FAILURE.captures_iter(&without_escapes(input.log)) {
        let (_, [name]) = found.extract();
        statuses.insert(name, FAILED);
    }
    Ok(())
}

/// marked's Jasmine: `1) name` at a line's start.
pub fn marked(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    for line in input.log.split('\n') {
        let rest = line.trim_start_matches(is_digit);
        let name = rest
            .strip_prefix(')')
            .filter(|_| rest.len() < line.len())
            .and_then(|rest| rest.strip_prefix(is_space));
        if let Some(name) = name {
            statuses.insert(strip(name), FAILED);
        }
    }
    Ok(())
}

/// A text with one space for each run of blanks.
fn spaced(text: &str) -> String {
    words(text).collect::<Vec<_>>().join(" ")
}
