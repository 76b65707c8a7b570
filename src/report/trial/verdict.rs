//! What a trial's verdict rests on: tests, use of tools, flags, the change, and
//! what the agent was made of.
//!
//! Owns the last lines of a trial. Must not know its steps.

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;

use super::call::first_line;
use super::patch::Patch;
use super::proof;
use super::turns::Layout;
use crate::record::{AgentSetup, Expect, Flag, TestRecord, TestState, ToolUse, TrialRecord};
use crate::report::number::share;
use crate::report::style::Style;
use crate::report::text::{fit, flowed, left, plural, sanitize, width, wrapped};
use crate::trajectory::{Event, EventKind};

/// The most tests that are named.
const TESTS: usize = 20;

/// Columns of the names in front.
const BEFORE: usize = 10;

/// The most columns of one parameter.
const PARAMETER: usize = 60;

/// Everything below the turns of a trial, whose events are needed to tell which
/// flags stand there.
pub(super) fn verdict(
    dir: &Path,
    record: &TrialRecord,
    events: &[Event],
    layout: Layout,
) -> Vec<String> {
    let Layout { columns, style, .. } = layout;
    let mut lines = tests(record, layout);
    if let Some(reward) = record.reward {
        let rewards = record.rewards.iter();
        let rewards = rewards.map(|(name, value)| format!("{} {value}", sanitize(name)));
        let parts: Vec<String> = [reward.to_string()].into_iter().chain(rewards).collect();
        lines.extend(named("reward", flowed(&parts, columns - BEFORE)));
    }
    if let Some(tool_use) = &record.tool_use {
        lines.extend(named("tool use", tools(tool_use, columns - BEFORE)));
    }
    lines.extend(named(
        "flags",
        flags(record, events, columns - BEFORE, style),
    ));
    let of = &record.verdict;
    lines.extend(named("official", proof::official(of, columns - BEFORE)));
    lines.extend(named("probes", proof::probes(of, columns - BEFORE)));
    lines.extend(named("withheld", proof::withheld(of, columns - BEFORE)));
    lines.extend(named("change", change(dir)));
    if let Some(setup) = &record.setup {
        lines.extend(named(
            "setup",
            flowed(&setup_of(setup, record), columns - BEFORE),
        ));
    }
    lines.push(format!("{}{}", left("folder", BEFORE), dir.display()));
    lines
}

/// A name in front of the first line, room for it in front of the others.
fn named(name: &str, lines: Vec<String>) -> Vec<String> {
    let name = |at| if at == 0 { name } else { "" };
    let lines = lines.into_iter().enumerate();
    lines
        .map(|(at, line)| format!("{}{line}", left(name(at), BEFORE)))
        .collect()
}

/// How many of each expectation passed, and those that did not.
fn tests(record: &TrialRecord, layout: Layout) -> Vec<String> {
    let Layout {
        columns,
        full,
        style,
    } = layout;
    let tests = &record.verdict.tests;
    if tests.is_empty() {
        let none = style.dim("no per-test records");
        return named("tests", vec![none]);
    }
    let mut parts = Vec::new();
    for (expect, name) in [
        (Expect::FailToPass, "fail_to_pass"),
        (Expect::PassToPass, "pass_to_pass"),
        (Expect::Pass, "pass"),
    ] {
        let of: Vec<&TestRecord> = tests.iter().filter(|t| t.expect == expect).collect();
        let passed = of.iter().filter(|t| counts(t)).count();
        if !of.is_empty() {
            parts.push(format!("{name} {passed} of {}", of.len()));
        }
    }
    let missing = tests.iter().filter(|t| t.state == TestState::Missing);
    parts.push(format!("missing {}", missing.count()));
    let mut lines = named("tests", vec![parts.join("   ")]);
    let failed: Vec<&TestRecord> = tests.iter().filter(|test| !counts(test)).collect();
    let most = if full { failed.len() } else { TESTS };
    let ids: Vec<String> = failed.iter().map(|test| sanitize(&test.id)).collect();
    let widest = ids.iter().take(most).map(|id| width(id)).max().unwrap_or(0);
    for (test, id) in failed.iter().zip(&ids).take(most) {
        let message = test.message.as_deref().unwrap_or_default();
        let line = format!("  ✘ {:<8} ", state(test.state));
        if full && message.contains('\n') {
            lines.push(format!("{line}{id}"));
            let message = wrapped(message, columns.saturating_sub(width(&line)));
            let indent = " ".repeat(width(&line));
            lines.extend(message.iter().map(|line| format!("{indent}{line}")));
            continue;
        }
        let id = left(id, widest.min(columns / 2).max(width(id)));
        lines.push(format!("{line}{id}   {}", first_line(message)));
    }
    if failed.len() > most {
        lines.push(format!("    … and {} more", failed.len() - most));
    }
    lines
}

/// Whether it adds to what was passed: it did, or was passed over with the reference
/// solution too.
fn counts(test: &TestRecord) -> bool {
    test.state == TestState::Passed || test.excused
}

fn state(state: TestState) -> &'static str {
    match state {
        TestState::Passed => "passed",
        TestState::Failed => "failed",
        TestState::Error => "error",
        TestState::Skipped => "skipped",
        TestState::Xfailed => "xfailed",
        TestState::Xpassed => "xpassed",
        TestState::Missing => "missing",
    }
}

/// `0.86 (coverage 0.71)   validity 1.00 · execution 0.93 · …`, then the counts.
fn tools(tool_use: &ToolUse, columns: usize) -> Vec<String> {
    let terms = [
        ("validity", tool_use.validity),
        ("execution", tool_use.execution),
        ("required", tool_use.required),
        ("permitted", tool_use.permitted),
        ("scope", tool_use.scope),
        ("recovery", tool_use.recovery),
        ("non-redundancy", tool_use.non_redundancy),
    ];
    let mut parts: Vec<String> = terms
        .into_iter()
        .filter_map(|(name, term)| Some(format!("{name} {}", share(term?))))
        .collect();
    let score = format!(
        "{} (coverage {})",
        share(tool_use.score),
        share(tool_use.coverage)
    );
    match parts.first_mut() {
        Some(first) => *first = format!("{score}   {first}"),
        None => parts.push(score),
    }
    let mut lines = flowed(&parts, columns);
    let counts = [
        ("invalid", tool_use.invalid),
        ("failed", tool_use.failed),
        ("repeated", tool_use.repeated),
    ];
    let counts = counts.into_iter().filter(|(_, count)| *count > 0);
    let counts = counts.map(|(name, count)| format!("{count} {name}"));
    let calls = [plural(tool_use.calls as usize, "call")];
    let calls: Vec<String> = calls.into_iter().chain(counts).collect();
    lines.push(calls.join(" · "));
    lines
}

/// Flags that are about no call; the others are marked where it stands.
fn flags(record: &TrialRecord, events: &[Event], columns: usize, style: Style) -> Vec<String> {
    let calls: HashSet<u64> = events
        .iter()
        .filter(|event| event.kind == EventKind::ToolCall)
        .map(|event| event.seq)
        .collect();
    let placed = |flag: &&Flag| flag.step.is_some_and(|step| calls.contains(&step));
    let flags = record.verdict.flags.iter().filter(|flag| !placed(flag));
    flags
        .flat_map(|flag| wrapped(&format!("! {}  {}", flag.kind, flag.detail), columns))
        .map(|line| style.warn(&line))
        .collect()
}

/// What is stored of the change.
fn change(dir: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    match (Patch::of(dir), dir.join("change.patch").metadata()) {
        (Some(patch), _) => lines.push(match patch.summary() {
            Some(summary) => format!("{summary}   --diff shows it"),
            None => "nothing was changed".to_owned(),
        }),
        (None, Ok(file)) => lines.push(format!("change.patch ({} bytes)", file.len())),
        (None, Err(_)) => {}
    }
    let files = dir.join("change.tar.zst").metadata();
    if let Ok(files) = files {
        lines.push(format!(
            "a tree of files, change.tar.zst ({} bytes)",
            files.len()
        ));
    }
    lines
}

/// `loop/1 (3fa9c1d2) · openai · temperature 0 · seed 7`.
fn setup_of(setup: &AgentSetup, record: &TrialRecord) -> Vec<String> {
    let digest = setup.prompt_digest.as_ref().map(|digest| {
        let hex = digest.as_str().trim_start_matches("sha256:");
        hex.chars().take(8).collect::<String>()
    });
    let mut parts = vec![match digest {
        Some(digest) => format!("prompt {} ({})", sanitize(&setup.prompt), sanitize(&digest)),
        None => format!("prompt {}", sanitize(&setup.prompt)),
    }];
    let provider = record.model.as_ref().map(|model| &model.provider);
    if let Some(provider) = provider.filter(|provider| !provider.is_empty()) {
        parts.push(sanitize(provider));
    }
    for (name, value) in &setup.parameters {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        parts.push(fit(&sanitize(&format!("{name} {value}")), PARAMETER));
    }
    parts
}
