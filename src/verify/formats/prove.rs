//! `prove -v`: TAP of several test files, with prove's own lines around it.
//!
//! Owns prove's lines. Must not know TAP itself (`super::tap` does).
//!
//! A file whose stream is not whole, or that prove calls dubious without a failing
//! point in it, has failed as a whole; the report is whole when prove has written
//! its `Files=` and `Result:` lines and both agree with what was read.

use super::report::{Builder, Record};
use super::tap::Document;
use super::{FormatError, lines};
use crate::record::TestState;

/// Whether a text is prove's: it has a line `t/file.t ..` or prove's closing line.
pub(super) fn is_around(text: &str) -> bool {
    text.lines()
        .any(|line| header(line).is_some() || result(line).is_some())
}

/// What follows the dots of a file's line.
enum Header<'a> {
    /// Its TAP follows.
    Open,
    Skipped(&'a str),
    /// The result of a file whose TAP was not shown.
    Closed,
}

/// A file's stream in the making.
struct Section {
    file: String,
    document: Document,
    /// What prove said at its end.
    end: Option<String>,
}

pub(super) fn read(text: &str, builder: &mut Builder) -> Result<(), FormatError> {
    let mut open: Option<Section> = None;
    let mut files = 0_usize;
    let mut broken = false;
    let mut said: (Option<u64>, Option<&str>) = (None, None);
    for line in lines(text) {
        let (number, line) = line?;
        if let Some((file, header)) = header(line) {
            broken |= close(open.take(), builder)?;
            files += 1;
            match header {
                Header::Open => open = Some(Section::new(file)),
                Header::Skipped(reason) => {
                    builder.group(file, Record::new(TestState::Skipped, 0, reason))?;
                }
                Header::Closed => builder.incomplete("prove was not told to be verbose"),
            }
        } else if let Some(reason) = line.strip_prefix("Bailout called.") {
            builder.incomplete(format!("the tests bailed out: {}", reason.trim()));
        } else if let Some(count) = files_said(line) {
            said.0 = Some(count);
        } else if let Some(result) = result(line) {
            said.1 = Some(result);
        } else if let Some(section) = &mut open {
            section.line(number, line)?;
        }
    }
    broken |= close(open.take(), builder)?;
    match said {
        (Some(count), Some(result)) => {
            builder.expect_count("files", count, files);
            if (result == "PASS") == broken && result != "NOTESTS" {
                builder.incomplete(format!("prove says {result}, and its records differ"));
            }
        }
        _ => builder.incomplete("prove did not come to its end"),
    }
    Ok(())
}

impl Section {
    fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            document: Document::default(),
            end: None,
        }
    }

    fn line(&mut self, number: usize, line: &str) -> Result<(), FormatError> {
        let ends = line == "ok"
            || line.starts_with("Dubious, test returned")
            || line.starts_with("skipped: ")
            || (line.starts_with("Failed ") && line.ends_with("subtests "))
            || (line.starts_with("All ") && line.ends_with("subtests passed "));
        match ends {
            true if self.end.is_some() => Ok(()),
            true => {
                self.end = Some(line.trim().to_owned());
                Ok(())
            }
            false => self.document.line(number, line),
        }
    }
}

/// Writes a file's records; whether the file has failed.
fn close(section: Option<Section>, builder: &mut Builder) -> Result<bool, FormatError> {
    let Some(mut section) = section else {
        return Ok(false);
    };
    let whole = section.document.close();
    let explained = section.document.any_failed();
    let mut broken = explained;
    if let Some(reason) = section.document.skipped() {
        builder.group(&section.file, Record::new(TestState::Skipped, 0, reason))?;
    }
    let trouble = match (whole, section.end.as_deref()) {
        (Err(reason), _) => Some(reason),
        (Ok(()), None) => Some("prove says nothing of its end".to_owned()),
        (Ok(()), Some(end)) if end != "ok" && !end.starts_with("skipped") && !explained => {
            Some(end.to_owned())
        }
        _ => None,
    };
    if let Some(reason) = trouble {
        broken = true;
        builder.group(&section.file, Record::new(TestState::Error, 0, &reason))?;
    }
    let prefix = format!("{}::", section.file);
    section.document.write(&prefix, "", builder)?;
    Ok(broken)
}

/// `t/file.t .. `, `t/file.t ... skipped: reason`, `t/file.t .. ok`.
fn header(line: &str) -> Option<(&str, Header<'_>)> {
    let at = line.find(" ..")?;
    let file = &line[..at];
    let rest = line[at + 1..].trim_start_matches('.');
    if file.is_empty() || file.starts_with([' ', '#']) {
        return None;
    }
    let header = match rest.trim() {
        "" if rest.starts_with(' ') => Header::Open,
        "ok" => Header::Closed,
        rest => Header::Skipped(rest.strip_prefix("skipped: ")?),
    };
    Some((file, header))
}

fn files_said(line: &str) -> Option<u64> {
    let (count, rest) = line.strip_prefix("Files=")?.split_once(',')?;
    rest.starts_with(" Tests=").then(|| count.parse().ok())?
}

fn result(line: &str) -> Option<&str> {
    let result = line.strip_prefix("Result: ")?;
    ["PASS", "FAIL", "NOTESTS"]
        .contains(&result)
        .then_some(result)
}
