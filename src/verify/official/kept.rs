//! What a log was graded by, kept beside it, and the same grading again.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{INSTANCE, graded};
use crate::swebench::Rules;
use crate::task::Official;

#[derive(Serialize, Deserialize)]
struct Kept {
    rules: Rules,
    instance_id: String,
    repo: String,
    version: String,
    log_parser: Option<String>,
    eval_type: Option<String>,
    fail_to_pass: Vec<String>,
    pass_to_pass: Vec<String>,
}

/// The file's text.
pub fn text(rules: Rules, official: &Official) -> Vec<u8> {
    let kept = Kept {
        rules,
        instance_id: official.instance_id.clone(),
        repo: official.repo.clone(),
        version: official.version.clone(),
        log_parser: official.log_parser.clone(),
        eval_type: official.eval_type.clone(),
        fail_to_pass: official.fail_to_pass.clone(),
        pass_to_pass: official.pass_to_pass.clone(),
    };
    serde_json::to_vec_pretty(&kept).unwrap_or_default()
}

/// Whether the log that a finished trial keeps in `dir` is resolved by the official rules
/// that graded it; none where it keeps no graded log.
///
/// # Errors
/// A file that is there and cannot be read.
pub fn again(dir: &Path) -> io::Result<Option<bool>> {
    let read = |name: &str| match std::fs::read(dir.join(name)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    // A script that did not end, or a patch that did not apply, has no report.
    let parts = (
        read(INSTANCE)?,
        read("test_output.txt")?,
        read("report.json")?,
    );
    let (Some(instance), Some(log), Some(_)) = parts else {
        return Ok(None);
    };
    let kept: Kept = serde_json::from_slice(&instance)?;
    let official = Official {
        instance_id: kept.instance_id,
        repo: kept.repo,
        version: kept.version,
        log_parser: kept.log_parser,
        eval_type: kept.eval_type,
        fail_to_pass: kept.fail_to_pass,
        pass_to_pass: kept.pass_to_pass,
        script: PathBuf::new(),
        workdir: String::new(),
        timeout: Duration::ZERO,
    };
    Ok(Some(graded(kept.rules, &official, &log).resolved()))
}
