//! The official verdict on an instance of SWE-bench, beside our own: its eval script as
//! it stands, in a sandbox of its own, graded by what it prints.
//!
//! Owns how a patch is applied and the script is run, exactly as the official harness
//! does, and what is kept of it. Must not know how its log is read (`swebench` does) nor
//! how the verdict counts (`rules`).

mod apply;
mod differs;
mod kept;
mod rules;

pub use apply::Refused;
pub use kept::again;
pub use rules::{both, official_alone};

use std::path::Path;
use std::time::{Duration, Instant};

use super::VerifyError;
use super::hands::{Hands, Ran};
use super::keep::bytes;
use crate::record::OfficialRecord;
use crate::sandbox::{Exec, Sandbox, User};
use crate::swebench::grade::{self, GradeError, Graded, Instance, Marks};
use crate::swebench::report::{InstanceReport, Report};
use crate::swebench::{Rules, grade::control_words};
use crate::task::Official;

/// Where the official harness puts the script.
const SCRIPT: &str = "/eval.sh";
/// What its log was graded by.
const INSTANCE: &str = "instance.json";
/// Bytes of a log that are kept and graded.
const LOG_BYTES: u64 = 64 << 20;
/// The folder below a trial's `verifier/`.
pub const FOLDER: &str = "official";

/// What is verified, and by whose rules.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    pub rules: Rules,
    pub official: &'a Official,
    /// The eval script, as these rules run it.
    pub script: &'a str,
    /// As it was predicted.
    pub patch: &'a [u8],
    /// Of the script.
    pub limit: Duration,
}

/// What came of the official way.
#[derive(Debug, Clone)]
pub enum Came {
    Graded(Box<Graded>, Marks),
    /// An official run does not even begin.
    EmptyPatch,
    /// None of the ways to apply it did; what the last one said.
    DoesNotApply(String),
    TimedOut(Duration),
    NoShell(String),
    /// The official grading itself breaks off.
    Broke(GradeError),
}

impl Came {
    /// Whether the official rules count the instance as resolved.
    pub fn resolved(&self) -> bool {
        matches!(self, Came::Graded(graded, _) if graded.resolved())
    }

    /// Why it is not, in a sentence.
    pub fn reason(&self) -> Option<String> {
        Some(match self {
            Came::Graded(graded, _) if graded.resolved() => return None,
            Came::Graded(graded, _) => match graded.tests_status() {
                None => graded.why.to_string(),
                Some(status) => short_of(&[
                    ("fail_to_pass", &status.fail_to_pass),
                    ("pass_to_pass", &status.pass_to_pass),
                ]),
            },
            Came::EmptyPatch => "the patch is empty".to_owned(),
            Came::DoesNotApply(said) => format!("the patch does not apply: {said}"),
            Came::TimedOut(limit) => {
                format!(
                    "the eval script did not end within {} s",
                    limit.as_secs_f64()
                )
            }
            Came::NoShell(said) => format!("the image has no /bin/bash: {said}"),
            Came::Broke(error) => error.to_string(),
        })
    }

    /// As it is recorded, before it is held against another verdict.
    pub fn record(&self, rules: Rules) -> OfficialRecord {
        let report =
            matches!(self, Came::Graded(..)).then(|| format!("verifier/{FOLDER}/report.json"));
        OfficialRecord {
            rules: rules.name().to_owned(),
            resolved: self.resolved(),
            report,
            reason: self.reason(),
            differs: None,
        }
    }
}

/// `1 of 2 fail_to_pass by the log (first: t)`.
fn short_of(lists: &[(&str, &grade::Lists)]) -> String {
    let parts = lists.iter().filter(|(_, list)| !list.failure.is_empty());
    let parts: Vec<String> = parts
        .map(|(name, list)| {
            let of = list.failure.len() + list.success.len();
            let first = list.failure.first().map_or("", String::as_str);
            let first = super::junit::cut(first, 200);
            format!(
                "{} of {of} {name} did not pass by the log (first: {first})",
                list.failure.len()
            )
        })
        .collect();
    match parts.is_empty() {
        // A test that was skipped may be in neither list.
        true => "not every expected test passed by the log".to_owned(),
        false => parts.join(", "),
    }
}

/// Applies the patch in a pristine sandbox, runs the script as root and grades its log.
///
/// `log_dir` gets what the official harness keeps: `patch.diff`, `eval.sh`,
/// `run_instance.log`, `test_output.txt`, `report.json`, whatever of these there is.
///
/// # Errors
/// As of [`super::verify`].
pub async fn official(
    sandbox: &dyn Sandbox,
    ask: &Ask<'_>,
    log_dir: &Path,
) -> Result<Came, VerifyError> {
    let hands = Hands {
        sandbox,
        user: User::Root,
        started: Instant::now(),
        limit: ask.limit + apply::LIMIT,
        log_dir,
        goes_on: false,
    };
    hands.keep("patch.diff", ask.patch)?;
    hands.keep(INSTANCE, &kept::text(ask.rules, ask.official))?;
    if ask.patch.is_empty() {
        return Ok(Came::EmptyPatch);
    }
    let workdir = &ask.official.workdir;
    if let Some(refused) = apply::apply(&hands, ask.rules, workdir, ask.patch).await? {
        return Ok(Came::DoesNotApply(refused));
    }
    hands.keep("eval.sh", ask.script.as_bytes())?;
    hands.write(SCRIPT, ask.script.as_bytes()).await?;
    // The script's time is its own, however long the patch took.
    let hands = Hands {
        started: Instant::now(),
        limit: ask.limit,
        ..hands
    };
    let came = match run(&hands, ask).await? {
        Ran::NoProgram(said) => Came::NoShell(said),
        Ran::TimedOut(output) => {
            let mut log = bytes(&output.stdout);
            log.extend(told_late(ask.limit).into_bytes());
            hands.keep("test_output.txt", &log)?;
            Came::TimedOut(ask.limit)
        }
        Ran::Ended(output) => {
            let said = bytes(&output.stdout);
            match grade::test_output(ask.rules, &ask.official.instance_id, &said) {
                Ok(log) => {
                    hands.keep("test_output.txt", log.as_bytes())?;
                    graded(ask.rules, ask.official, log.as_bytes())
                }
                Err(error) => {
                    hands.keep("test_output.txt", &said)?;
                    Came::Broke(error)
                }
            }
        }
    };
    if let Came::Graded(graded, _) = &came {
        let report = InstanceReport::of(ask.rules, graded);
        let report = Report::of(&ask.official.instance_id, report);
        hands.keep("report.json", report.text().as_bytes())?;
    }
    Ok(came)
}

/// Applies a patch alone, for a change that no script follows; what the last way said
/// where none did. `log_dir` gets `run_instance.log`.
///
/// # Errors
/// As of [`super::verify`].
pub async fn apply_alone(
    sandbox: &dyn Sandbox,
    rules: Rules,
    workdir: &str,
    patch: &[u8],
    log_dir: &Path,
) -> Result<Option<Refused>, VerifyError> {
    let hands = Hands {
        sandbox,
        user: User::Root,
        started: Instant::now(),
        limit: apply::LIMIT,
        log_dir,
        goes_on: false,
    };
    let applied = apply::apply(&hands, rules, workdir, patch).await?;
    Ok(applied.map(Refused))
}

/// The script, with both outputs in one log, as the engine gives them.
async fn run(hands: &Hands<'_>, ask: &Ask<'_>) -> Result<Ran, VerifyError> {
    let line = format!("exec /bin/bash {SCRIPT} 2>&1");
    let exec = Exec {
        cwd: Some(ask.official.workdir.clone()),
        output_bytes: LOG_BYTES,
        ..Exec::new(["/bin/bash", "-c", &line])
    };
    hands.execute_keeping("run the eval script", exec).await
}

/// What the official harness adds to a log that was cut off.
fn told_late(limit: Duration) -> String {
    format!("\n\nTimeout error: {} seconds exceeded.", limit.as_secs())
}

/// The official verdict on a log.
pub fn graded(rules: Rules, official: &Official, log: &[u8]) -> Came {
    let instance = Instance {
        instance_id: &official.instance_id,
        repo: &official.repo,
        version: &official.version,
        log_parser: official.log_parser.as_deref(),
        eval_type: official.eval_type.as_deref(),
        fail_to_pass: &official.fail_to_pass,
        pass_to_pass: &official.pass_to_pass,
    };
    let parser = match grade::parser_of(rules, &instance) {
        Ok(parser) => Ok(parser),
        // A repository that the official tables do not know has a parser by its name.
        Err(error) => crate::swebench::log::Parser::named(
            rules,
            official.log_parser.as_deref().unwrap_or_default(),
        )
        .ok_or(error),
    };
    let graded = parser.and_then(|parser| grade::grade_with(rules, &instance, parser, log));
    match graded {
        Ok(graded) => Came::Graded(Box::new(graded), control_words(log)),
        Err(error) => Came::Broke(error),
    }
}
