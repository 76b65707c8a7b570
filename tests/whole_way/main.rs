//! The whole way with the real engine: what a user sees of runs, and what is left.

mod bad_input;
mod bare;
mod cheats;
mod endings;
mod engine;
mod harbor;
mod helper;
mod hidden;
mod host;
mod large;
mod leaks;
mod limits;
mod live;
mod model;
mod own_tools;
mod runners;
mod shipped;
mod skipped;
mod small_model;
mod stored;
mod terminal_bench;
mod tools;
mod verdicts;
mod yard;
