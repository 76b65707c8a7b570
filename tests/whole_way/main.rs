//! The whole way with the real engine: what a user sees of runs, and what is left.

mod bad_input;
mod endings;
mod helper;
mod limits;
mod verdicts;
mod yard;
