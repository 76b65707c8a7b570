//! `submit`: the agent says that it is done.

use serde::Deserialize;

use super::CallResult;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    #[serde(default)]
    message: String,
}

pub fn run(arguments: Arguments) -> CallResult {
    CallResult {
        output: arguments.message,
        submitted: true,
        ..CallResult::default()
    }
}
