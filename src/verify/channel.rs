//! What a reporter told over its descriptor, line by line, → what was heard.
//!
//! Owns the lines' layout and what makes them contradict themselves. Must not know
//! which tests are expected, nor what a record is worth.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::junit::{MAX_MESSAGE_BYTES, cut};
use crate::record::TestState;
use crate::sandbox::Captured;

/// Bytes of all lines; a test's line has some 150.
pub const MAX_BYTES: u64 = 16 << 20;

/// What a reporter told, where it is whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    pub records: Vec<Told>,
    /// What was about to run.
    pub collected: Vec<String>,
    /// The folder that the runner's own parts lie in.
    pub runner: String,
    /// What the runner said that it ends with.
    pub exit: i32,
    /// Parts of the runner that were others at the end.
    pub patched: BTreeSet<String>,
    /// Where plug-ins came from that were there at the end and not at the start.
    pub plugins: BTreeSet<String>,
    /// Hidden files that were not as they had been laid.
    pub changed: BTreeSet<String>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub id: String,
    pub state: TestState,
    /// Milliseconds.
    pub ms: u64,
    pub message: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line {
    Started {
        n: u64,
        #[serde(default)]
        runner: String,
        plugins: BTreeMap<String, String>,
    },
    Collected {
        n: u64,
        ids: Vec<String>,
        changed: Vec<String>,
    },
    Record {
        n: u64,
        id: String,
        state: TestState,
        ms: u64,
        message: String,
        /// It is about a file or class that could not be collected.
        #[serde(default)]
        collecting: bool,
        /// What the record itself is at odds with.
        #[serde(default)]
        contradicts: Option<String>,
    },
    Finished {
        n: u64,
        exit: i32,
        patched: Vec<String>,
        plugins: BTreeMap<String, String>,
        changed: Vec<String>,
    },
    Closed {
        n: u64,
        exit: i32,
    },
}

impl Line {
    fn n(&self) -> u64 {
        match self {
            Line::Started { n, .. }
            | Line::Collected { n, .. }
            | Line::Record { n, .. }
            | Line::Finished { n, .. }
            | Line::Closed { n, .. } => *n,
        }
    }
}

/// Why what was told is no verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unheard {
    /// Nothing, or not to its end.
    #[error("{said}")]
    Open {
        said: String,
        /// What was recorded until then. It shows where the session stood and is no verdict.
        until: Vec<Told>,
    },
    /// Lines that cannot all be the reporter's.
    #[error("{0}")]
    Contradiction(String),
}

/// Reads the lines. They are numbered without gaps, each kind in its place, and each
/// test that was collected has its record: whoever adds or leaves out one is noticed.
///
/// # Errors
/// [`Unheard`]: what was told is not whole, or contradicts itself.
pub fn read(captured: &Captured) -> Result<Heard, Unheard> {
    let open = |said: &str, until| {
        let said = said.to_owned();
        Err(Unheard::Open { said, until })
    };
    let odd = |said: String| Err(Unheard::Contradiction(said));
    if captured.cut > 0 {
        return open("there are more records than are kept", Vec::new());
    }
    if captured.head.is_empty() {
        return open("the runner told of no test", Vec::new());
    }
    let mut heard = Heard::default();
    let (mut began, mut known, mut finished, mut closed) = (None, None, None, false);
    for (index, line) in captured
        .head
        .split_inclusive(|byte| *byte == b'\n')
        .enumerate()
    {
        if !line.ends_with(b"\n") && !closed {
            // Whoever wrote it was ended meanwhile.
            break;
        }
        if closed {
            return odd("something was told after the records were closed".to_owned());
        }
        let Ok(line) = serde_json::from_slice::<Line>(line) else {
            return odd(format!(
                "line {} of the records is none of the runner's",
                index + 1
            ));
        };
        if line.n() != index as u64 {
            return odd(format!("record {} has the number {}", index, line.n()));
        }
        match line {
            Line::Started {
                plugins, runner, ..
            } if began.is_none() => {
                heard.runner = runner;
                began = Some(sources(plugins));
            }
            Line::Collected { ids, changed, .. } if known.is_none() && finished.is_none() => {
                heard.changed.extend(changed);
                known = Some(ids.iter().cloned().collect::<BTreeSet<_>>());
                heard.collected = ids;
            }
            Line::Record {
                contradicts: Some(what),
                id,
                ..
            } => return odd(format!("`{id}`: {what}")),
            Line::Record {
                id,
                state,
                ms,
                message,
                collecting,
                ..
            } if finished.is_none() => {
                let expected = known.as_ref().is_some_and(|known| known.contains(&id));
                if !collecting && !expected {
                    return odd(format!("`{id}` was not collected and has a record"));
                }
                heard.records.push(Told {
                    id,
                    state,
                    ms,
                    message: (!message.is_empty()).then(|| cut(&message, MAX_MESSAGE_BYTES)),
                });
            }
            Line::Finished {
                exit,
                patched,
                plugins,
                changed,
                ..
            } if finished.is_none() => {
                finished = Some(exit);
                heard.patched.extend(patched);
                heard.changed.extend(changed);
                let new = sources(plugins);
                heard.plugins = new
                    .difference(&began.take().unwrap_or_default())
                    .cloned()
                    .collect();
            }
            Line::Closed { exit, .. } => {
                closed = true;
                heard.exit = exit;
            }
            _ => return odd(format!("line {} of the records is out of place", index + 1)),
        }
    }
    if !closed {
        return open("the records were not closed", heard.records);
    }
    whole(heard, finished)
}

fn whole(heard: Heard, finished: Option<i32>) -> Result<Heard, Unheard> {
    let odd = |said: String| Err(Unheard::Contradiction(said));
    if finished.is_some_and(|exit| exit != heard.exit) {
        return odd("the runner ended otherwise than its session".to_owned());
    }
    let recorded: BTreeSet<&str> = heard.records.iter().map(|told| told.id.as_str()).collect();
    let silent = heard
        .collected
        .iter()
        .filter(|id| !recorded.contains(id.as_str()));
    let silent: Vec<&String> = silent.collect();
    if let (Some(first), 0 | 1) = (silent.first(), heard.exit) {
        return odd(format!(
            "{} tests were collected and have no record, `{first}` among them",
            silent.len()
        ));
    }
    let failed = heard
        .records
        .iter()
        .any(|told| matches!(told.state, TestState::Failed | TestState::Error));
    if heard.exit == 0 && failed {
        return odd("a test failed, and the runner says that none did".to_owned());
    }
    Ok(heard)
}

/// Where plug-ins come from; names of those without one are numbers of their objects.
fn sources(plugins: BTreeMap<String, String>) -> BTreeSet<String> {
    let named = plugins
        .into_iter()
        .map(|(name, source)| match source.is_empty() {
            true => name,
            false => source,
        });
    named
        .filter(|source| !source.bytes().all(|byte| byte.is_ascii_digit()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(lines: &[&str]) -> Result<Heard, Unheard> {
        let text: String = lines
            .iter()
            .enumerate()
            .map(|(n, line)| format!("{{\"n\":{n},{line}}}\n"))
            .collect();
        read(&Captured {
            head: text.into_bytes(),
            ..Captured::default()
        })
    }

    const STARTED: &str = r#""event":"started","runner":"/x","plugins":{"a":"/x/a.py"}"#;
    const COLLECTED: &str = r#""event":"collected","ids":["t.py::a","t.py::b"],"changed":[]"#;
    const A: &str = r#""event":"record","id":"t.py::a","state":"passed","ms":1,"message":"""#;
    const B: &str = r#""event":"record","id":"t.py::b","state":"failed","ms":1,"message":"no""#;
    const FINISHED: &str = r#""event":"finished","exit":1,"patched":["x"],"plugins":{"a":"/x/a.py","140":"","b":"evil"},"changed":["t.py"]"#;
    const CLOSED: &str = r#""event":"closed","exit":1"#;

    #[test]
    fn what_is_whole_is_heard() {
        let heard = heard(&[STARTED, COLLECTED, A, B, FINISHED, CLOSED]).unwrap();
        assert_eq!(heard.records.len(), 2);
        assert_eq!(heard.records[1].message.as_deref(), Some("no"));
        assert_eq!((heard.exit, heard.runner.as_str()), (1, "/x"));
        let of = |name: &str| BTreeSet::from([name.to_owned()]);
        assert_eq!(
            (heard.patched, heard.plugins, heard.changed),
            (of("x"), of("evil"), of("t.py"))
        );
    }

    #[test]
    fn what_is_not_closed_is_no_verdict() {
        for lines in [&[][..], &[STARTED], &[STARTED, COLLECTED, A, B, FINISHED]] {
            assert!(
                matches!(heard(lines), Err(Unheard::Open { .. })),
                "{lines:?}"
            );
        }
        let cut = Captured {
            cut: 1,
            ..Captured::default()
        };
        assert!(matches!(read(&cut), Err(Unheard::Open { .. })));
    }

    #[test]
    fn what_was_recorded_until_the_runner_was_ended_is_kept() {
        let begun = format!("{{\"n\":0,{STARTED}}}\n{{\"n\":1,{COLLECTED}}}\n{{\"n\":2,{A}}}\n");
        for rest in ["", "{\"n\":3,\"event\":\"rec"] {
            let read = read(&Captured {
                head: format!("{begun}{rest}").into_bytes(),
                ..Captured::default()
            });
            let Err(Unheard::Open { until, .. }) = read else {
                panic!("{read:?}");
            };
            assert_eq!(until.len(), 1);
            assert_eq!(until[0].id, "t.py::a");
        }
    }

    #[test]
    fn what_contradicts_itself_is_no_verdict() {
        let passed = r#""event":"record","id":"t.py::b","state":"passed","ms":1,"message":"","contradicts":"it raised""#;
        let other = r#""event":"record","id":"t.py::c","state":"passed","ms":1,"message":"""#;
        let well = r#""event":"closed","exit":0"#;
        let bare = r#""event":"finished","exit":0,"patched":[],"plugins":{},"changed":[]"#;
        for lines in [
            &[STARTED, COLLECTED, A, passed, FINISHED, CLOSED][..],
            &[STARTED, COLLECTED, A, B, other, FINISHED, CLOSED],
            &[STARTED, COLLECTED, A, FINISHED, CLOSED],
            &[STARTED, COLLECTED, A, B, FINISHED, well],
            &[STARTED, COLLECTED, A, B, bare, well],
            &[STARTED, COLLECTED, A, B, FINISHED, CLOSED, A],
            &[STARTED, COLLECTED, COLLECTED, A, B, FINISHED, CLOSED],
            &[
                STARTED,
                COLLECTED,
                A,
                "\"event\":\"passed\"",
                B,
                FINISHED,
                CLOSED,
            ],
        ] {
            assert!(
                matches!(heard(lines), Err(Unheard::Contradiction(_))),
                "{lines:?}"
            );
        }
        let doubled = format!("{{\"n\":0,{STARTED}}}\n{{\"n\":0,{STARTED}}}\n");
        let doubled = Captured {
            head: doubled.into_bytes(),
            ..Captured::default()
        };
        assert!(matches!(read(&doubled), Err(Unheard::Contradiction(_))));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(head in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
            let _ = read(&Captured { head, ..Captured::default() });
        }
    }
}
