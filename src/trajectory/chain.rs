//! The hash chain of a trajectory: every line carries the digest of the one before.
//!
//! Owns where a chain begins and how one is followed. Must not know what events say.

use sha2::{Digest as _, Sha256};

use super::Event;
use crate::record::hex;

/// What a chain begins with; the trial's name follows.
const GENESIS: &str = "proofyard/trajectory/1\n";

/// The end of a chain that grows line by line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain(String);

impl Chain {
    /// An empty chain, bound to the trial's name: no trajectory passes for that of
    /// another trial.
    pub fn of(trial: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(GENESIS);
        hash.update(trial);
        Self(hex(&hash.finalize()))
    }

    /// The chain with this line, which is given without its end.
    #[must_use]
    pub fn after(&self, line: &[u8]) -> Self {
        Self(hex(&Sha256::digest(line)))
    }

    /// Hex SHA-256 of the last line, or of the beginning where there is none.
    pub fn head(&self) -> &str {
        &self.0
    }
}

/// The lines of a file, without their ends; a last line that has none is one too.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let some = !bytes.is_empty();
    whole.split(|byte| *byte == b'\n').filter(move |_| some)
}

/// The head that a stored trajectory comes to, whatever its lines say.
pub fn head_of(trial: &str, bytes: &[u8]) -> String {
    match lines(bytes).last() {
        Some(line) => Chain::of(trial).after(line).0,
        None => Chain::of(trial).0,
    }
}

/// Where a trajectory is not what a recorder wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// From 1.
    pub line: usize,
    pub expected: String,
    pub found: String,
}

/// A stored trajectory, followed from its beginning.
#[derive(Debug, Clone, PartialEq)]
pub struct Walked {
    /// Every event that could be read.
    pub events: Vec<Event>,
    /// Empty where the chain is whole.
    pub breaks: Vec<Break>,
    /// Hex SHA-256 of the last line.
    pub head: String,
    /// Its events carry no digests: it was written by an earlier version.
    pub unchained: bool,
}

/// Follows the chain of a stored trajectory. A break is told once, at the line whose
/// digest of the line before does not fit; the chain is followed on from there.
pub fn walk(trial: &str, bytes: &[u8]) -> Walked {
    let mut walked = Walked {
        events: Vec::new(),
        breaks: Vec::new(),
        head: Chain::of(trial).0,
        unchained: false,
    };
    let mut chain = Chain::of(trial);
    let told = |line: usize, expected: String, found: String| Break {
        line,
        expected,
        found,
    };
    for (index, line) in lines(bytes).enumerate() {
        let number = index + 1;
        match serde_json::from_slice::<Event>(line) {
            Err(error) => {
                let found = error.to_string();
                walked.breaks.push(told(number, "an event".into(), found));
            }
            Ok(event) => {
                walked.unchained = index == 0 && event.prev.is_none() || walked.unchained;
                if event.seq != index as u64 {
                    let expected = format!("seq {index}");
                    let found = format!("seq {}", event.seq);
                    walked.breaks.push(told(number, expected, found));
                }
                let fits = match &event.prev {
                    Some(prev) => prev == chain.head(),
                    None => walked.unchained,
                };
                if !fits {
                    let expected = format!("prev {}", chain.head());
                    let found = match &event.prev {
                        Some(prev) => format!("prev {prev}"),
                        None => "no prev".to_owned(),
                    };
                    walked.breaks.push(told(number, expected, found));
                }
                walked.events.push(event);
            }
        }
        chain = chain.after(line);
    }
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        let number = lines(bytes).count();
        let found = "the end of the file".to_owned();
        walked
            .breaks
            .push(told(number, "the end of the line".into(), found));
    }
    walked.head = chain.0;
    walked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trajectory::{EventKind, Recorder};

    fn recorded(trial: &str) -> (Vec<u8>, String) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trajectory.jsonl");
        let recorder = Recorder::of_trial(&path, trial).unwrap();
        for text in ["one", "two", "three", "four"] {
            let event = Event {
                text: Some(text.into()),
                ..Event::new(EventKind::User)
            };
            recorder.record(event).unwrap();
        }
        let head = recorder.finish().unwrap().head;
        (std::fs::read(&path).unwrap(), head)
    }

    #[test]
    fn what_a_recorder_wrote_is_a_whole_chain_of_its_trial_alone() {
        let (bytes, head) = recorded("a--nop--1");
        let walked = walk("a--nop--1", &bytes);
        assert_eq!((walked.breaks.len(), walked.events.len()), (0, 4));
        assert_eq!(walked.head, head);
        assert_eq!(head_of("a--nop--1", &bytes), head);
        assert_eq!(walk("b--nop--1", &bytes).breaks[0].line, 1);
    }

    #[test]
    fn two_lines_that_were_swapped_or_one_that_is_gone_break_it() {
        let (bytes, _) = recorded("t");
        let lines: Vec<&[u8]> = lines(&bytes).collect();
        let swapped = [lines[0], lines[2], lines[1], lines[3], b""].join(&b'\n');
        assert_eq!(walk("t", &swapped).breaks[0].line, 2);
        let shorter = [lines[0], lines[2], lines[3], b""].join(&b'\n');
        assert_eq!(walk("t", &shorter).breaks[0].line, 2);
        let cut = &bytes[..bytes.len() - 1];
        assert_eq!(walk("t", cut).breaks[0].expected, "the end of the line");
    }

    #[test]
    fn a_trajectory_of_an_earlier_version_is_readable_and_known_as_one() {
        let old =
            b"{\"seq\":0,\"t_ms\":1,\"kind\":\"user\"}\n{\"seq\":1,\"t_ms\":1,\"kind\":\"user\"}\n";
        let walked = walk("t", old);
        assert!(walked.unchained && walked.breaks.is_empty());
        assert_eq!(walked.events.len(), 2);
        assert!(!walk("t", b"").unchained);
    }
}
