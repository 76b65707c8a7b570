//! Where the official harness has its files.
//!
//! Names come from predictions, so that each has to be one plain name of a file.

use std::path::{Path, PathBuf};

/// The folder of all runs, below the folder that the harness was started in.
pub const LOGS: &str = "logs/run_evaluation";

/// The patch, in an instance's folder.
pub const PATCH: &str = "patch.diff";
/// The script that ran the tests, in an instance's folder.
pub const EVAL_SCRIPT: &str = "eval.sh";
/// What the script said, in an instance's folder.
pub const TEST_OUTPUT: &str = "test_output.txt";
/// What the harness said, in an instance's folder.
pub const RUN_LOG: &str = "run_instance.log";
/// The verdict, in an instance's folder.
pub const REPORT: &str = "report.json";
/// What was run, in a run's folder; since 5.0.
pub const RUN: &str = "run.json";

/// What a prediction without a model is filed under.
pub const NO_MODEL: &str = "None";

/// Longest name of a file, bytes.
const LONGEST: usize = 255;

/// A run, model or instance whose name cannot be that of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} is called `{}`, which cannot be a folder's name: at most {LONGEST} bytes, without \
     `/` and control characters, and not `.` or `..`",
    name.escape_debug()
)]
pub struct NoFolder {
    /// `the run`, `the model`, `the instance`.
    pub what: &'static str,
    pub name: String,
}

/// `logs/run_evaluation/<run>`
///
/// # Errors
/// A run whose name cannot be a folder's.
pub fn run_folder(run_id: &str) -> Result<PathBuf, NoFolder> {
    Ok(Path::new(LOGS).join(plain("the run", run_id.to_owned())?))
}

/// The name of a model as a folder: each `/` is `__`.
///
/// # Errors
/// A model whose name cannot be a folder's even so.
pub fn model_folder(model: Option<&str>) -> Result<String, NoFolder> {
    plain("the model", model.unwrap_or(NO_MODEL).replace('/', "__"))
}

/// `logs/run_evaluation/<run>/<model>/<instance>`
///
/// # Errors
/// A name that cannot be a folder's.
pub fn instance_folder(
    run_id: &str,
    model: Option<&str>,
    instance_id: &str,
) -> Result<PathBuf, NoFolder> {
    let instance = plain("the instance", instance_id.to_owned())?;
    Ok(run_folder(run_id)?
        .join(model_folder(model)?)
        .join(instance))
}

/// `<model>.<run>.json`: the summary of a run, named after the model of its first
/// prediction.
///
/// # Errors
/// A name that cannot be a file's.
pub fn summary_file(model: Option<&str>, run_id: &str) -> Result<String, NoFolder> {
    let model = model_folder(model)?;
    let run = plain("the run", run_id.to_owned())?;
    plain("the summary", format!("{model}.{run}.json"))
}

fn plain(what: &'static str, name: String) -> Result<String, NoFolder> {
    match names_a_file(&name) {
        true => Ok(name),
        false => Err(NoFolder { what, name }),
    }
}

/// Whether a name can be that of a file or folder, and leads nowhere else.
pub fn names_a_file(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && name.len() <= LONGEST
        && !name.contains(|sign: char| sign == '/' || sign.is_control())
}
