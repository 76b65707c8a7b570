//! Compose files of tasks: services beside the agent's, as far as tasks use them.
//!
//! Owns the way from a file to a model that is safe to start: text and folder in,
//! plain data or problems with places out. Anything that would open the sandbox,
//! or that is not known, is a problem. Must not know Docker; reads no file but the
//! compose file and what it names inside its folder.
//!
//! `yaml` makes nodes with places, `reader` fills in variables, `service` and its
//! neighbours say what the keys mean, `refused` which are refused and why.

mod build;
mod dotenv;
mod environment;
mod health;
mod interpolate;
mod limits;
mod model;
mod mounts;
mod networks;
mod paths;
mod project;
mod reader;
mod references;
mod refused;
pub(super) mod scalar;
mod service;
#[cfg(test)]
mod tests;
mod words;

pub use model::{
    Build, Compose, Condition, Dependency, Healthcheck, Mount, MountKind, NetworkDef, Service,
    Ulimit, VolumeDef,
};

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::diagnose::{Problem, SourceText, yaml};
use interpolate::fill;
use reader::{Reader, unfilled_problem};

/// Host side of the binds by which formats collect logs: a caller gives the
/// variables of a format (`HOST_VERIFIER_LOGS_PATH`, `T_BENCH_TASK_LOGS_PATH`)
/// paths below this one, and such binds are left out, as logs are collected anyway.
pub const LOGS_MARKER: &str = "/proofyard/logs/";

/// The service that the agent works in. It may lack both image and build, and may
/// be missing: the task's format says then what it runs.
pub const MAIN: &str = "main";

/// The variable that Compose sets itself, and what it is here. A project's real
/// name is a trial's own; files put this one into names by which services find one
/// another.
const PROJECT_VARIABLE: &str = "COMPOSE_PROJECT_NAME";
const PROJECT: &str = "task";

/// Names of a compose file, the first that is there.
const NAMES: [&str; 4] = [
    "docker-compose.yaml",
    "docker-compose.yml",
    "compose.yaml",
    "compose.yml",
];

/// Largest file that is read, bytes.
const LARGEST: u64 = 1 << 20;

/// The compose file of a folder.
pub fn find(folder: &Path) -> Option<PathBuf> {
    NAMES
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
}

/// The compose file of a folder of Harbor's, which has one name.
pub fn of_harbor(folder: &Path) -> Option<PathBuf> {
    let path = folder.join(NAMES[0]);
    path.is_file().then_some(path)
}

/// What a compose file says.
///
/// `file` is named in problems as given. `folder` is what may be seen of the host:
/// the task's `environment/`, absolute, links resolved. `variables` are those of
/// the task and its format; a `.env` in the folder gives further ones.
///
/// # Errors
/// Everything that is wrong with the file, in order; never empty.
pub fn read(
    file: &Path,
    folder: &Path,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Result<Compose, Vec<Problem>> {
    if paths::resolve(folder, folder, &file.to_string_lossy()).is_none() {
        return Err(vec![leaves(file)]);
    }
    let source = load(file, file).map_err(|problem| vec![*problem])?;
    let beside = beside(folder, variables)?;
    let lookup = |name: &str| {
        let given = variables(name).or_else(|| beside.get(name).cloned());
        given.or_else(|| (name == PROJECT_VARIABLE).then(|| PROJECT.to_string()))
    };
    let root = yaml::parse(&source).map_err(|problem| vec![*problem])?;
    let mut reader = Reader::new(&source, folder, &lookup);
    let mut compose = project::compose(&root, &mut reader);
    if reader.problems.is_empty() {
        compose.warnings = reader.warnings;
        return Ok(compose);
    }
    reader.problems.sort_by_key(Problem::place);
    Err(reader.problems)
}

/// The variables of `.env` in the folder.
fn beside(
    folder: &Path,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Result<BTreeMap<String, String>, Vec<Problem>> {
    let path = folder.join(".env");
    if path.symlink_metadata().is_err() {
        return Ok(BTreeMap::new());
    }
    let real = path.canonicalize().ok();
    let real = real
        .filter(|real| real.starts_with(folder))
        .ok_or_else(|| {
            let message = format!("`{}` leads out of its folder", path.display());
            vec![Problem::new(message)]
        })?;
    let source = load(&real, Path::new(".env")).map_err(|problem| vec![*problem])?;
    variables_of(&source, false, variables)
}

fn leaves(path: &Path) -> Problem {
    let message = format!("`{}` leads out of its folder", path.display());
    Problem::new(message)
}

/// The variables of a file of variables. What stands in it wins over nothing but
/// what it names without a value, which `outer` gives.
fn variables_of(
    source: &SourceText,
    raw: bool,
    outer: &dyn Fn(&str) -> Option<String>,
) -> Result<BTreeMap<String, String>, Vec<Problem>> {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let mut problems = Vec::new();
    let mut bytes = 0u64;
    for variable in dotenv::parse(source).map_err(|problem| vec![*problem])? {
        let value = match variable.value {
            None => match outer(&variable.name) {
                Some(value) => Ok(value),
                None => continue,
            },
            Some(value) if raw || variable.literal => Ok(value),
            Some(value) => fill(&value, &|name| {
                outer(name).or_else(|| known.get(name).cloned())
            }),
        };
        match value {
            Ok(value) => {
                bytes += value.len() as u64;
                known.insert(variable.name, value);
            }
            Err(unfilled) => {
                let spot = source.spot(variable.span, "");
                problems.push(unfilled_problem(&unfilled).at(spot));
            }
        }
        if bytes > LARGEST {
            let message = format!("the variables of `{}` grow too large", source.name);
            problems.push(Problem::new(message));
        }
        if problems.len() > 10 || bytes > LARGEST {
            break;
        }
    }
    match problems.is_empty() {
        true => Ok(known),
        false => Err(problems),
    }
}

/// A text file, bounded, under the name that problems give it.
pub(super) fn load(path: &Path, name: &Path) -> Result<SourceText, Box<Problem>> {
    let name = name.display().to_string();
    let cannot = |why: String| Box::new(Problem::new(format!("`{name}` cannot be read: {why}")));
    // No pipe, and no device, which a read could wait for.
    let about = path.metadata().map_err(|error| cannot(error.to_string()))?;
    if !about.is_file() {
        return Err(cannot("it is not a file".to_string()));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| cannot(error.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(cannot(format!("it is larger than {LARGEST} bytes")));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(SourceText::new(name, text)),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let bytes = error.into_bytes();
            let line = bytes[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
            Err(cannot(format!("it is not UTF-8 in line {line}")))
        }
    }
}
