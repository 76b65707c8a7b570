//! What a verdict rests on: records, completeness, reference runs.
//!
//! Owns the reading of what hidden tests left and its judgement. Must not know
//! models, agents or the agent's sandbox; it sees a pristine sandbox and a change.
