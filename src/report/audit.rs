//! What an audit found, for people and for machines.

use serde::Serialize;

use super::style::Style;
use super::text::sanitize;
use crate::record::RunId;
use crate::run::{Audit, Check, Finding, Signed};

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    Finding {
        check: Check,
        file: &'a str,
        line: Option<usize>,
        trial: Option<&'a str>,
        expected: &'a str,
        found: &'a str,
    },
    Note {
        message: &'a str,
    },
    AuditFinished {
        run: &'a RunId,
        trials: usize,
        missing: usize,
        files: u64,
        bytes: u64,
        findings: usize,
        /// `no`, `unchecked` or `verified`.
        signed: &'static str,
        key: Option<&'a str>,
    },
}

/// One JSON object a line: each finding, each note, and how it ended.
pub fn audit_json(audit: &Audit) -> String {
    let finding = |finding: &Finding| {
        json(&Line::Finding {
            check: finding.check,
            file: &finding.file,
            line: finding.line,
            trial: finding.trial.as_ref().map(|trial| trial.as_str()),
            expected: &finding.expected,
            found: &finding.found,
        })
    };
    let mut text: String = audit.findings.iter().map(finding).collect();
    for message in &audit.notes {
        text.push_str(&json(&Line::Note { message }));
    }
    let (signed, key) = match &audit.signed {
        Signed::No => ("no", None),
        Signed::By(key) => ("unchecked", Some(key.as_str())),
        Signed::Verified(key) => ("verified", Some(key.as_str())),
    };
    text.push_str(&json(&Line::AuditFinished {
        run: &audit.run,
        trials: audit.trials,
        missing: audit.missing,
        files: audit.files,
        bytes: audit.bytes,
        findings: audit.findings.len(),
        signed,
        key,
    }));
    text
}

fn json(line: &Line<'_>) -> String {
    // Plain data with text keys: there is nothing in it that could not be written.
    serde_json::to_string(line).map_or_else(|_| String::new(), |text| text + "\n")
}

/// For people: what differs and where, then what it comes to.
pub fn audit_text(audit: &Audit, style: Style) -> String {
    let mut text = String::new();
    for finding in &audit.findings {
        let place = match finding.line {
            Some(line) => format!("{}, line {line}", finding.file),
            None => finding.file.clone(),
        };
        text.push_str(&format!(
            "{} {}\n    expected  {}\n    found     {}\n",
            style.bold("✘"),
            style.bold(&sanitize(&place)),
            sanitize(&finding.expected),
            sanitize(&finding.found),
        ));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let comes_to = match audit.findings.len() {
        0 => "everything holds".to_owned(),
        1 => "1 check failed".to_owned(),
        count => format!("{count} checks failed"),
    };
    let signed = match &audit.signed {
        Signed::Verified(key) => format!(", signed by the key {key}"),
        Signed::No | Signed::By(_) => String::new(),
    };
    let trials = match audit.trials {
        1 => "1 trial".to_owned(),
        trials => format!("{trials} trials"),
    };
    text.push_str(&format!(
        "{}: {trials}, {} files, {} bytes: {}{signed}\n",
        sanitize(audit.run.as_str()),
        audit.files,
        audit.bytes,
        style.bold(&comes_to),
    ));
    for note in &audit.notes {
        text.push_str(&style.dim(&format!("note: {}", sanitize(note))));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::TrialId;

    fn audited() -> Audit {
        Audit {
            run: RunId::new("2026-11-23-quiet-otter"),
            trials: 1,
            missing: 0,
            files: 9,
            bytes: 1234,
            signed: Signed::No,
            findings: vec![Finding {
                check: Check::Chain,
                file: "trials/a--nop--1/trajectory.jsonl".into(),
                line: Some(2),
                trial: Some(TrialId::new("a--nop--1")),
                expected: "prev ab12".into(),
                found: "prev \u{1b}[2Jcd34".into(),
            }],
            notes: vec!["the run is not signed".into()],
        }
    }

    #[test]
    fn a_finding_names_its_place_and_both_sides() {
        insta::assert_snapshot!(audit_text(&audited(), Style::PLAIN), @r"
        ✘ trials/a--nop--1/trajectory.jsonl, line 2
            expected  prev ab12
            found     prev cd34

        2026-11-23-quiet-otter: 1 trial, 9 files, 1234 bytes: 1 check failed
        note: the run is not signed
        ");
        let fine = Audit {
            findings: Vec::new(),
            notes: Vec::new(),
            signed: Signed::Verified("ab".into()),
            ..audited()
        };
        insta::assert_snapshot!(audit_text(&fine, Style::PLAIN), @"2026-11-23-quiet-otter: 1 trial, 9 files, 1234 bytes: everything holds, signed by the key ab");
    }

    #[test]
    fn machines_get_an_object_a_line() {
        let text = audit_json(&audited());
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines[0]["event"], "finding");
        assert_eq!(
            (&lines[0]["line"], &lines[0]["check"]),
            (&2.into(), &"chain".into())
        );
        assert_eq!(lines[1]["event"], "note");
        assert_eq!(lines[2]["event"], "audit_finished");
        assert_eq!(
            (&lines[2]["findings"], &lines[2]["signed"]),
            (&1.into(), &"no".into())
        );
    }
}
