//! A run as a folder of Harbor's: what its own models read, from stored records.
//!
//! Owns which of our facts is which of Harbor's, and what has no place there. All but
//! [`folder`] are plain functions from records and events to JSON. Must not know the
//! engine, and changes nothing of the run.

mod atif;
mod folder;
mod id;
mod job;
mod span;
mod trial;
mod verdict;

#[cfg(test)]
mod tests;

pub use folder::{ExportError, Exported, export};
