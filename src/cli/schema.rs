//! `proofyard schema`: the JSON Schemas of what is read and written.

use clap::{Args, ValueEnum};
use schemars::{Schema, schema_for};

use super::Exit;
use super::failure::{Failure, to_stdout};
use crate::config::raw::HarnessToml;
use crate::record::{RunRecord, TrialRecord};
use crate::task::raw::TaskToml;
use crate::trajectory::Event;

const EXAMPLES: &str = "\
Examples:
  proofyard schema trial > trial.schema.json
  proofyard schema task | jq '.properties | keys'";

/// Print the JSON Schema of a file.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct SchemaArgs {
    /// What is described
    #[arg(value_enum, value_name = "KIND")]
    pub kind: SchemaKind,
}

/// What there is a schema of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// task.toml
    Task,
    /// harness.toml
    Harness,
    /// trial.json, and a line of results.jsonl
    Trial,
    /// A line of trajectory.jsonl
    Trajectory,
    /// run.json
    Run,
}

/// Prints the schema.
pub fn run(args: &SchemaArgs) -> Result<Exit, Failure> {
    to_stdout(&text(args.kind))
}

fn schema(kind: SchemaKind) -> Schema {
    match kind {
        SchemaKind::Task => schema_for!(TaskToml),
        SchemaKind::Harness => schema_for!(HarnessToml),
        SchemaKind::Trial => schema_for!(TrialRecord),
        SchemaKind::Trajectory => schema_for!(Event),
        SchemaKind::Run => schema_for!(RunRecord),
    }
}

fn text(kind: SchemaKind) -> String {
    let text = serde_json::to_string_pretty(schema(kind).as_value());
    text.expect("a schema is JSON") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_one_and_prints() {
        for kind in SchemaKind::value_variants() {
            let schema: serde_json::Value = serde_json::from_str(&text(*kind)).unwrap();
            assert!(jsonschema::meta::is_valid(&schema), "{kind:?}");
            assert!(schema["properties"].is_object(), "{kind:?}");
        }
    }

    #[test]
    fn the_shipped_files_are_valid_by_their_schemas() {
        let valid = |kind: SchemaKind, text: &str| {
            let document: toml::Table = toml::from_str(text).unwrap();
            let document = serde_json::to_value(document).unwrap();
            jsonschema::validate(schema(kind).as_value(), &document).unwrap();
        };
        valid(SchemaKind::Harness, include_str!("../../harness.toml"));
        valid(
            SchemaKind::Task,
            include_str!("../task/template/repo/task.toml"),
        );
        valid(
            SchemaKind::Task,
            include_str!("../task/template/terminal/task.toml"),
        );
    }
}
