//! How correctly tools were used, by the rules of the task.
//!
//! Owns the terms of tool use, the flags of calls, and what a task requires of them;
//! `docs/tool-use.md` has the formulas. Must not know how calls are performed.

use super::calls::{Made, made};
use super::repeats::repeated;
use super::scope::scope;
use crate::record::{Flag, Reason, ToolUse};
use crate::task::{CallMatcher, CallPattern, STANDARD_TOOLS, ToolRules};
use crate::trajectory::Event;

/// A call was made that the task forbids.
pub const FORBIDDEN_CALL: &str = "forbidden_call";

/// Most flags of one kind; the last one says how many more there were.
const MOST_FLAGS: usize = 20;
/// Most characters of arguments in a flag.
const MOST_SHOWN: usize = 200;

/// What is said of a trial's calls.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ToolJudgement {
    /// None where nothing was called and the task says nothing of required calls.
    pub tool_use: Option<ToolUse>,
    /// `forbidden_call`, `forbidden_read`, `write_out_of_scope`.
    pub flags: Vec<Flag>,
    /// What the task requires of calls and was not met: the trial is unresolved.
    pub unmet: Option<(Reason, String)>,
}

/// Judges the calls of a trial.
///
/// `changed`: paths that the captured change touches, of a repo task relative to the
/// work tree, else absolute; none where nothing was captured. `work_tree`: where
/// relative paths begin, an absolute path: the work tree of a repo task, else the
/// directory of tool calls.
pub fn judge_tools(
    rules: &ToolRules,
    events: &[Event],
    changed: Option<&[String]>,
    work_tree: &str,
) -> ToolJudgement {
    let calls = made(events);
    let (permitted, forbidden) = forbidden(&rules.forbid, &calls);
    let scoped = scope(rules, &calls, changed, work_tree);
    let missing = Missing::of(rules.require.as_deref().unwrap_or_default(), &calls);
    let unmet = missing
        .told()
        .map(|told| (Reason::RequiredCallMissing, told))
        .or_else(|| {
            let told = out_of_order(&rules.after, &calls);
            told.map(|told| (Reason::CallOrder, told))
        });
    let all = calls.len() as u64;
    let invalid = calls.iter().filter(|call| call.invalid).count() as u64;
    let ended = calls.iter().filter(|call| call.ended()).count() as u64;
    let failed = calls.iter().filter(|call| call.failed()).count() as u64;
    let repeated = repeated(&calls);
    let measured = ToolUse {
        validity: share(all - invalid, all),
        execution: share(ended - failed, ended),
        required: share(missing.met, missing.asked),
        permitted: match rules.forbid.is_empty() {
            true => None,
            false => share(permitted, all),
        },
        scope: share(scoped.within(), scoped.judged),
        recovery: recovery(rules, &calls),
        non_redundancy: share(all - repeated, all),
        calls: all,
        invalid,
        failed,
        repeated,
        ..ToolUse::default()
    };
    let tool_use = match (all, rules.require.as_deref()) {
        (0, None) => None,
        // Without a call the one thing to judge is whether one was asked for.
        (0, Some(required)) => Some(ToolUse {
            required: Some(if required.is_empty() { 1.0 } else { 0.0 }),
            ..ToolUse::default()
        }),
        _ => Some(measured),
    };
    ToolJudgement {
        tool_use: tool_use.map(scored),
        flags: [forbidden, scoped.reads, scoped.writes]
            .into_iter()
            .flat_map(bounded)
            .collect(),
        unmet,
    }
}

/// The share of a whole that is not nothing.
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Score: the mean of the terms that apply. Coverage: how many of all apply.
fn scored(judged: ToolUse) -> ToolUse {
    let terms = [
        judged.validity,
        judged.execution,
        judged.required,
        judged.permitted,
        judged.scope,
        judged.recovery,
        judged.non_redundancy,
    ];
    let apply: Vec<f64> = terms.iter().copied().flatten().collect();
    // A call is valid or not, and no call is judged by `required`: one always applies.
    let score = apply.iter().sum::<f64>() / apply.len().max(1) as f64;
    ToolUse {
        score: score.clamp(0.0, 1.0),
        coverage: apply.len() as f64 / terms.len() as f64,
        ..judged
    }
}

fn compiled(patterns: &[CallPattern]) -> Vec<CallMatcher> {
    let compile =
        |pattern| CallMatcher::new(pattern).expect("patterns are compiled when a task is loaded");
    patterns.iter().map(compile).collect()
}

/// How many calls were permitted, and a flag for each that was not. One that was
/// not performed did nothing that could be forbidden.
fn forbidden(patterns: &[CallPattern], calls: &[Made<'_>]) -> (u64, Vec<Flag>) {
    let matchers = compiled(patterns);
    let flag = |call: &Made<'_>| {
        let hit = matchers
            .iter()
            .position(|matcher| !call.invalid && matcher.matches(call.tool, call.arguments))?;
        Some(Flag {
            kind: FORBIDDEN_CALL.to_owned(),
            detail: format!("{} is forbidden: {}", patterns[hit], shown(call)),
            step: Some(call.seq),
        })
    };
    let flags: Vec<Flag> = calls.iter().filter_map(flag).collect();
    ((calls.len() - flags.len()) as u64, flags)
}

/// A call in words: its command, else its arguments.
fn shown(call: &Made<'_>) -> String {
    let text = match (call.text("command"), call.arguments) {
        (Some(command), _) => command.to_owned(),
        (None, Some(arguments)) => arguments.to_string(),
        (None, None) => String::new(),
    };
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// At most [`MOST_FLAGS`], the last of which says how many more there were.
pub(super) fn bounded(mut flags: Vec<Flag>) -> Vec<Flag> {
    let more = flags.len().saturating_sub(MOST_FLAGS);
    flags.truncate(MOST_FLAGS);
    if let Some(last) = flags.last_mut().filter(|_| more > 0) {
        last.detail.push_str(&format!(" (and {more} more)"));
    }
    flags
}

/// Required calls that did not succeed.
struct Missing<'a> {
    /// Each with whether it was tried.
    patterns: Vec<(&'a CallPattern, bool)>,
    met: u64,
    asked: u64,
}

impl<'a> Missing<'a> {
    fn of(required: &'a [CallPattern], calls: &[Made<'_>]) -> Self {
        let mut patterns = Vec::new();
        for (pattern, matcher) in required.iter().zip(compiled(required)) {
            let mut tried = calls
                .iter()
                .filter(|call| matcher.matches(call.tool, call.arguments))
                .peekable();
            let was_tried = tried.peek().is_some();
            if !tried.any(Made::succeeded) {
                patterns.push((pattern, was_tried));
            }
        }
        let asked = required.len() as u64;
        Self {
            met: asked - patterns.len() as u64,
            patterns,
            asked,
        }
    }

    fn told(&self) -> Option<String> {
        let (pattern, tried) = self.patterns.first()?;
        let what = match tried {
            true => "succeeded",
            false => "was made",
        };
        let more = match self.patterns.len() - 1 {
            0 => String::new(),
            1 => "; 1 more that it requires is missing".to_owned(),
            more => format!("; {more} more that it requires are missing"),
        };
        Some(format!(
            "the task requires a call of {pattern}, and none {what}{more}"
        ))
    }
}

/// The first pair of which the second was called too early.
fn out_of_order(after: &[(String, String)], calls: &[Made<'_>]) -> Option<String> {
    let violated = |(first, second): &&(String, String)| {
        calls
            .iter()
            .take_while(|call| !(call.tool == first && call.succeeded()))
            .any(|call| call.tool == second && call.ended())
    };
    after.iter().find(violated).map(|(first, second)| {
        format!("`{second}` was called before a call of `{first}` had succeeded")
    })
}

/// Errors after which a call of the same tool succeeded, of all errors. A tool that
/// is not offered has no such call: there any that succeeds counts.
fn recovery(rules: &ToolRules, calls: &[Made<'_>]) -> Option<f64> {
    let offered = |tool: &str| {
        let standard = match &rules.allow {
            Some(allow) => allow.iter().any(|name| name == tool),
            None => STANDARD_TOOLS.contains(&tool),
        };
        standard || rules.custom.iter().any(|custom| custom.name == tool)
    };
    let (mut errors, mut recovered) = (0, 0);
    // From the end: what succeeds later.
    let mut later: Vec<&str> = Vec::new();
    for call in calls.iter().rev() {
        if call.succeeded() {
            if !later.contains(&call.tool) {
                later.push(call.tool);
            }
        } else if call.invalid || call.failed() {
            let any = call.invalid && !offered(call.tool);
            errors += 1;
            recovered += u64::from(later.contains(&call.tool) || any && !later.is_empty());
        }
    }
    share(recovered, errors)
}

#[cfg(test)]
#[path = "tool_use_properties.rs"]
mod properties;
#[cfg(test)]
#[path = "tool_use_tests.rs"]
mod tests;
