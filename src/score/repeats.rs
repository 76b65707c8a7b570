//! Calls that could not tell anything new.
//!
//! Owns when a call repeats an earlier one. Must not know what a repeat costs.

use std::collections::HashMap;

use serde_json::Value;

use super::calls::Made;
use super::scope::READING;
use crate::task::by_value;

/// How many calls repeat an earlier one: the same tool with the same arguments gave
/// the same result before, and no other call that succeeded and may have changed
/// something lies between. `read`, `list` and `search` change nothing, any other
/// tool may.
pub fn repeated(calls: &[Made<'_>]) -> u64 {
    let mut number: HashMap<(&str, Asked<'_>), usize> = HashMap::new();
    let mut answers: HashMap<(usize, Answer<'_>), usize> = HashMap::new();
    let mut changes = Changes::default();
    let mut repeated = 0;
    for (at, call) in calls.iter().enumerate() {
        let next = number.len();
        let which = *number.entry((call.tool, asked(call))).or_insert(next);
        if let Some(answer) = answer(call) {
            let before = answers.insert((which, answer), at);
            if before.is_some_and(|before| changes.last_beside(which) < Some(before)) {
                repeated += 1;
            }
        }
        if call.succeeded() && !READING.contains(&call.tool) {
            changes.made(which, at);
        }
    }
    repeated
}

/// The arguments of a call.
#[derive(PartialEq, Eq, Hash)]
enum Asked<'a> {
    Arguments(Option<Value>),
    Raw(&'a str),
}

fn asked<'a>(call: &Made<'a>) -> Asked<'a> {
    match call.raw {
        Some(raw) => Asked::Raw(raw),
        None => Asked::Arguments(call.arguments.map(by_value)),
    }
}

/// What an agent is given back.
#[derive(PartialEq, Eq, Hash)]
struct Answer<'a> {
    ok: Option<bool>,
    error: Option<&'a str>,
    output: Option<&'a str>,
    exit_code: Option<i32>,
}

/// None of a call under which the session ended.
fn answer<'a>(call: &Made<'a>) -> Option<Answer<'a>> {
    let result = call.result?;
    Some(Answer {
        ok: result.ok,
        error: result.error.as_deref(),
        output: result.output.as_deref(),
        exit_code: result.exit_code,
    })
}

/// The last two calls that differ and may have changed something.
#[derive(Default)]
struct Changes {
    /// Which call, and its place.
    last: Option<(usize, usize)>,
    before: Option<(usize, usize)>,
}

impl Changes {
    fn made(&mut self, which: usize, at: usize) {
        if self.last.is_some_and(|(last, _)| last != which) {
            self.before = self.last;
        }
        self.last = Some((which, at));
    }

    /// The place of the last change by another call than this one.
    fn last_beside(&self, which: usize) -> Option<usize> {
        let other = self.last.filter(|(last, _)| *last != which);
        other.or(self.before).map(|(_, at)| at)
    }
}
