//! The XML of doctest, the framework for C++.
//!
//! Must not know XML's syntax (`super::xml` does).

use super::xml::{self, Event};
use super::{FAILED, Input, PASSED, Raised, Statuses};

const START: &str = "<doctest";
const END: &str = "</doctest>";
/// What Python prints of an attribute that is not there.
const NONE: &str = "None";

/// A subcase, whole.
struct SubCase {
    name: Option<String>,
    /// Expressions that failed before it, then: whether one of its own did.
    failed: usize,
    passed: bool,
}

/// A test case: its subcases are a range of all.
struct TestCase {
    name: Option<String>,
    first: usize,
    end: usize,
}

/// The log's first report: `case > subcase`, passed if each expression in it did. Cases
/// without subcases are left out.
pub fn read(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    let Some((_, report)) = input.log.split_once(START) else {
        return Ok(());
    };
    let start = input.log.len() - report.len() - START.len();
    let end = report.find(END).ok_or(xml::NOT_WELL_FORMED)?;
    let end = start + START.len() + end + END.len();
    let report = input.log.get(start..end).unwrap_or_default();
    let (cases, subcases) = cases(report)?;
    for case in &cases {
        for subcase in subcases.get(case.first..case.end).unwrap_or_default() {
            let status = if subcase.passed { PASSED } else { FAILED };
            let parts = [&case.name, &subcase.name].map(|name| name.as_deref().unwrap_or(NONE));
            statuses.insert_joined(&parts, " > ", status);
            if statuses.is_full() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn cases(report: &str) -> Result<(Vec<TestCase>, Vec<SubCase>), Raised> {
    let (mut cases, mut subcases) = (Vec::<TestCase>::new(), Vec::<SubCase>::new());
    // The open elements of a kind, as places in the lists above.
    let (mut open_cases, mut open_subcases) = (Vec::new(), Vec::new());
    let mut failed = 0;
    xml::read(report, |event| match event {
        Event::Start("TestCase", attributes) => {
            open_cases.push(cases.len());
            cases.push(TestCase {
                name: attributes.of("name").map(str::to_owned),
                first: subcases.len(),
                end: 0,
            });
        }
        Event::Start("SubCase", attributes) => {
            open_subcases.push(subcases.len());
            subcases.push(SubCase {
                name: attributes.of("name").map(str::to_owned),
                failed,
                passed: false,
            });
        }
        Event::Start("Expression", attributes) => {
            failed += usize::from(attributes.of("success") != Some("true"));
        }
        Event::End("TestCase") => {
            let place = open_cases.pop();
            if let Some(case) = place.and_then(|place| cases.get_mut(place)) {
                case.end = subcases.len();
            }
        }
        Event::End("SubCase") => {
            let place = open_subcases.pop();
            if let Some(subcase) = place.and_then(|place| subcases.get_mut(place)) {
                subcase.passed = subcase.failed == failed;
            }
        }
        Event::Start(..) | Event::End(_) => {}
    })?;
    Ok((cases, subcases))
}
