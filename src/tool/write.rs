//! `write`: a file, whole.

use serde::Deserialize;

use super::CallResult;
use crate::sandbox::{Sandbox, SandboxError, User};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    path: String,
    content: String,
}

pub async fn run(sandbox: &dyn Sandbox, arguments: Arguments) -> Result<CallResult, SandboxError> {
    sandbox
        .write(
            &arguments.path,
            arguments.content.as_bytes(),
            None,
            &User::Default,
        )
        .await?;
    let output = format!(
        "wrote {} bytes to {}",
        arguments.content.len(),
        arguments.path
    );
    Ok(CallResult {
        output,
        ..CallResult::default()
    })
}
