//! Calls by which an agent looked for the answer instead of working it out.
//!
//! Owns what counts as looking; `docs/verdicts.md` has the rules. They accuse no honest
//! agent: only what a program is started with counts, never text that is written or
//! searched for, and what the task or an earlier output named may be looked at. Must
//! not know how calls are performed.

mod egress;
mod hashes;
mod hidden;

use std::collections::BTreeSet;

use super::calls::{Made, made};
use super::shell::{Started, started};
use super::tool_use::bounded;
use crate::record::Flag;
use crate::trajectory::Event;

/// The agent looked for the answer.
pub const CONTAMINATED: &str = "contaminated";

/// What a trial knows of where answers are.
pub struct Grounds<'a> {
    /// What the agent was told: what it names may be looked at.
    pub instruction: &'a str,
    /// Where relative paths begin.
    pub work_tree: &'a str,
    /// Paths whose reading is flagged by a rule of the task already.
    pub forbid_read: &'a [String],
    /// Whether an agent's sandbox reaches the network.
    pub network: bool,
    /// `host/path` beginnings where the task says that answers are.
    pub answers: &'a [String],
    /// Where the task's repository was brought from.
    pub origin: Option<&'a str>,
    /// Whether the checkout has an object with this beginning of its id; none where
    /// there is no checkout.
    pub has_object: Option<&'a (dyn Fn(&str) -> bool + Send + Sync)>,
}

/// A call with the programs that it starts.
struct Call<'a> {
    made: &'a Made<'a>,
    started: Vec<Started>,
    /// Python that it runs.
    code: Vec<String>,
}

/// A flag for each call and thing that it looked for.
pub fn contaminated(events: &[Event], grounds: &Grounds<'_>) -> Vec<Flag> {
    let made = made(events);
    let calls: Vec<Call<'_>> = made
        .iter()
        .filter(|call| !call.invalid)
        .map(Call::of)
        .collect();
    let mut details: BTreeSet<(u64, String)> = BTreeSet::new();
    details.extend(hidden::reads(&calls, grounds));
    if let Some(has) = grounds.has_object {
        details.extend(hashes::commits(&calls, grounds, has));
    }
    if grounds.network {
        details.extend(egress::requests(&calls, grounds));
    }
    let flag = |(step, detail)| Flag {
        kind: CONTAMINATED.to_owned(),
        detail,
        step: Some(step),
    };
    bounded(details.into_iter().map(flag).collect())
}

impl<'a> Call<'a> {
    fn of(made: &'a Made<'a>) -> Self {
        let command = match made.tool {
            "bash" => made.text("command"),
            _ => None,
        };
        let started = command.map(started).unwrap_or_default();
        let mut code: Vec<String> = Vec::new();
        if made.tool == "python" {
            code.extend(made.text("code").map(str::to_owned));
        }
        for one in started
            .iter()
            .filter(|one| one.program().starts_with("python"))
        {
            let arguments = one.arguments();
            let at = arguments.iter().position(|word| word == "-c");
            code.extend(at.and_then(|at| arguments.get(at + 1).cloned()));
            code.extend(one.given.clone());
        }
        Self {
            made,
            started,
            code,
        }
    }

    /// What came back of it.
    fn output(&self) -> &str {
        let result = self.made.result;
        result
            .and_then(|result| result.output.as_deref())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
