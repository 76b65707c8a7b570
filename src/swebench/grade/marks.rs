//! Where the words stand that the official rules obey. Tests can print them as well, and
//! then a user wants to know which of them came from where.

use std::fmt;
use std::sync::LazyLock;

use regex::bytes::Regex;

/// Most places of one mark that are kept; all are counted.
pub const MOST_PLACES: usize = 16;

/// A word in a log that the official rules obey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mark {
    PatchApplyFailed,
    ResetFailed,
    TestsErrored,
    TestsTimedOut,
    Start,
    End,
    /// Obeyed by 5.0 only.
    ExitCode,
}

impl Mark {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::PatchApplyFailed,
        Self::ResetFailed,
        Self::TestsErrored,
        Self::TestsTimedOut,
        Self::Start,
        Self::End,
        Self::ExitCode,
    ];

    /// Those that void a log wherever they stand.
    pub const VOIDING: [Self; 4] = [
        Self::PatchApplyFailed,
        Self::ResetFailed,
        Self::TestsErrored,
        Self::TestsTimedOut,
    ];

    /// As it stands in a log.
    pub fn text(self) -> &'static str {
        match self {
            Self::PatchApplyFailed => ">>>>> Patch Apply Failed",
            Self::ResetFailed => ">>>>> Reset Failed",
            Self::TestsErrored => ">>>>> Tests Errored",
            Self::TestsTimedOut => ">>>>> Tests Timed Out",
            Self::Start => ">>>>> Start Test Output",
            Self::End => ">>>>> End Test Output",
            Self::ExitCode => ">>>>> Test Exit Code",
        }
    }

    /// Whether it voids a log wherever it stands.
    pub fn voids(self) -> bool {
        Self::VOIDING.contains(&self)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// The marks of a log; those that it does not have are not listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks(pub Vec<Found>);

/// One mark of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub mark: Mark,
    /// How often it stands there, at least 1.
    pub count: u64,
    /// Where, in order, at most [`MOST_PLACES`] and at least one.
    pub places: Vec<Place>,
}

/// A place in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Bytes before it.
    pub offset: u64,
    /// From 1, as newlines part lines.
    pub line: u64,
}

/// Which marks stand in a log, and where. The time is linear in the log.
pub fn control_words(log: &[u8]) -> Marks {
    static ANY: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&Mark::ALL.map(Mark::text).join("|")).expect("a constant pattern")
    });
    let mut marks = Mark::ALL.map(|mark| Found {
        mark,
        count: 0,
        places: Vec::new(),
    });
    let (mut line, mut counted) = (1, 0);
    for hit in ANY.find_iter(log) {
        let since = log.get(counted..hit.start()).unwrap_or_default();
        line += since.iter().filter(|byte| **byte == b'\n').count() as u64;
        counted = hit.start();
        let is = |found: &&mut Found| found.mark.text().as_bytes() == hit.as_bytes();
        if let Some(found) = marks.iter_mut().find(is) {
            found.count += 1;
            if found.places.len() < MOST_PLACES {
                let offset = hit.start() as u64;
                found.places.push(Place { offset, line });
            }
        }
    }
    Marks(marks.into_iter().filter(|found| found.count > 0).collect())
}

impl Marks {
    /// A mark, if the log has it.
    pub fn find(&self, mark: Mark) -> Option<&Found> {
        self.0.iter().find(|found| found.mark == mark)
    }

    /// What no honest log of an eval script has, a sentence each: words that void it,
    /// marks that stand there more than once or in the wrong order, and exit statuses
    /// beyond the line of the script and its echo.
    pub fn oddities(&self) -> Vec<String> {
        let count = |mark| self.find(mark).map_or(0, |found| found.count);
        let mut told: Vec<String> = Vec::new();
        for found in &self.0 {
            let rule = match found.mark {
                mark if mark.voids() => "which voids the log wherever it stands",
                Mark::Start if found.count > 1 => {
                    "and the official rules read from the first to the second"
                }
                Mark::End if found.count > 1 => {
                    "and the official rules read up to the first behind the start"
                }
                Mark::ExitCode if found.count > 2 => "and the official rules obey the first",
                _ => continue,
            };
            told.push(format!("`{}` stands {found}, {rule}", found.mark));
        }
        let first = |mark| self.find(mark).and_then(|found| found.places.first());
        if let (Some(start), Some(end)) = (first(Mark::Start), first(Mark::End))
            && end < start
        {
            told.push(format!(
                "`{}` in line {} stands before `{}` in line {}",
                Mark::End,
                end.line,
                Mark::Start,
                start.line
            ));
        }
        for mark in [Mark::Start, Mark::End] {
            if count(mark) == 0 {
                told.push(format!("`{mark}` is missing"));
            }
        }
        told
    }
}

/// `in line 3`, `3 times, in lines 3, 5, 9`.
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self
            .places
            .iter()
            .map(|place| place.line.to_string())
            .collect();
        let lines = lines.join(", ");
        let more = match self.count > self.places.len() as u64 {
            true => ", …",
            false => "",
        };
        match self.count {
            1 => write!(f, "in line {lines}"),
            count => write!(f, "{count} times, in lines {lines}{more}"),
        }
    }
}
