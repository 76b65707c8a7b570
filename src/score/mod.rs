//! Outcome, cleanness, tool use in numbers: plain functions over records.
//!
//! Owns the rule by which a trial is resolved, unresolved, tampered or in error.
//! Must touch neither engine nor network, and must not know who acts.

mod basis;
mod calls;
mod contamination;
mod outcome;
mod repeats;
mod scope;
mod shell;
mod tool_use;

pub use basis::{Again, basis, decide_again, mishap};
pub use calls::{CallTally, ToolTally, tally};
pub use contamination::{CONTAMINATED, Grounds, contaminated};
pub use outcome::{Cause, Mishap, Scored, TAMPERED, clean, outcome, with_calls};
pub use scope::{FORBIDDEN_READ, WRITE_OUT_OF_SCOPE};
pub use tool_use::{FORBIDDEN_CALL, ToolJudgement, judge_tools};
