//! Plan, scheduler, trial, journal: where rooms meet.
//!
//! Owns everything written below `runs/` and the state of a run; only the
//! scheduler changes that state, by what trials send it. Prints nothing.

mod admission;
mod attempt;
mod audit;
mod clock;
mod disk;
mod event;
mod fault;
#[cfg(test)]
pub(crate) mod fixture;
mod graded;
mod host;
mod journal;
mod lock;
mod machine;
mod manifest;
mod naive;
mod name;
mod plan;
mod regrade;
mod schedule;
#[cfg(test)]
mod schedule_tests;
mod signature;
mod store;
#[cfg(test)]
mod store_tests;
mod stored;
mod summarise;
mod summary;
mod trial;
mod unchanged;
mod valid;
mod verdicts;

pub use audit::{Audit, Check, Finding, Signed, audit};
pub use clock::{Phase, PhaseClock};
pub use disk::write_atomic;
pub use event::*;
pub use fault::fault_record;
pub use graded::{
    NO_MODEL, PREDICTIONS, by_trial, is_instance, keep_predictions, kept_predictions,
    official_summaries,
};
pub use host::{Load, host_load, now};
pub use machine::{Granted, Machine, check_demand, host_record};
pub use manifest::{FileDigest, MANIFEST_SCHEMA, Manifest};
pub use naive::{Naive, naive_all};
pub use name::{fresh_run_id, run_id};
pub use plan::{Contender, PlanError, PlanInput, plan};
pub use regrade::{Left, NotRegraded, regrade_plan};
pub use schedule::{RunEnd, Schedule, run_plan};
pub use signature::{KeyError, PublicKey, Signer};
pub use store::{RunStore, StoreError};
pub use stored::{StoredRun, read_run, read_trial, trial_dir};
pub use summarise::{seconds, summarise};
pub use summary::{AgentSummary, CallErrors, LEVEL, Mean, Medians, Rate, Summary};
pub use trial::{
    Agents, Fatal, Grade, PREDICTION, Regrade, Scope, Settled, Soundness, Trials, command_end,
    demand, sandbox_of,
};
pub use unchanged::{as_planned, check_same_contenders, check_unchanged};
pub use valid::Valid;
pub use verdicts::Verdicts;
