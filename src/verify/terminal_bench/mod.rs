//! Terminal-Bench 1: `run-tests.sh` on a terminal, and what of its text counts.
//!
//! Owns how it is run and the way from its text to a judgement. Must not know
//! `task.yaml`. A text is what the sandbox claims: evidence is never more than that.

mod parse;

pub use parse::{NoResults, results};

use std::io;
use std::path::Path;
use std::time::Duration;

use super::VerifyError;
use super::hands::{OUTPUT_BYTES, Ran, last_words};
use super::judge::{self, Judged};
use super::keep::{bytes, last_lines};
use super::steps::Steps;
use crate::record::{Evidence, Reason, Sees, TestRecord};
use crate::sandbox::guest::terminal::{Play, on_login};
use crate::sandbox::{
    Captured, Ended, Exec, Interpreter, SandboxError, ShellCommand, User, shown, wire,
};
use crate::task::terminal_bench::Parser;

const RUN: &str = "bash /tests/run-tests.sh";
/// Names the parser of what lies beside it.
const PARSER: &str = "parser.txt";
const TEXT: &str = "stdout.txt";
/// Lines that are told where there is no verdict.
const TAIL: usize = 5;

impl Steps<'_> {
    /// Runs `run-tests.sh`, on a terminal of its own or in the agent's shell, and judges
    /// by what it shows. What it shows when it does not end in time is not read.
    pub(super) async fn terminal_bench(&self, parser: Parser) -> Result<Judged, VerifyError> {
        let verification = &self.task.verification;
        let ran = match verification.sees == Sees::Live && verification.same_shell {
            true => self.in_agents_shell().await?,
            false => self.on_a_terminal().await?,
        };
        let text = match &ran {
            Ran::Ended(output) | Ran::TimedOut(output) => shown(&bytes(&output.stdout)),
            Ran::NoProgram(_) => String::new(),
        };
        self.hands.keep(TEXT, text.as_bytes())?;
        if let Ran::Ended(output) | Ran::TimedOut(output) = &ran {
            self.hands.keep("stderr.txt", &bytes(&output.stderr))?;
        }
        self.hands.settle().await?;
        let nothing = judge::nothing(self.task, Evidence::Asserted);
        if let Ran::TimedOut(_) = ran {
            return Ok(self.unless_timed_out(nothing, &ran));
        }
        self.hands.keep(PARSER, parser.name().as_bytes())?;
        Ok(match results(parser, &text) {
            Ok(tests) => judge::by_shown(tests),
            Err(none) => {
                let said = tail(&text).unwrap_or_else(|| last_words(&ran));
                nothing.unresolved(Reason::NoVerdict, &format!("{none}{said}"))
            }
        })
    }

    async fn on_a_terminal(&self) -> Result<Ran, VerifyError> {
        let play = Play {
            argv: on_login(RUN),
            ..Play::default()
        };
        let exec = Exec {
            env: self.task.verification.env.clone(),
            stdin: serde_json::to_vec(&play).unwrap_or_default(),
            ..Exec::new([wire::HELPER, "terminal"])
        };
        self.hands.execute("run the tests", exec).await
    }

    /// What was set there for commands, tests find.
    async fn in_agents_shell(&self) -> Result<Ran, VerifyError> {
        let hands = &self.hands;
        let left = hands.limit.saturating_sub(hands.started.elapsed());
        let command = ShellCommand {
            interpreter: Interpreter::Shell,
            command: format!("COLUMNS=160 {RUN} 2>&1"),
            user: match &self.task.agent.user {
                Some(name) => User::Named(name.clone()),
                None => User::Default,
            },
            timeout: left.max(Duration::from_millis(1)),
            output_bytes: OUTPUT_BYTES,
        };
        match hands.sandbox.shell(command).await {
            Ok(output) if output.ended == Ended::TimedOut => Ok(Ran::TimedOut(output)),
            Ok(output) => Ok(Ran::Ended(output)),
            Err(SandboxError::Guest(refusal)) => Ok(Ran::NoProgram(refusal.message)),
            Err(error) => Err(VerifyError::of("run the tests", error)),
        }
    }
}

/// The last lines of a text, as the end of a sentence.
fn tail(text: &str) -> Option<String> {
    let captured = Captured {
        head: text.as_bytes().to_vec(),
        ..Captured::default()
    };
    let last = last_lines(&[&captured], TAIL);
    (!last.is_empty()).then(|| format!(": {last}"))
}

/// The tests that a finished verification kept; none where it is not of this format,
/// none at all where its text has no results.
///
/// # Errors
/// A file is there and cannot be read.
pub fn kept(dir: &Path) -> io::Result<Option<Vec<TestRecord>>> {
    let read = |name: &str| match std::fs::read(dir.join(name)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    let Some(name) = read(PARSER)? else {
        return Ok(None);
    };
    let text = read(TEXT)?.unwrap_or_default();
    let parser = Parser::named(String::from_utf8_lossy(&name).trim());
    let tests = parser.and_then(|parser| results(parser, &shown(&text)).ok());
    Ok(Some(tests.unwrap_or_default()))
}

#[cfg(test)]
mod tests;
