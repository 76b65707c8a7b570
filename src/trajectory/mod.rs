//! The ordered record of a trial: the one event type, its recorder, its reader.
//!
//! Owns `trajectory.jsonl`. Must not know who acts or what a verdict is.

mod calls;
mod chain;
mod event;
mod recorder;

pub use calls::{calls_log, final_message, results};
pub use chain::{Break, Chain, Walked, head_of, walk};
pub use event::{Event, EventKind};
pub use recorder::{Recorder, RecorderError, Tally, read_events};
