//! Plan, scheduler, trial, journal: where rooms meet.
//!
//! Owns everything written below `runs/` and the state of a run; only the
//! scheduler changes that state, by what trials send it. Prints nothing.

mod event;

pub use event::*;
