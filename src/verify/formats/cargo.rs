//! `cargo test`: the text that libtest writes, binary after binary, with cargo's own
//! lines between.
//!
//! Owns these lines. Must not know the other formats.
//!
//! **Ids.** `crate:source::path`, by cargo's line on the binary: of `Running unittests
//! src/lib.rs (…/demo_crate-1a2b)` and `test tests::adds ... ok` it is
//! `demo_crate:src/lib.rs::tests::adds`; a documentation test is `demo_crate:src/lib.rs -
//! add (line 5)`. Other spellings: `src/lib.rs::tests::adds`, `demo_crate::tests::adds`,
//! `tests::adds`; `src/lib.rs - add (line 5)` and `src/lib.rs - add`. Containers: the
//! source, the crate.
//!
//! **Whole** is a report in which every binary has as many results as `running N tests`
//! says and as its `test result:` line counts, kind by kind. A binary that comes to no
//! such line has broken as a whole. What a test writes past libtest's capture can break
//! a line: a result that cannot be told is missing, and then the counts differ.

use std::collections::BTreeMap;

use super::super::junit::badness;
use super::report::{Builder, Record};
use super::start::{self, Channel, Start};
use super::{FormatError, Report, lines, text};
use crate::record::TestState;

/// `cargo test` over everything. Cargo names each binary on standard error, so both
/// outputs are one, in order.
pub fn command(start: Option<&str>) -> Start {
    let options = ["--no-fail-fast", "--color", "never"];
    Start {
        argv: start::joined(start.unwrap_or("cargo test"), options),
        channel: Channel::Stdout,
    }
}

/// A test binary's part of the report.
#[derive(Default)]
struct Section {
    /// The crate and the source, both empty where cargo's line is not there.
    krate: String,
    source: String,
    planned: u64,
    results: Vec<(String, TestState)>,
    /// A test whose result did not follow on its line.
    pending: Option<String>,
    /// What failing tests wrote, by test.
    said: BTreeMap<String, String>,
    part: Part,
}

#[derive(Default, PartialEq)]
enum Part {
    #[default]
    Results,
    /// After `failures:`; the test whose output is being shown.
    Output(Option<String>),
    /// The names of what failed.
    Names,
}

/// Reads a report.
pub fn read(bytes: &[u8]) -> Result<Report, FormatError> {
    let text = text(bytes)?;
    let mut builder = Builder::new(&["::", " - ", ":"]);
    let mut header = (String::new(), String::new());
    let mut open: Option<Section> = None;
    let mut sections = 0_usize;
    for line in lines(&text) {
        let (_, line) = line?;
        if let Some(found) = binary(line) {
            broken(open.take(), &mut builder)?;
            header = found;
        } else if let Some(planned) = running(line)
            && !open.as_ref().is_some_and(Section::is_in_results)
        {
            broken(open.take(), &mut builder)?;
            sections += 1;
            open = Some(Section::new(&header, planned));
        } else if let Some(counts) = result(line)
            && let Some(section) = open.take()
        {
            section.close(&counts, &mut builder)?;
        } else if let Some(section) = &mut open {
            section.line(line);
        } else if line.starts_with("error: could not compile") {
            builder.incomplete(line);
        }
    }
    broken(open, &mut builder)?;
    if sections == 0 {
        builder.incomplete("no test binary ran");
    }
    Ok(builder.finish())
}

/// A binary that came to no end.
fn broken(section: Option<Section>, builder: &mut Builder) -> Result<(), FormatError> {
    let Some(section) = section else {
        return Ok(());
    };
    let record = Record::new(TestState::Error, 0, "its test binary came to no end");
    let (krate, source) = (section.krate.clone(), section.source.clone());
    let id = section.id("");
    section.write(builder)?;
    if id.is_empty() {
        builder.incomplete("a test binary came to no end");
    }
    for name in [id.as_str(), &krate, &source] {
        if !name.is_empty() {
            builder.group(name.trim_end_matches("::"), record.clone())?;
        }
    }
    Ok(())
}

impl Section {
    fn new((krate, source): &(String, String), planned: u64) -> Self {
        Self {
            krate: krate.clone(),
            source: source.clone(),
            planned,
            ..Self::default()
        }
    }

    /// A line like libtest's opening one may be a test's output here.
    fn is_in_results(&self) -> bool {
        self.part == Part::Results && (self.results.len() as u64) < self.planned
    }

    fn line(&mut self, line: &str) {
        if line == "failures:" {
            self.part = match self.part {
                Part::Results => Part::Output(None),
                _ => Part::Names,
            };
            return;
        }
        match &mut self.part {
            Part::Results => self.result(line),
            Part::Names => {
                if let Some(name) = line.strip_prefix("    ") {
                    self.failed(name);
                }
            }
            Part::Output(test) => {
                let name = line.strip_prefix("---- ");
                if let Some(name) = name.and_then(|name| name.strip_suffix(" stdout ----")) {
                    *test = Some(name.to_owned());
                } else if let Some(test) = test {
                    let said = self.said.entry(test.clone()).or_default();
                    if said.len() < 8192 {
                        said.push_str(line);
                        said.push('\n');
                    }
                }
            }
        }
    }

    fn result(&mut self, line: &str) {
        // Output without a line end may stand before the runner's words.
        let at = match line.starts_with("test ") {
            true => Some(0),
            false => line
                .rfind("test ")
                .filter(|&at| line[at..].contains(" ... ")),
        };
        let found = at.and_then(|at| line[at + 5..].split_once(" ... "));
        if let Some((name, rest)) = found {
            let name = plain(name).to_owned();
            match state(rest) {
                Some(state) => self.results.push((name, state)),
                None => {
                    self.lose_pending();
                    self.pending = Some(name);
                }
            }
        } else if self.pending.is_some()
            && let Some(state) = last_word(line)
            && let Some(name) = self.pending.take()
        {
            self.results.push((name, state));
        }
    }

    /// A test whose result can no longer be told.
    fn lose_pending(&mut self) {
        let lost = self.pending.take().map(|name| (name, TestState::Missing));
        self.results.extend(lost);
    }

    /// A test in the list of failures has failed, whatever its line said.
    fn failed(&mut self, name: &str) {
        let mut results = self.results.iter_mut();
        let own = results.find(|(other, _)| other == name);
        if let Some((_, state)) = own.filter(|(_, state)| *state != TestState::Failed) {
            *state = TestState::Error;
        }
    }

    fn close(mut self, counts: &[u64; 4], builder: &mut Builder) -> Result<(), FormatError> {
        self.lose_pending();
        let [passed, failed, ignored, measured] = *counts;
        let of = |state| self.results.iter().filter(|(_, own)| *own == state).count();
        builder.expect_count("tests", self.planned, self.results.len());
        builder.expect_count("passed tests", passed + measured, of(TestState::Passed));
        builder.expect_count("failed tests", failed, of(TestState::Failed));
        builder.expect_count("ignored tests", ignored, of(TestState::Skipped));
        self.write(builder)
    }

    fn write(mut self, builder: &mut Builder) -> Result<(), FormatError> {
        self.lose_pending();
        for (name, state) in &self.results {
            let id = self.id(name);
            let said = self.said.get(name).map_or("", String::as_str);
            let said = said.split("\nstack backtrace:\n").next().unwrap_or(said);
            let said = if badness(*state) < badness(TestState::Failed) {
                ""
            } else {
                said
            };
            builder.spell(&id, name);
            let is_doc = self.source.is_empty();
            if is_doc {
                let function = name.split(" (line ").next().unwrap_or(name);
                builder.spell(&id, function);
                let source = name.split(" - ").next().unwrap_or(name);
                builder.within(&id, source);
            } else {
                builder.spell(&id, &format!("{}::{name}", self.source));
                builder.spell(&id, &format!("{}::{name}", self.krate));
                builder.within(&id, &self.source);
            }
            builder.within(&id, &self.krate);
            builder.add(&id, Record::new(*state, 0, said))?;
        }
        Ok(())
    }

    fn id(&self, name: &str) -> String {
        match (self.krate.as_str(), self.source.as_str()) {
            ("", _) => name.to_owned(),
            (krate, "") => format!("{krate}:{name}"),
            (krate, source) => format!("{krate}:{source}::{name}"),
        }
    }
}

/// The crate and the source of `Running tests/it.rs (target/debug/deps/it-1a2b)`, or of
/// `Doc-tests demo`, which has no source.
fn binary(line: &str) -> Option<(String, String)> {
    let words = line.trim_start();
    if line.len() < words.len() + 3 {
        return None;
    }
    if let Some(krate) = words.strip_prefix("Doc-tests ") {
        return Some((krate.trim().to_owned(), String::new()));
    }
    let (source, path) = words.strip_prefix("Running ")?.rsplit_once(" (")?;
    let file = path.strip_suffix(')')?.rsplit(['/', '\\']).next()?;
    let (krate, hash) = file.rsplit_once('-')?;
    let hashed = !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let source = source.strip_prefix("unittests ").unwrap_or(source);
    hashed.then(|| (krate.to_owned(), source.replace('\\', "/")))
}

/// `running 3 tests`
fn running(line: &str) -> Option<u64> {
    let (count, word) = line.strip_prefix("running ")?.split_once(' ')?;
    ["test", "tests"]
        .contains(&word)
        .then(|| count.parse().ok())?
}

/// Passed, failed, ignored, measured of a `test result:` line.
fn result(line: &str) -> Option<[u64; 4]> {
    let rest = line.strip_prefix("test result: ")?;
    let (_, rest) = rest.split_once(". ")?;
    let mut counts = [0; 4];
    let words = ["passed", "failed", "ignored", "measured"];
    for (index, part) in rest.split("; ").take(4).enumerate() {
        let (count, word) = part.split_once(' ')?;
        // Such numbers are summed.
        counts[index] = u64::from(count.parse::<u32>().ok()?);
        if word != words[index] {
            return None;
        }
    }
    Some(counts)
}

/// What follows `...`; with `--report-time` the time stands behind it.
fn state(rest: &str) -> Option<TestState> {
    let word = rest.split([' ', ',']).next().unwrap_or_default();
    Some(match word {
        "ok" if rest == "ok" || rest.starts_with("ok <") => TestState::Passed,
        "FAILED" => TestState::Failed,
        "ignored" => TestState::Skipped,
        "bench:" => TestState::Passed,
        _ => return None,
    })
}

/// A result that output stands before.
fn last_word(line: &str) -> Option<TestState> {
    let ends = |word| line.ends_with(word);
    match () {
        () if ends("FAILED") => Some(TestState::Failed),
        () if ends("ok") => Some(TestState::Passed),
        () if ends("ignored") => Some(TestState::Skipped),
        () => None,
    }
}

/// A name without what libtest and rustdoc say behind it.
fn plain(name: &str) -> &str {
    let marks = [" - should panic", " - compile fail", " - compile"];
    let mut stripped = marks.iter().filter_map(|mark| name.strip_suffix(mark));
    stripped.next().unwrap_or(name)
}
