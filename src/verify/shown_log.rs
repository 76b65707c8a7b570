//! Tests that no runner of ours can run: by what their command shows, read by the
//! official log parser. Nothing but the command's own process says where its output
//! begins and ends, so no word in it does; but what it shows is all that there is.

use std::collections::HashSet;

use super::VerifyError;
use super::entered::shell;
use super::hands::{Ran, last_words};
use super::judge::{self, Judged, Usual};
use super::keep::bytes;
use super::pytest::{Record, Records};
use super::reference::Shape;
use super::steps::Steps;
use crate::record::{Evidence, Reason, TestState};
use crate::sandbox::{Ended, Exec};
use crate::swebench::Rules;
use crate::swebench::grade::{EvalType, says_that_tests_ran};
use crate::swebench::log::{About, Parser, Raised, Statuses};

/// Bytes of what a command shows that are read.
const SHOWN_BYTES: u64 = 64 << 20;

impl Steps<'_> {
    /// Runs the command and judges by what it shows.
    pub(super) async fn shown_log(&self) -> Result<Judged, VerifyError> {
        let verification = &self.task.verification;
        let nothing = || judge::nothing(self.task, Evidence::Asserted);
        let Some(command) = &verification.command else {
            let none = "nothing says how its tests are run other than its whole eval script";
            return Ok(nothing().unresolved(Reason::NoVerdict, none));
        };
        let lines = format!("exec 2>&1\n{command}");
        let exec = Exec {
            cwd: self.place.work_tree.clone(),
            env: verification.env.clone(),
            output_bytes: SHOWN_BYTES,
            ..Exec::new(shell(verification, &lines))
        };
        let ran = self.hands.execute_keeping("run the tests", exec).await?;
        let text = match &ran {
            Ran::Ended(output) | Ran::TimedOut(output) => bytes(&output.stdout),
            Ran::NoProgram(_) => Vec::new(),
        };
        self.hands.keep("stdout.txt", &text)?;
        self.hands.settle().await?;
        let text = String::from_utf8_lossy(&text);
        let judged = match self.parsed(&text) {
            Ok(statuses) if statuses.is_empty() && !self.silence_says(&statuses, &text, &ran) => {
                let said = format!("the command showed no test{}", last_words(&ran));
                nothing().unresolved(Reason::NoVerdict, &said)
            }
            Ok(statuses) => self.by_statuses(&statuses, &text, &ran),
            Err(raised) => nothing().unresolved(Reason::NoVerdict, &raised.to_string()),
        };
        Ok(self.unless_timed_out(judged, &ran))
    }

    fn by_statuses(&self, statuses: &Statuses, text: &str, ran: &Ran) -> Judged {
        let known = self.place.shape.as_ref();
        let mut records = records(statuses);
        if self.silence_says(statuses, text, ran) {
            self.add_silent(&mut records, statuses);
        }
        // A line that a test printed cannot be told from the runner's own; but the
        // runner's own is there as well. What the reference solution's log has twice as
        // well is the project's way, and the last line counts.
        let measures = self.place.usual == Usual::Measured;
        let usual = |name: &str| known.is_some_and(|shape| shape.several.contains(name));
        for (name, earlier) in statuses.replaced() {
            if measures || usual(name) {
                continue;
            }
            for status in earlier {
                let message = format!("the log names it with several results, {status} among them");
                records.put(name.to_owned(), record(status, Some(message)));
            }
        }
        let exit = match ran {
            Ran::Ended(output) => match output.ended {
                Ended::Exited(code) => code,
                _ => -1,
            },
            _ => -1,
        };
        let failed = any_failed(statuses);
        let agrees = known.is_none_or(|shape| shape.exit == exit || failed == (exit != 0));
        let several = statuses.replaced().map(|(name, _)| name.to_owned());
        let judged = Judged {
            evidence: Evidence::Asserted,
            shape: Some(Shape {
                exit,
                several: several.collect(),
                ..Shape::default()
            }),
            ..judge::by_records(self.task, &records, &[], &self.place.usual)
        };
        match judged.reason {
            None if !agrees => judged.unresolved(
                Reason::RecordsContradict,
                &format!("the command ended with {exit}, which what it showed does not say"),
            ),
            _ => judged,
        }
    }

    /// Whether a test that is not named has passed: of a project whose log names failures
    /// alone, where tests ran by its own count of them, and the command ended as what it
    /// showed says. More than that is not to be had of such a log, as of any other that is
    /// only shown.
    fn silence_says(&self, statuses: &Statuses, text: &str, ran: &Ran) -> bool {
        let official = self.task.official.as_ref();
        let fails_only = official.is_some_and(|official| {
            let said = official.eval_type.as_deref();
            EvalType::of(Rules::V5_0, &official.repo, said) == Some(EvalType::FailOnly)
        });
        let Ran::Ended(output) = ran else {
            return false;
        };
        let counted = !statuses.is_empty() || says_that_tests_ran(text);
        fails_only && counted && (output.ended.success() || any_failed(statuses))
    }

    /// A pass for each expected test that is not named.
    fn add_silent(&self, records: &mut Records, statuses: &Statuses) {
        let named: HashSet<&str> = statuses.iter().map(|(name, _)| name).collect();
        for (id, _) in self.task.expected().filter(|(id, _)| !named.contains(id)) {
            records.put(id.to_owned(), record("PASSED", None));
        }
    }

    fn parsed(&self, text: &str) -> Result<Statuses, Raised> {
        let name = self.task.verification.names.as_deref().unwrap_or_default();
        let official = self.task.official.as_ref();
        let about = About {
            instance_id: official.map_or("", |official| &official.instance_id),
            version: official.map_or("", |official| &official.version),
        };
        match Parser::named(Rules::V5_0, name) {
            Some(parser) => parser.parse(Rules::V5_0, about, text),
            None => Ok(Statuses::default()),
        }
    }
}

fn any_failed(statuses: &Statuses) -> bool {
    let mut all = statuses.iter();
    all.any(|(_, status)| matches!(status, "FAILED" | "ERROR"))
}

fn records(statuses: &Statuses) -> Records {
    let mut records = Records::default();
    for (name, status) in statuses.iter() {
        records.put(name.to_owned(), record(status, None));
    }
    records
}

fn record(status: &str, message: Option<String>) -> Record {
    let state = match status {
        "PASSED" => TestState::Passed,
        "XFAIL" => TestState::Xfailed,
        "SKIPPED" => TestState::Skipped,
        "ERROR" => TestState::Error,
        _ => TestState::Failed,
    };
    Record {
        state,
        ms: 0,
        message,
    }
}
