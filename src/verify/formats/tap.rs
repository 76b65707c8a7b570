//! TAP, versions 12 to 14: `node --test --test-reporter=tap`, `prove -v`, bats, tape,
//! a shell script's own.
//!
//! Owns the lines: test points, plans, subtests, YAML blocks, bail out. Must not know
//! what `prove` writes around them (`super::prove` does).
//!
//! **Ids.** The description, with the descriptions of the subtests around it before it:
//! `suite > inner > adds`; `#3` for a point without one. Under `prove` the test file
//! stands before: `t/basic.t::adds`. Other spellings: none, since TAP names no files by
//! itself; a container is a file of `prove`'s.
//!
//! **Whole** is a report whose every level has one plan, as many points as planned,
//! each number once, no bail out, and which does not end inside a subtest.

use std::collections::{BTreeMap, HashSet};

use super::report::{Builder, Record, is_bad};
use super::start::{self, Channel, Start};
use super::tap_point::{Point, plan, point, unescape};
use super::{FormatError, MAX_DEPTH, Report, lines, prove, text};

/// `node --test` with its TAP reporter over the files; a task's own command (`prove
/// -v`, `bats --tap`, a script) is given the files alone.
pub fn command(start: Option<&str>, files: &[String]) -> Start {
    let start = start.unwrap_or("node --test --test-reporter=tap");
    let files: Vec<String> = files.iter().map(|file| start::path(file)).collect();
    Start {
        argv: start::argv(start, files.iter().map(String::as_str)),
        channel: Channel::Stdout,
    }
}

/// Reads a report. A file of `node --test` that could not be run has a record by its
/// path, below `root` a relative one.
pub fn read(bytes: &[u8], root: &str) -> Result<Report, FormatError> {
    let text = text(bytes)?;
    let mut builder = Builder::new(&[" > ", "::"]);
    if prove::is_around(&text) {
        prove::read(&text, &mut builder)?;
        return Ok(builder.finish());
    }
    let mut document = Document::default();
    for line in lines(&text) {
        let (number, line) = line?;
        document.line(number, line)?;
    }
    if let Err(reason) = document.close() {
        builder.incomplete(reason);
    }
    if !text.ends_with('\n') {
        // A name that was cut is another test's name.
        builder.incomplete("the report ends inside a line");
    }
    document.write("", root, &mut builder)?;
    Ok(builder.finish())
}

/// One stream of TAP.
pub(super) struct Document {
    /// The open levels, the outermost first; never empty.
    levels: Vec<Level>,
    /// The YAML block that is being read: its indent, and whether a text is open.
    yaml: Option<(usize, bool)>,
    /// Names of open subtests by their depth, from comments.
    subtests: BTreeMap<usize, String>,
    wrong: Option<String>,
}

#[derive(Default)]
struct Level {
    planned: Option<u64>,
    points: Vec<Point>,
    numbers: HashSet<u64>,
    /// Of a plan of nothing: why.
    skipped: Option<String>,
}

impl Default for Document {
    fn default() -> Self {
        Self {
            levels: vec![Level::default()],
            yaml: None,
            subtests: BTreeMap::new(),
            wrong: None,
        }
    }
}

impl Document {
    /// Takes the next line. What is no TAP is passed over, as the format says.
    pub fn line(&mut self, number: usize, line: &str) -> Result<(), FormatError> {
        if self.yaml(line) {
            return Ok(());
        }
        let bare = line.trim_start_matches(' ');
        let indent = line.len() - bare.len();
        let bare = bare.trim_end();
        if bare == "---" && self.opens_yaml(indent) {
            self.yaml = Some((indent, false));
            return Ok(());
        }
        if let Some(reason) = bare.strip_prefix("Bail out!") {
            self.wrong(&format!("the tests bailed out: {}", reason.trim()));
            return Ok(());
        }
        if !indent.is_multiple_of(4) {
            return Ok(());
        }
        let depth = indent / 4;
        if let Some(name) = bare.strip_prefix("# Subtest: ") {
            // Subtests may come before anything of the levels around them.
            while self.levels.len() <= depth && depth < MAX_DEPTH {
                self.levels.push(Level::default());
            }
            self.subtests.insert(depth, unescape(name));
        } else if let Some(plan) = plan(bare) {
            if let Some(level) = self.level(depth, number)? {
                level.plan(plan);
            }
        } else if let Some((state, rest)) = point(bare)
            && depth <= self.levels.len()
        {
            self.point(depth, number, state, rest)?;
        }
        Ok(())
    }

    fn wrong(&mut self, reason: &str) {
        self.wrong.get_or_insert_with(|| reason.to_owned());
    }

    /// The level of a plan or a point; none where it is indented deeper than one
    /// level below what is open, which is somebody's output.
    fn level(&mut self, depth: usize, number: usize) -> Result<Option<&mut Level>, FormatError> {
        if depth >= MAX_DEPTH {
            return Err(FormatError::TooDeep(number));
        }
        if depth == self.levels.len() {
            self.levels.push(Level::default());
        }
        if depth + 1 < self.levels.len() {
            // A plan behind subtests that no point has closed.
            self.wrong("a subtest has no result");
            self.fold(depth + 1);
        }
        Ok(self.levels.get_mut(depth))
    }

    fn point(
        &mut self,
        depth: usize,
        number: usize,
        ok: bool,
        rest: &str,
    ) -> Result<(), FormatError> {
        let mut children = Vec::new();
        if depth + 1 < self.levels.len() {
            if depth + 2 < self.levels.len() {
                self.wrong("a subtest has no result");
                self.fold(depth + 2);
            }
            if let Some(level) = self.levels.pop() {
                if !level.is_untouched()
                    && let Err(reason) = level.whole()
                {
                    self.wrong(&format!("in a subtest, {reason}"));
                }
                children = level.points;
            }
        }
        let name = self.subtests.remove(&depth);
        let Some(level) = self.level(depth, number)? else {
            return Ok(());
        };
        if let Some(reason) = level.point(ok, rest, name, children) {
            self.wrong(&reason);
        }
        Ok(())
    }

    /// Closes what is open at `depth` and deeper; its points go to the level above.
    fn fold(&mut self, depth: usize) {
        while self.levels.len() > depth.max(1) {
            let points = self.levels.pop().map(|level| level.points);
            if let Some(above) = self.levels.last_mut() {
                above.points.extend(points.into_iter().flatten());
            }
        }
    }

    /// A block follows a point, two columns in from it.
    fn opens_yaml(&self, indent: usize) -> bool {
        let last = self.levels.last();
        indent >= 2
            && indent % 4 == 2
            && (indent - 2) / 4 + 1 == self.levels.len()
            && last.is_some_and(|level| !level.points.is_empty())
    }

    /// Takes a line of an open YAML block.
    fn yaml(&mut self, line: &str) -> bool {
        let Some((indent, in_text)) = self.yaml else {
            return false;
        };
        let bare = line.trim_start_matches(' ');
        let own = line.len() - bare.len();
        if own == indent && bare.trim_end() == "..." {
            self.yaml = None;
            return true;
        }
        let point = self
            .levels
            .last_mut()
            .and_then(|level| level.points.last_mut());
        let Some(point) = point else {
            return true;
        };
        if own == indent {
            let text = point.told(bare);
            self.yaml = Some((indent, text));
        } else if in_text && own > indent && !bare.trim().is_empty() {
            point.record = Record::new(point.record.state, point.record.ms, bare);
            self.yaml = Some((indent, false));
        }
        true
    }

    /// The end: whether the stream is whole.
    pub fn close(&mut self) -> Result<(), String> {
        if self.yaml.is_some() {
            self.wrong("the report ends inside a block of details");
        }
        if self
            .levels
            .iter()
            .skip(1)
            .any(|level| !level.is_untouched())
        {
            self.wrong("the report ends inside a subtest");
        }
        self.fold(1);
        let whole = match self.levels.first() {
            Some(level) => level.whole(),
            None => Err("it has no plan".to_owned()),
        };
        if let Err(reason) = whole {
            self.wrong(&format!("the report is not whole: {reason}"));
        }
        self.wrong.clone().map_or(Ok(()), Err)
    }

    /// Why everything was skipped, where the plan says so.
    pub fn skipped(&self) -> Option<&str> {
        self.levels.first()?.skipped.as_deref()
    }

    /// Whether any point is no pass.
    pub fn any_failed(&self) -> bool {
        let mut points = self.levels.iter().flat_map(|level| &level.points);
        points.any(|point| is_bad(point.record.state))
    }

    /// Writes the records, their ids behind `prefix`.
    pub fn write(self, prefix: &str, root: &str, builder: &mut Builder) -> Result<(), FormatError> {
        for point in self.levels.into_iter().flat_map(|level| level.points) {
            point.write(prefix, root, builder)?;
        }
        Ok(())
    }
}

impl Level {
    fn plan(&mut self, (count, skipped): (u64, Option<&str>)) {
        // A second plan can never be met.
        self.planned = Some(match self.planned {
            None => count,
            Some(_) => u64::MAX,
        });
        self.skipped = skipped.filter(|_| count == 0).map(str::to_owned);
    }

    /// Whether only a comment has opened it.
    fn is_untouched(&self) -> bool {
        self.planned.is_none() && self.points.is_empty()
    }

    /// Adds a point, which is called `name` where it has no description; what is
    /// wrong with it is returned.
    fn point(
        &mut self,
        ok: bool,
        rest: &str,
        name: Option<String>,
        children: Vec<Point>,
    ) -> Option<String> {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        // `ok 2x` has a name that begins with a digit, not a number.
        let numbered = digits > 0 && (digits == rest.len() || rest[digits..].starts_with(' '));
        let (number, rest) = match numbered {
            true => (
                rest[..digits].parse::<u64>().ok(),
                rest[digits..].trim_start(),
            ),
            false => (None, rest),
        };
        let position = self.points.len() as u64 + 1;
        let number = number.unwrap_or(if numbered { u64::MAX } else { position });
        let doubled = !self.numbers.insert(number);
        let name = name.unwrap_or_else(|| format!("#{number}"));
        self.points.push(Point::new(ok, name, rest, children));
        doubled.then(|| format!("the number {number} is given twice"))
    }

    fn whole(&self) -> Result<(), String> {
        let count = self.points.len() as u64;
        match self.planned {
            None => Err("it has no plan".to_owned()),
            Some(u64::MAX) => Err("it has two plans".to_owned()),
            Some(planned) if planned != count => {
                Err(format!("{planned} tests are planned, {count} are reported"))
            }
            Some(_)
                if self
                    .numbers
                    .iter()
                    .any(|number| *number == 0 || *number > count) =>
            {
                Err("a number is outside the plan".to_owned())
            }
            Some(_) => Ok(()),
        }
    }
}
