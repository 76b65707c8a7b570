//! The official grading of one instance: a log and the expected tests → a verdict.
//!
//! Owns the rules of swebench 4.1 and 5.0, exactly, with what they are fooled by: the
//! strict verdict is made elsewhere. Must not know where logs and rows come from, nor how
//! a log's lines are parsed ([`log`] does).

mod error;
mod infra;
mod marks;
mod ran;
mod status;
mod text;

#[cfg(test)]
pub(in crate::swebench) mod conformance_tests;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

pub use error::GradeError;
pub use infra::{Infra, Tier, classify};
pub use marks::{Found, MOST_PLACES, Mark, Marks, Place, control_words};
pub use ran::says_that_tests_ran;
pub use status::{Lists, Resolution, TestsStatus};

use super::Rules;
use super::log::{self, About, Parser, Raised, Statuses};

/// What grading needs of a row.
#[derive(Debug, Clone, Copy)]
pub struct Instance<'a> {
    pub instance_id: &'a str,
    /// `owner/name`.
    pub repo: &'a str,
    pub version: &'a str,
    /// As the row has it. 5.0 goes by it, 4.1 by the repository; where a row has none,
    /// 5.0 goes by the repository too.
    pub log_parser: Option<&'a str>,
    /// As the row has it, so that a word that 5.0 refuses is refused; see [`EvalType`].
    /// Where a row has none it hangs on the repository, in 4.1 always.
    pub eval_type: Option<&'a str>,
    pub fail_to_pass: &'a [String],
    pub pass_to_pass: &'a [String],
}

/// What an expected test must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvalType {
    /// Each must be seen to pass.
    PassAndFail,
    /// None may be seen to fail: one that the log does not name has passed.
    FailOnly,
}

impl EvalType {
    /// As rows have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PassAndFail => "pass_and_fail",
            Self::FailOnly => "fail_only",
        }
    }

    /// Of an instance: as its row says, which 4.1 does not ask, else by its repository.
    /// None where the row says a word that is none of these.
    pub fn of(rules: Rules, repo: &str, said: Option<&str>) -> Option<Self> {
        match (rules, said) {
            (Rules::V5_0, Some(name)) => Self::named(name),
            (rules, _) if fails_only(rules, repo) => Some(Self::FailOnly),
            _ => Some(Self::PassAndFail),
        }
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::PassAndFail, Self::FailOnly]
            .into_iter()
            .find(|eval_type| eval_type.name() == name)
    }
}

/// What the official rules say of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graded {
    /// The tests that the log names, empty where none is read.
    pub statuses: Statuses,
    /// How it came to tests that count, or to none.
    pub why: Why,
    /// None where no test counts: the instance is unresolved then, and reported as one
    /// whose patch was not applied.
    pub verdict: Option<Verdict>,
    /// What the environment may have done to a log in which no test counts (5.0 only).
    pub infra: Option<Infra>,
}

/// What the expected tests came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub resolution: Resolution,
    pub tests_status: TestsStatus,
}

impl Graded {
    /// Whether tests were found that count: `patch_successfully_applied` of a report.
    pub fn found(&self) -> bool {
        self.verdict.is_some()
    }

    /// Whether the instance is resolved.
    pub fn resolved(&self) -> bool {
        self.resolution() == Some(Resolution::Full)
    }

    /// How far it is resolved.
    pub fn resolution(&self) -> Option<Resolution> {
        self.verdict.as_ref().map(|verdict| verdict.resolution)
    }

    /// The expected tests by what became of them.
    pub fn tests_status(&self) -> Option<&TestsStatus> {
        self.verdict.as_ref().map(|verdict| &verdict.tests_status)
    }
}

/// How the official rules came to tests that count, or to none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Tests were read between the marks.
    Between,
    /// No test stands between the marks, and the whole log was read.
    Whole,
    /// The log names no test, and 4.1 takes that for a run; 5.0 too, where it says that
    /// tests ran.
    Silent,
    /// One of the words that void a log stands in it, the first in the order of [`Mark`].
    ControlWord(Mark),
    /// A mark that must be there is not.
    NoMark(Mark),
    /// The log names no test, and nothing says that any ran (5.0 only).
    NothingRan,
    /// The command of the tests failed with this exit status, and no test did (5.0 only).
    ExitCode(i64),
}

/// A sentence for people.
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Between => f.write_str("tests were read between the marks of the log"),
            Self::Whole => f.write_str(
                "no test stands between the marks of the log, so that the whole of it was read",
            ),
            Self::Silent => f.write_str("the log names no test, and counts all the same"),
            Self::ControlWord(word) => write!(
                f,
                "`{word}` stands in the log, which voids it wherever it stands"
            ),
            Self::NoMark(mark) => write!(f, "`{mark}` is missing in the log"),
            Self::NothingRan => {
                f.write_str("the log names no test, and nothing in it says that any ran")
            }
            Self::ExitCode(code) => write!(
                f,
                "the tests' command ended with {code}, and the log names no test that failed"
            ),
        }
    }
}

/// The log parser that the official rules take for an instance.
///
/// # Errors
/// [`GradeError::Parser`] and [`GradeError::Repo`] where they know none.
pub fn parser_of(rules: Rules, instance: &Instance<'_>) -> Result<Parser, GradeError> {
    match (rules, instance.log_parser) {
        (Rules::V5_0, Some(name)) => Parser::named(rules, name).ok_or_else(|| GradeError::Parser {
            instance: instance.instance_id.to_owned(),
            rules,
            parser: name.to_owned(),
        }),
        _ => Parser::of_repo(rules, instance.repo).ok_or_else(|| GradeError::Repo {
            instance: instance.instance_id.to_owned(),
            rules,
            repo: instance.repo.to_owned(),
        }),
    }
}

/// Grades an instance by its log: the bytes of the file, read as Python reads a text file
/// (UTF-8; a CRLF and a lone CR end a line). The time is linear in the log; its size is the
/// caller's to bound.
///
/// # Errors
/// Where the official grading breaks off with an exception.
pub fn grade(rules: Rules, instance: &Instance<'_>, log: &[u8]) -> Result<Graded, GradeError> {
    let parser = parser_of(rules, instance)?;
    grade_with(rules, instance, parser, log)
}

/// What the official harness writes to `test_output.txt` of what the eval script said: 5.0
/// replaces what is not UTF-8, 4.1 breaks off. Ends of lines stay as they are.
///
/// # Errors
/// [`GradeError::NotUtf8`] by the rules of 4.1.
pub fn test_output<'a>(
    rules: Rules,
    instance_id: &str,
    said: &'a [u8],
) -> Result<Cow<'a, str>, GradeError> {
    match rules {
        Rules::V5_0 => Ok(String::from_utf8_lossy(said)),
        Rules::V4_1 => text::valid(said)
            .map(Cow::Borrowed)
            .map_err(|error| error.of(instance_id)),
    }
}

/// [`grade`] with a log parser of the caller's choice, as an environment's specification
/// names one where the official tables know none.
///
/// # Errors
/// As those of [`grade`].
pub fn grade_with(
    rules: Rules,
    instance: &Instance<'_>,
    parser: Parser,
    log: &[u8],
) -> Result<Graded, GradeError> {
    let about = About {
        instance_id: instance.instance_id,
        version: instance.version,
    };
    graded(rules, instance, log, |text| {
        parser.parse(rules, about, text)
    })
}

/// The rules; `parse` is what reads tests out of a text.
fn graded(
    rules: Rules,
    instance: &Instance<'_>,
    log: &[u8],
    parse: impl Fn(&str) -> Result<Statuses, Raised>,
) -> Result<Graded, GradeError> {
    let log = text::strict(log).map_err(|error| error.of(instance.instance_id))?;
    let (statuses, why) = match between_marks(&log) {
        Err(why) => (Statuses::new(), why),
        Ok(between) => {
            let raised = |Raised(exception)| GradeError::Raised {
                instance: instance.instance_id.to_owned(),
                exception,
            };
            let read = read(rules, &log, between, parse).map_err(raised)?;
            doubted(rules, instance, &log, read)?
        }
    };
    let counts = matches!(why, Why::Between | Why::Whole | Why::Silent);
    let verdict = match counts {
        true => {
            let eval_type = eval_type_of(rules, instance)?;
            let tests_status = status::tests_status(rules, eval_type, instance, &statuses);
            Some(Verdict {
                resolution: tests_status.resolution(),
                tests_status,
            })
        }
        false => None,
    };
    let asks = rules == Rules::V5_0 && verdict.is_none();
    Ok(Graded {
        statuses,
        why,
        infra: asks.then(|| infra::classify_text(&log)).flatten(),
        verdict,
    })
}

/// What stands between the first mark of the start and the next mark.
fn between_marks(log: &str) -> Result<&str, Why> {
    let word = Mark::VOIDING
        .into_iter()
        .find(|word| log.contains(word.text()));
    if let Some(word) = word {
        return Err(Why::ControlWord(word));
    }
    let (_, after) = log
        .split_once(Mark::Start.text())
        .ok_or(Why::NoMark(Mark::Start))?;
    if !log.contains(Mark::End.text()) {
        return Err(Why::NoMark(Mark::End));
    }
    let until = |text, mark: Mark| str::split_once(text, mark.text()).map_or(text, |(is, _)| is);
    Ok(until(until(after, Mark::Start), Mark::End))
}

/// The tests between the marks; where none is, those of the whole log.
fn read(
    rules: Rules,
    log: &str,
    between: &str,
    parse: impl Fn(&str) -> Result<Statuses, Raised>,
) -> Result<(Statuses, Why), Raised> {
    let statuses = parse(between)?;
    if !statuses.is_empty() {
        return Ok((statuses, Why::Between));
    }
    let statuses = parse(log)?;
    if !statuses.is_empty() {
        return Ok((statuses, Why::Whole));
    }
    let counts = rules == Rules::V4_1 || ran::says_that_tests_ran(log);
    Ok((statuses, if counts { Why::Silent } else { Why::NothingRan }))
}

/// 5.0 holds the tests against the exit status that the log tells.
fn doubted(
    rules: Rules,
    instance: &Instance<'_>,
    log: &str,
    (statuses, why): (Statuses, Why),
) -> Result<(Statuses, Why), GradeError> {
    if rules == Rules::V4_1 || why == Why::NothingRan {
        return Ok((statuses, why));
    }
    let code = ran::exit_code(log).map_err(|digits| GradeError::ExitCode {
        instance: instance.instance_id.to_owned(),
        digits,
    })?;
    let failed = |statuses: &Statuses| {
        let mut all = statuses.iter();
        all.any(|(_, status)| matches!(status, "FAILED" | "ERROR"))
    };
    Ok(match code {
        Some(code) if code != 0 && !statuses.is_empty() && !failed(&statuses) => {
            (Statuses::new(), Why::ExitCode(code))
        }
        _ => (statuses, why),
    })
}

fn eval_type_of(rules: Rules, instance: &Instance<'_>) -> Result<EvalType, GradeError> {
    let said = instance.eval_type;
    EvalType::of(rules, instance.repo, said).ok_or_else(|| GradeError::EvalType {
        instance: instance.instance_id.to_owned(),
        eval_type: said.unwrap_or_default().to_owned(),
    })
}

/// Whether a project's parser tells only what failed. 5.0 has the list too, and rows that
/// say the same.
fn fails_only(rules: Rules, repo: &str) -> bool {
    let since_5_0 = ["bpmn-io/bpmn-js", "eslint/eslint", "openlayers/openlayers"];
    log::fail_only(repo) || rules == Rules::V5_0 && since_5_0.contains(&repo)
}
