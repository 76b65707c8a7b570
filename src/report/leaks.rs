//! What a search for answers found: lines for people, an object for machines.
//!
//! Owns the words and the order. Must not know how anything was searched.

use std::time::Duration;

use serde::Serialize;

use super::number;
use super::style::Style;
use super::text::{plural, sanitize};
use crate::leaks::{Found, Kind, Leak, Skipped};
use crate::record::{Fault, TaskId};

/// Most places that people are shown for one task.
const MOST: usize = 20;
/// Most that they are shown of what was not searched.
const MOST_SKIPPED: usize = 5;

/// A task, what was found, and what was not searched.
pub fn leaks_view(
    task: &TaskId,
    found: &Result<Found, Fault>,
    took: Duration,
    style: Style,
) -> String {
    let name = style.bold(&sanitize(task.as_str()));
    let found = match found {
        Ok(found) => found,
        Err(fault) => {
            let why = sanitize(&format!("{}: {}", fault.phase, fault.message));
            return format!("fault    {name}\n         {why}\n");
        }
    };
    let word = match found.leaks.is_empty() {
        true => "clean",
        false => "LEAKS",
    };
    let searched = &found.searched;
    let mut out = format!(
        "{word:<8} {name}  {}, {:.1} MB, {} in {:.1} s\n",
        plural(searched.texts as usize, "text"),
        searched.bytes as f64 / 1e6,
        plural(searched.archives as usize, "archive"),
        took.as_secs_f64(),
    );
    for leak in found.leaks.iter().take(MOST) {
        out.push_str(&line(leak));
    }
    more(
        &mut out,
        found.leaks.len().saturating_sub(MOST) as u64,
        "places",
    );
    let why = |skipped: &Skipped| {
        let (place, why) = (skipped.place.to_string(), &skipped.why);
        format!("{}: {}", sanitize(&place), sanitize(why))
    };
    for skipped in found.not_searched.iter().take(MOST_SKIPPED) {
        out.push_str(&format!("         not searched: {}\n", why(skipped)));
    }
    let beyond = found.not_searched.len().saturating_sub(MOST_SKIPPED) as u64;
    more(
        &mut out,
        beyond + found.not_searched_more,
        "that were not searched",
    );
    out
}

fn line(leak: &Leak) -> String {
    let kind = match leak.kind {
        Kind::Solution => "solution",
        Kind::Tests => "hidden tests",
    };
    format!(
        "         {:>4} of {} ({kind}; {} of {}): {}\n",
        number::percent(leak.share()),
        sanitize(&leak.needle),
        leak.found,
        leak.of,
        sanitize(&leak.place.to_string()),
    )
}

fn more(out: &mut String, count: u64, what: &str) {
    if count > 0 {
        out.push_str(&format!("         and {count} more {what}\n"));
    }
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    Leaks {
        task: &'a TaskId,
        found: Option<&'a Found>,
        fault: Option<&'a Fault>,
        ms: u64,
    },
}

/// One object, in one line.
pub fn leaks_json(task: &TaskId, found: &Result<Found, Fault>, took: Duration) -> String {
    let line = Line::Leaks {
        task,
        found: found.as_ref().ok(),
        fault: found.as_ref().err(),
        ms: took.as_millis() as u64,
    };
    // Plain data with text for keys always serialises.
    let mut line = serde_json::to_string(&line).unwrap_or_default();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaks::{Place, Totals};

    fn found() -> Found {
        let place = Place {
            note: Some("deleted by layer 3".into()),
            ..Place::of("image layer 2 of 3")
                .at("/tmp/x.tgz")
                .at("fix.patch")
        };
        Found {
            leaks: vec![Leak {
                place,
                needle: "solution/fix.patch".into(),
                kind: Kind::Solution,
                found: 45,
                of: 60,
            }],
            not_searched: vec![Skipped::new(
                Place::of("checkout").at("a.zip"),
                "it is damaged",
            )],
            not_searched_more: 2,
            searched: Totals {
                texts: 1200,
                bytes: 52_400_000,
                archives: 1,
            },
            ..Found::default()
        }
    }

    #[test]
    fn a_place_is_named_from_the_outside_in() {
        let took = Duration::from_millis(2340);
        let view = leaks_view(&TaskId::new("a/b"), &Ok(found()), took, Style::PLAIN);
        insta::assert_snapshot!(view, @r"
        LEAKS    a/b  1200 texts, 52.4 MB, 1 archive in 2.3 s
                 75 % of solution/fix.patch (solution; 45 of 60): image layer 2 of 3: /tmp/x.tgz: fix.patch (deleted by layer 3)
                 not searched: checkout: a.zip: it is damaged
                 and 2 more that were not searched
        ");
        let json = leaks_json(&TaskId::new("a/b"), &Ok(found()), took);
        let line: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(line["event"], "leaks");
        assert_eq!(
            line["found"]["leaks"][0]["place"]["in"],
            "image layer 2 of 3"
        );
        assert_eq!(line["found"]["leaks"][0]["kind"], "solution");
    }
}
