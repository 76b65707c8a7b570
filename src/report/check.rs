//! What a check of tasks found: lines for people, an object for machines, JUnit for CI.
//!
//! Owns the words and the order. Must not know how anything was measured.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use super::style::Style;
use super::text::{plural, sanitize, sanitize_lines};
use crate::lint::{Finding, Severity};
use crate::record::{Outcome, Sees};
use crate::task::select::Exclusion;

/// Most lines that are shown of one finding.
const LINES: usize = 20;

/// What came of one task.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// Its name, else the folder that was meant to be one.
    pub task: String,
    /// In order.
    pub findings: Vec<Finding>,
    /// Of the engine or this host, which kept it from being looked at.
    pub fault: Option<String>,
    pub sees: Option<Sees>,
    pub evidence: Option<&'static str>,
    /// How often it was verified both ways.
    pub runs: usize,
    pub took: Duration,
    /// Of an instance of a data set that is unsound: what a quarantine has of it.
    pub quarantine: Option<Exclusion>,
}

/// The whole of a check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckTotals {
    pub tasks: usize,
    /// Without an error.
    pub sound: usize,
    /// Of which nobody can say whether they are sound.
    pub unknown: usize,
    /// That could be measured.
    pub measured: usize,
    pub errors: usize,
    pub warnings: usize,
    pub hints: usize,
    pub faults: usize,
}

impl Checked {
    /// Whether an error was found.
    pub fn failed(&self) -> bool {
        let errors = |finding: &Finding| finding.rule.severity() == Severity::Error;
        self.findings.iter().any(errors)
    }

    /// In a word: `sound`, `unsound`, `unknown` where nobody could say, or `fault`.
    pub fn word(&self) -> &'static str {
        match (self.failed(), self.fault.is_some(), self.runs) {
            (true, ..) => "unsound",
            (false, true, _) => "fault",
            (false, false, 0) => "unknown",
            (false, false, _) => "sound",
        }
    }
}

impl CheckTotals {
    /// With one more task.
    pub fn add(&mut self, checked: &Checked) {
        self.tasks += 1;
        self.sound += usize::from(checked.word() == "sound");
        self.measured += usize::from(checked.runs > 0);
        self.unknown += usize::from(checked.word() == "unknown");
        self.faults += usize::from(checked.fault.is_some());
        for finding in &checked.findings {
            *match finding.rule.severity() {
                Severity::Error => &mut self.errors,
                Severity::Warning => &mut self.warnings,
                Severity::Hint => &mut self.hints,
            } += 1;
        }
    }
}

/// A task, how it can be verified, and what was found.
pub fn check_view(checked: &Checked, style: Style) -> String {
    let word = checked.word();
    let shown = match word {
        "sound" => style.outcome(Outcome::Resolved, &format!("{word:<8}")),
        "unsound" | "fault" => style.outcome(Outcome::Unresolved, &format!("{word:<8}")),
        _ => style.warn(&format!("{word:<8}")),
    };
    let mut about: Vec<String> = Vec::new();
    about.extend(checked.sees.map(|sees| sees_name(sees).to_owned()));
    about.extend(checked.evidence.map(str::to_owned));
    if checked.runs > 0 {
        about.push(format!("{} × both ways", checked.runs));
    }
    if !checked.took.is_zero() {
        about.push(format!("{:.1} s", checked.took.as_secs_f64()));
    }
    let mut out = format!("{shown} {}", style.bold(&sanitize(&checked.task)));
    if !about.is_empty() {
        out.push_str(&format!("  {}", style.dim(&about.join(" · "))));
    }
    out.push('\n');
    if let Some(fault) = &checked.fault {
        out.push_str(&format!("         {}\n", sanitize(fault)));
    }
    for finding in &checked.findings {
        let severity = finding.rule.severity();
        let name = format!("{:<8}", severity.name());
        let name = match severity {
            Severity::Error => style.outcome(Outcome::Unresolved, &name),
            Severity::Warning => style.warn(&name),
            Severity::Hint => style.dim(&name),
        };
        let place = match &finding.place {
            Some(place) => match place.line {
                Some(line) => format!(" ({}:{line})", place.file.display()),
                None => format!(" ({})", place.file.display()),
            },
            None => String::new(),
        };
        let text = sanitize_lines(&format!("{}{place}", finding.message), LINES);
        let text = text.join("\n           ");
        out.push_str(&format!("         {name} {}: {text}\n", finding.rule));
    }
    out
}

/// The last line.
pub fn check_totals(totals: &CheckTotals) -> String {
    let tasks = plural(totals.tasks, "task");
    let mut parts = vec![match totals.measured == 0 && totals.unknown > 0 {
        true => format!("{tasks} read, none measured"),
        false => format!("{} of {tasks} sound", totals.sound),
    }];
    for (count, name) in [
        (totals.errors, "error"),
        (totals.warnings, "warning"),
        (totals.hints, "hint"),
        (totals.faults, "fault"),
    ] {
        if count > 0 {
            parts.push(plural(count, name));
        }
    }
    let mut line = parts.join(", ");
    if totals.errors + totals.warnings + totals.hints > 0 {
        line.push_str("; docs/check.md says what each name means");
    }
    format!("{line}\n")
}

/// An object a line.
pub fn check_json(checked: &Checked) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        event: &'static str,
        task: &'a str,
        sound: &'static str,
        sees: Option<Sees>,
        evidence: Option<&'a str>,
        runs: usize,
        ms: u64,
        findings: Vec<One<'a>>,
        /// The messages of errors, or what kept the task from being looked at.
        problems: Vec<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        quarantine: Option<&'a Exclusion>,
    }
    #[derive(Serialize)]
    struct One<'a> {
        name: &'static str,
        severity: &'static str,
        message: &'a str,
        file: Option<String>,
        line: Option<usize>,
    }
    let findings = checked.findings.iter().map(|finding| One {
        name: finding.rule.name(),
        severity: finding.rule.severity().name(),
        message: &finding.message,
        file: finding
            .place
            .as_ref()
            .map(|place| place.file.display().to_string()),
        line: finding.place.as_ref().and_then(|place| place.line),
    });
    let errors = checked.findings.iter();
    let errors = errors.filter(|finding| finding.rule.severity() == Severity::Error);
    let problems = errors.map(|finding| finding.message.as_str());
    let line = Line {
        event: "task",
        task: &checked.task,
        sound: checked.word(),
        sees: checked.sees,
        evidence: checked.evidence,
        runs: checked.runs,
        ms: checked.took.as_millis() as u64,
        findings: findings.collect(),
        problems: problems.chain(checked.fault.as_deref()).collect(),
        quarantine: checked.quarantine.as_ref(),
    };
    let text = serde_json::to_string(&line).unwrap_or_default();
    format!("{text}\n")
}

/// A suite of one case per task: failed where an error was found, an error where it
/// could not be looked at.
pub fn check_junit(all: &[Checked]) -> Result<String, quick_junit::SerializeError> {
    let mut suite = TestSuite::new("check");
    for checked in all {
        let mut status = TestCaseStatus::success();
        let told: Vec<String> = checked
            .findings
            .iter()
            .map(|finding| {
                format!(
                    "{} {}: {}",
                    finding.rule.severity().name(),
                    finding.rule,
                    finding.message
                )
            })
            .collect();
        let kind = match (checked.failed(), &checked.fault) {
            (true, _) => Some(NonSuccessKind::Failure),
            (false, Some(_)) => Some(NonSuccessKind::Error),
            (false, None) => None,
        };
        if let Some(kind) = kind {
            status = TestCaseStatus::non_success(kind);
            let first = checked.fault.clone().or(told.first().cloned());
            status.set_message(sanitize(&first.unwrap_or_default()));
            status.set_description(sanitize(&told.join("\n")));
        }
        let mut case = TestCase::new(sanitize(&checked.task), status);
        case.set_classname("task").set_time(checked.took);
        if kind.is_none() && !told.is_empty() {
            case.set_system_out(sanitize(&told.join("\n")));
        }
        suite.add_test_case(case);
    }
    let mut report = Report::new("proofyard check");
    report.add_test_suite(suite);
    report.to_string()
}

fn sees_name(sees: Sees) -> &'static str {
    match sees {
        Sees::Patch => "patch",
        Sees::Files => "files",
        Sees::Live => "live",
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::lint::Rule;

    fn checked() -> Checked {
        let failing = Finding::new(Rule::SolutionFails, "it fails\u{1b}[2J");
        let hint = Finding::new(Rule::UnnamedPath, "who knows");
        Checked {
            task: "a/b".into(),
            findings: vec![
                failing,
                hint.at(PathBuf::from("tasks/b/tests/t.py"), Some(3)),
            ],
            sees: Some(Sees::Files),
            evidence: Some("asserted"),
            runs: 5,
            took: Duration::from_millis(1500),
            ..Checked::default()
        }
    }

    #[test]
    fn people_read_what_and_where() {
        insta::assert_snapshot!(check_view(&checked(), Style::PLAIN), @r"
        unsound  a/b  files · asserted · 5 × both ways · 1.5 s
                 error    solution-fails: it fails
                 hint     unnamed-path: who knows (tasks/b/tests/t.py:3)
        ");
        let mut totals = CheckTotals::default();
        totals.add(&checked());
        totals.add(&Checked {
            runs: 1,
            ..Checked::default()
        });
        insta::assert_snapshot!(check_totals(&totals), @"1 of 2 tasks sound, 1 error, 1 hint; docs/check.md says what each name means");
    }

    #[test]
    fn machines_read_the_same() {
        let line: serde_json::Value = serde_json::from_str(&check_json(&checked())).unwrap();
        assert_eq!(line["sound"], "unsound");
        assert_eq!(line["findings"][1]["name"], "unnamed-path");
        assert_eq!(line["findings"][1]["line"], 3);
        assert_eq!(line["problems"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn ci_systems_see_a_case_per_task() {
        let fault = Checked {
            task: "c".into(),
            fault: Some("no engine".into()),
            ..Checked::default()
        };
        let xml = check_junit(&[checked(), fault]).unwrap();
        assert!(
            xml.contains("tests=\"2\"") && xml.contains("failures=\"1\""),
            "{xml}"
        );
        assert!(
            xml.contains("errors=\"1\"") && !xml.contains('\u{1b}'),
            "{xml}"
        );
    }
}
