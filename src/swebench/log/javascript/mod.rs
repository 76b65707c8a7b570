//! Runners of projects in JavaScript and TypeScript.
//!
//! Must not know other languages' runners.

mod blocks;
mod failures;
mod files;
mod jest;
mod json;
mod karma;
mod lighthouse;
mod mocha;
mod p5js;
mod quarto;
mod suites;
mod tags;
#[cfg(test)]
mod tests;

pub use failures::{bpmn_js, chart_js, eslint, marked, openlayers};
pub use files::{carbon, grommet};
pub use jest::{immutable_js, jest, jest_json, tap, vitest};
pub use karma::karma;
pub use lighthouse::lighthouse;
pub use mocha::{highlightjs, prismjs};
pub use p5js::p5js;
pub use quarto::quarto_cli;
pub use suites::{calypso, next};
