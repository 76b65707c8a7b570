//! The whole way with the real engine: what a user sees of runs, and what is left.

mod bad_input;
mod bare;
mod cheats;
mod endings;
mod engine;
mod helper;
mod host;
mod leaks;
mod limits;
mod model;
mod own_tools;
mod shipped;
mod small_model;
mod stored;
mod tools;
mod verdicts;
mod yard;
