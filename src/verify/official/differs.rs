//! Why the official verdict is another one than that by records.

use super::Came;
use crate::record::TestState;
use crate::verify::judge::Judged;
use crate::verify::junit::cut;

/// Most bytes of an id that is told.
const ID_BYTES: usize = 200;

/// The reason in a sentence; none where both verdicts are the same.
pub fn differs(strict: &Judged, came: &Came) -> Option<String> {
    let resolved = strict.is_resolved();
    if resolved == came.resolved() {
        return None;
    }
    let mut oddities = match came {
        Came::Graded(_, marks) => marks.oddities(),
        _ => Vec::new(),
    };
    let mut told = match came.resolved() {
        true => fooled(strict, came),
        false => {
            let mut why = came.reason().unwrap_or_default();
            // The word that voids a log is told with its places.
            let named = |odd: &String| first_quoted(odd).is_some_and(|word| why.starts_with(word));
            if let Some(at) = oddities.iter().position(named) {
                why = oddities.remove(at);
            }
            format!(
                "every expected test passed by its own record{}, and the official rules say no: {why}",
                excused(strict)
            )
        }
    };
    for oddity in oddities {
        told.push_str("; ");
        told.push_str(&oddity);
    }
    Some(told)
}

/// Tests that count although they did not pass, since they never do.
fn excused(strict: &Judged) -> String {
    let mut excused = strict.tests.iter().filter(|test| test.excused);
    let Some(first) = excused.next() else {
        return String::new();
    };
    let state = match first.state {
        TestState::Skipped => "skipped",
        _ => "failed as expected",
    };
    let more = match excused.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let id = cut(&first.id, ID_BYTES);
    format!(" or was {state} as with the reference solution ({id}{more})")
}

/// A text's first word, where it is in backticks, with these.
fn first_quoted(text: &str) -> Option<&str> {
    let end = text.strip_prefix('`')?.find('`')?;
    text.get(..end + 2)
}

/// The official rules say yes, and the records do not.
fn fooled(strict: &Judged, came: &Came) -> String {
    // Proof of meddling stands above all else.
    let proved = (!strict.proofs.is_empty()).then(|| strict.proofs.join("; "));
    let said = proved.or_else(|| strict.message.clone());
    let said = said.unwrap_or_default();
    let Came::Graded(graded, _) = came else {
        return said;
    };
    // What the log names as passed and what its own record says of it.
    let mut claimed = strict.tests.iter().filter(|test| {
        let passed = graded
            .statuses
            .get(&test.id)
            .is_some_and(|state| state == "PASSED");
        passed
            && !matches!(
                test.state,
                TestState::Passed | TestState::Skipped | TestState::Xfailed
            )
    });
    match claimed.next() {
        Some(first) => {
            let state = match first.state {
                TestState::Missing => "has no record of having run",
                TestState::Error => "ended in an error",
                _ => "failed",
            };
            let count = 1 + claimed.count();
            let id = cut(&first.id, ID_BYTES);
            let (many, own) = match count {
                1 => ("test", "its own record"),
                _ => ("tests", "their own records"),
            };
            format!(
                "the official rules were fooled: the log names {count} {many} as passed that did not pass by {own} (first: {id} {state}); {said}"
            )
        }
        None => format!("resolved by the log, and not by the tests' own records: {said}"),
    }
}
