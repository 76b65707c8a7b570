//! The ways to apply a patch, one after the other, as the official harness tries them.

use std::time::Duration;

use crate::sandbox::{Exec, User};
use crate::swebench::Rules;
use crate::verify::VerifyError;
use crate::verify::hands::{Hands, Ran, ending};
use crate::verify::keep::{bytes, last_lines};

/// Where the official harness puts the patch.
const PATCH: &str = "/tmp/patch.diff";
/// Of all ways together.
pub const LIMIT: Duration = Duration::from_secs(600);

/// What the last way to apply a patch said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub String);

/// The commands of a version, in order; the patch's name follows each.
fn ways(rules: Rules) -> &'static [&'static [&'static str]] {
    match rules {
        Rules::V4_1 => &[
            &["git", "apply", "--verbose"],
            &["git", "apply", "--verbose", "--reject"],
            &["patch", "--batch", "--fuzz=5", "-p1", "-i"],
        ],
        Rules::V5_0 => &[
            &["git", "apply", "--verbose"],
            &["git", "apply", "--verbose", "--3way"],
            &["git", "apply", "--verbose", "--reject"],
            &["patch", "--batch", "--forward", "--fuzz=5", "-p1", "-i"],
        ],
    }
}

/// Applies the patch; what the last way said where none did.
///
/// # Errors
/// Where the sandbox or the engine fails.
pub async fn apply(
    hands: &Hands<'_>,
    rules: Rules,
    workdir: &str,
    patch: &[u8],
) -> Result<Option<String>, VerifyError> {
    hands.write(PATCH, patch).await?;
    let mut told = String::new();
    let mut last = String::new();
    let mut applied = false;
    for (at, way) in ways(rules).iter().enumerate() {
        if at > 0 && rules == Rules::V5_0 {
            // What a failed way left makes every later one fail.
            let clean = ["/bin/bash", "-c", "git checkout -- . ; git clean -fd"];
            perform(hands, workdir, &clean, &mut told).await?;
        }
        let argv: Vec<&str> = way.iter().copied().chain([PATCH]).collect();
        match perform(hands, workdir, &argv, &mut told).await? {
            None => {
                applied = true;
                break;
            }
            Some(said) => last = said,
        }
    }
    if !applied && rules == Rules::V5_0 {
        // A way may have applied all of it and have ended with an error nevertheless.
        let reverse = ["git", "apply", "--check", "--reverse", PATCH];
        applied = perform(hands, workdir, &reverse, &mut told)
            .await?
            .is_none();
    }
    hands.keep("run_instance.log", told.as_bytes())?;
    Ok((!applied).then_some(last))
}

/// Runs a command in the work tree; how it failed, where it did.
async fn perform(
    hands: &Hands<'_>,
    workdir: &str,
    argv: &[&str],
    told: &mut String,
) -> Result<Option<String>, VerifyError> {
    let exec = Exec {
        cwd: Some(workdir.to_owned()),
        user: User::Root,
        ..Exec::new(argv.iter().copied())
    };
    let ran = hands.execute("apply the patch", exec).await?;
    told.push_str(&format!("$ {}\n", argv.join(" ")));
    let (output, ended) = match &ran {
        Ran::NoProgram(said) => {
            told.push_str(&format!("{said}\n"));
            return Ok(Some(said.clone()));
        }
        Ran::Ended(output) => (output, ending(output.ended)),
        Ran::TimedOut(output) => (output, "did not end in time".to_owned()),
    };
    for part in [&output.stdout, &output.stderr] {
        told.push_str(&String::from_utf8_lossy(&bytes(part)));
    }
    if output.ended.success() {
        return Ok(None);
    }
    let said = last_lines(&[&output.stdout, &output.stderr], 1);
    told.push_str(&format!("{ended}\n"));
    Ok(Some(match said.is_empty() {
        true => format!("`{}` {ended}", argv.join(" ")),
        false => said,
    }))
}
