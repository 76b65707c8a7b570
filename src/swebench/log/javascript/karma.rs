//! Karma's tree of suites and tests.
//!
//! Must not know Karma's lists of failures (`super::failures` does).

use super::super::text::{indent, is_space, strip_start};
use super::super::{FAILED, Input, PASSED, Raised, Statuses};

/// The tests between the browser's start and the summary, below their suites. A line
/// further to the left leaves one suite, however far it is.
pub fn karma(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    let mut started = false;
    let mut last = None;
    let mut suites = Vec::new();
    for line in input.log.split('\n') {
        if line.starts_with("SUMMARY:") {
            break;
        }
        if line.contains("Starting browser") {
            started = true;
            continue;
        }
        if !started {
            continue;
        }
        let text = strip_start(line);
        // The last blank before a suite's name is not of its indent.
        let blanks = indent(line).saturating_sub(1);
        let marked = [('✔', PASSED), ('✖', FAILED)]
            .into_iter()
            .find_map(|(mark, status)| {
                let name = text.strip_prefix(mark)?.strip_prefix(is_space)?;
                Some((name, status))
            });
        if let Some((name, status)) = marked {
            suites.push(name);
            statuses.insert_joined(&suites, " > ", status);
            suites.pop();
        } else if blanks > 0 && Some(blanks) > last {
            last = Some(blanks);
            suites.push(text);
        } else if blanks > 0 && Some(blanks) < last {
            last = Some(blanks);
            suites.pop().ok_or(Raised("IndexError"))?;
        }
    }
    Ok(())
}
