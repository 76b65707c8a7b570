//! The job folder: what is written where, and what of a trial's files goes along.
//!
//! Written under a temporary name and renamed, so that a folder of the name asked for
//! is whole. Reads stored trials only; follows no link.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use walkdir::WalkDir;

use super::trial::Source;
use super::{atif, id, job, span::Span, verdict};
use crate::record::{Outcome, TrialRecord};
use crate::run::{StoredRun, trial_dir};
use crate::trajectory::Event;

/// Most bytes of a trajectory that is read.
const MOST_TRAJECTORY: u64 = 1 << 30;

/// An export that was not made; nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(
        "{path} is there already, and not empty: another `--out`, or `--force` to replace an earlier export"
    )]
    Exists { path: PathBuf },
    #[error("{path} is no job folder of Harbor's: `--force` replaces only those")]
    NotAJob { path: PathBuf },
    #[error("the run {path} has no finished trial to export")]
    Empty { path: PathBuf },
    #[error("{doing} {path}: {source}")]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    pub trials: usize,
    /// What of the run could not be read, a sentence each; the rest was exported.
    pub problems: Vec<String>,
}

fn failed<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> ExportError + 'a {
    move |source| ExportError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

/// Writes a run as a job folder of Harbor's; `force` replaces one that is there.
///
/// # Errors
/// [`ExportError`]; a trajectory or a file that cannot be read is no error but told.
pub fn export(run: &StoredRun, out: &Path, force: bool) -> Result<Exported, ExportError> {
    if run.records.is_empty() {
        return Err(ExportError::Empty {
            path: run.dir.clone(),
        });
    }
    let replaces = replaced(out, force)?;
    let above = match out.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    };
    fs::create_dir_all(above).map_err(failed("make", above))?;
    let whole: fs::Permissions = PermissionsExt::from_mode(0o755);
    let partial = tempfile::Builder::new()
        .prefix(".partial-")
        .permissions(whole)
        .tempdir_in(above)
        .map_err(failed("make a folder in", above))?;
    let exported = fill(run, partial.path())?;
    put(partial.path(), out, above, replaces)?;
    // Its name is taken: there is nothing to remove any more.
    let _ = partial.keep();
    Ok(exported)
}

/// Gives a whole folder its name. What was there goes when the new one is in its place.
fn put(whole: &Path, out: &Path, above: &Path, replaces: bool) -> Result<(), ExportError> {
    if !replaces {
        return fs::rename(whole, out).map_err(failed("name", out));
    }
    let old = tempfile::Builder::new()
        .prefix(".replaced-")
        .tempdir_in(above)
        .map_err(failed("make a folder in", above))?;
    fs::rename(out, old.path()).map_err(failed("move away", out))?;
    fs::rename(whole, out).map_err(|source| {
        let _ = fs::rename(old.path(), out);
        failed("name", out)(source)
    })
}

/// Whether there is an earlier export that may go.
fn replaced(out: &Path, force: bool) -> Result<bool, ExportError> {
    let is_empty = match fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed("read", out)(error)),
    };
    let path = out.to_owned();
    let is_job = ["config.json", "result.json"]
        .iter()
        .all(|name| out.join(name).is_file());
    match (is_empty, force, is_job) {
        (true, ..) => Ok(false),
        (false, false, _) => Err(ExportError::Exists { path }),
        (false, true, false) => Err(ExportError::NotAJob { path }),
        (false, true, true) => Ok(true),
    }
}

fn fill(run: &StoredRun, into: &Path) -> Result<Exported, ExportError> {
    let mut problems = Vec::new();
    let mut names = HashSet::new();
    let mut results = Vec::new();
    for record in &run.records {
        let named = (0..).map(|again| {
            let task = record.task.name.as_str();
            id::folder(run.run.run.as_str(), task, record.trial.as_str(), again)
        });
        let mut free = named.filter(|name| !names.contains(name));
        let Some(name) = free.next() else { continue };
        results.push(trial(run, record, &name, &into.join(&name), &mut problems)?);
        names.insert(name);
    }
    write(&into.join("config.json"), &job::config(&run.run))?;
    write(&into.join("result.json"), &job::result(&run.run, &results))?;
    Ok(Exported {
        trials: results.len(),
        problems,
    })
}

/// Writes a trial's folder; its result.
fn trial(
    run: &StoredRun,
    record: &TrialRecord,
    name: &str,
    into: &Path,
    problems: &mut Vec<String>,
) -> Result<Value, ExportError> {
    let stored = trial_dir(&run.dir, &record.trial);
    let mut tell = |problem: String| problems.push(format!("{}: {problem}", record.trial));
    fs::create_dir(into).map_err(failed("make", into))?;
    let events = events(&stored, &mut tell);
    let parts = atif::parts(record, &events);
    let source = Source {
        run: &run.run,
        record,
        folder: name,
        parts: &parts,
        span: Span::of(record),
    };
    for part in &parts {
        let agent = match part.step {
            Some(step) => into
                .join("steps")
                .join(&record.steps[step].name)
                .join("agent"),
            None => into.join("agent"),
        };
        if let Some(whole) = atif::trajectory(record, *part, source.span, &source.id()) {
            fs::create_dir_all(&agent).map_err(failed("make", &agent))?;
            write(&agent.join("trajectory.json"), &whole)?;
        }
    }
    copy(record, &stored, into, &mut tell)?;
    reward(record, into)?;
    if let Some(exception) = verdict::exception(record) {
        let path = into.join("exception.txt");
        let text = format!("{}: {}\n", exception.class, exception.message);
        fs::write(&path, text).map_err(failed("write", &path))?;
    }
    let result = source.result();
    write(&into.join("config.json"), &source.config())?;
    write(&into.join("result.json"), &result)?;
    Ok(result)
}

/// The events that can be read. Whether they are those that were written is what
/// `proofyard audit` says.
fn events(stored: &Path, tell: &mut impl FnMut(String)) -> Vec<Event> {
    let path = stored.join("trajectory.jsonl");
    let bytes = match bounded(&path, MOST_TRAJECTORY) {
        Ok(bytes) => bytes,
        Err(error) => {
            tell(format!("trajectory.jsonl cannot be read: {error}"));
            return Vec::new();
        }
    };
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    let mut events = Vec::new();
    for (index, line) in lines.filter(|(_, line)| !line.is_empty()) {
        match serde_json::from_slice(line) {
            Ok(event) => events.push(event),
            Err(error) => tell(format!("trajectory.jsonl, line {}: {error}", index + 1)),
        }
    }
    events
}

fn bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(most + 1)
        .read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(io::Error::other(format!("it has more than {most} bytes"))),
        false => Ok(bytes),
    }
}

/// Copies what was kept of a trial to where Harbor keeps the same.
fn copy(
    record: &TrialRecord,
    stored: &Path,
    into: &Path,
    tell: &mut impl FnMut(String),
) -> Result<(), ExportError> {
    for entry in WalkDir::new(stored).sort_by_file_name().follow_links(false) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                tell(format!("a file cannot be read: {error}"));
                continue;
            }
        };
        let below = entry.path().strip_prefix(stored).unwrap_or(entry.path());
        let Some(to) = below
            .to_str()
            .and_then(|below| place(below, record.outcome))
        else {
            continue;
        };
        if !entry.file_type().is_file() {
            if !entry.file_type().is_dir() {
                tell(format!("{} is no regular file", below.display()));
            }
            continue;
        }
        let to = into.join(to);
        let folder = to.parent().unwrap_or(into);
        fs::create_dir_all(folder).map_err(failed("make", folder))?;
        fs::copy(entry.path(), &to).map_err(failed("write", &to))?;
    }
    Ok(())
}

/// A reward file, where the verifier wrote none that is meant: a verdict by tests.
fn reward(record: &TrialRecord, into: &Path) -> Result<(), ExportError> {
    let folder = into.join("verifier");
    let there = ["reward.txt", "reward.json"]
        .iter()
        .any(|name| folder.join(name).exists());
    let rewards = verdict::rewards(record).filter(|_| !there && record.steps.is_empty());
    let Some(rewards) = rewards else {
        return Ok(());
    };
    fs::create_dir_all(&folder).map_err(failed("make", &folder))?;
    write(&folder.join("reward.json"), &rewards)
}

/// Where a file of a trial goes; none: nowhere. A reward that was forged is not called
/// one.
fn place(below: &str, outcome: Outcome) -> Option<String> {
    if let Some(rest) = below.strip_prefix("steps/") {
        let (step, rest) = rest.split_once('/')?;
        return Some(format!("steps/{step}/{}", place(rest, outcome)?));
    }
    match below {
        "trial.json" => return Some("proofyard-trial.json".into()),
        "change.patch" | "change.tar.zst" | "tools.tar.zst" => {
            return Some(format!("agent/{below}"));
        }
        "verifier/stdout.txt" => return Some("verifier/test-stdout.txt".into()),
        "verifier/stderr.txt" => return Some("verifier/test-stderr.txt".into()),
        _ => {}
    }
    let (folder, rest) = below.split_once('/')?;
    match (folder, rest) {
        ("verifier", "reward.txt" | "reward.json") if outcome == Outcome::Tampered => {
            Some(format!("verifier/claimed-{rest}"))
        }
        ("verifier" | "artifacts", _) => Some(below.to_owned()),
        ("logs", _) => Some(format!("agent/{rest}")),
        _ => None,
    }
}

fn write(path: &Path, value: &Value) -> Result<(), ExportError> {
    let text = format!("{value:#}\n");
    fs::write(path, text).map_err(failed("write", path))
}
