//! Proofyard: a sandboxed evaluator of agents.
//!
//! Data flows down this list; a room knows only what stands above it
//! (`ARCHITECTURE.md` has the picture, `tests/laws.rs` holds it):
//!
//! | room | what it is |
//! | --- | --- |
//! | [`record`] | the records on disk: plain data, known by every room |
//! | [`diagnose`] | problems in files that people write: line, column, nearest word |
//! | [`swebench`] | the SWE-bench family as text: rows, predictions, eval scripts, logs, grading |
//! | [`config`] | `harness.toml`, environment and flags → settings |
//! | [`task`] | what is asked: the model of a task, its loader, its digest |
//! | [`repo`] | checkout of a base commit, a change as data (git2 lives here only) |
//! | [`leaks`] | a task's answer, looked for in what an agent can read |
//! | [`sandbox`] | where it runs: the helper, the Docker engine, limits, images |
//! | [`trajectory`] | the ordered record of a trial, its recorder and reader |
//! | [`model`] | whom agents talk to: wire formats, prices, a scripted endpoint |
//! | [`tool`] | what agents may do: bash, read, write, edit, submit |
//! | [`agent`] | who acts: oracle, nop, script, loop |
//! | [`verify`] | what the verdict rests on: records, completeness, reference runs |
//! | [`score`] | outcome, length, tool use: plain functions over records |
//! | [`lint`] | what is wrong with a task: findings with stable names |
//! | [`cheats`] | cheats against a verifier, honest controls, the signals of a naive verifier |
//! | [`stats`] | numbers in, numbers with uncertainty out |
//! | [`run`] | plan, scheduler, trial, journal: where rooms meet |
//! | [`report`] | terminal, JSON |
//! | [`cli`] | one file per command |

pub mod agent;
pub mod cheats;
pub mod cli;
pub mod config;
pub mod diagnose;
pub mod leaks;
pub mod lint;
pub mod model;
pub mod record;
pub mod repo;
pub mod report;
pub mod run;
pub mod sandbox;
pub mod score;
pub mod stats;
pub mod swebench;
pub mod task;
pub mod tool;
pub mod trajectory;
pub mod verify;
