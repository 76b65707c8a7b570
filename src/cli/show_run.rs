//! `proofyard show RUN` and `proofyard show TRIAL`.

use std::path::{Path, PathBuf};

use crate::report::{Style, run_view, trial_diff, trial_view};
use crate::run::{StoreError, read_run, trial_dir};

/// Something stored that `show` was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    Run(PathBuf),
    Trial(PathBuf),
}

/// What a name means: a folder of a run or a trial, else a run's name below `out`,
/// else a trial's name in the latest run there that has it. None: nothing stored.
pub fn find_stored(name: &str, out: &Path) -> Option<Stored> {
    let at = |path: PathBuf| match path {
        path if path.join("run.json").is_file() => Some(Stored::Run(path)),
        path if path.join("trial.json").is_file() => Some(Stored::Trial(path)),
        _ => None,
    };
    if let Some(found) = at(PathBuf::from(name)) {
        return Some(found);
    }
    // Anything else must be a plain name, so that it does not lead out of `out`.
    if name.contains('/') || name.starts_with('.') {
        return None;
    }
    at(out.join(name)).or_else(|| {
        let runs = std::fs::read_dir(out).ok()?;
        let trials = runs
            .flatten()
            .map(|run| trial_dir(&run.path(), &crate::record::TrialId::new(name)))
            .filter_map(|dir| {
                Some((
                    dir.join("trial.json").metadata().ok()?.modified().ok()?,
                    dir,
                ))
            });
        trials.max().map(|(_, dir)| Stored::Trial(dir))
    })
}

/// What of it is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Part {
    /// All of it, at a glance.
    #[default]
    Folded,
    /// Of a run: only what is not resolved.
    Failed,
    /// Of a trial: nothing is folded.
    Full,
    /// Of a trial: its change.
    Diff,
    /// Of a trial: `trial.json`, as it is.
    Record,
}

/// The text that `show` prints.
///
/// # Errors
/// [`StoreError`] where it cannot be read.
pub fn show_stored(
    stored: &Stored,
    part: Part,
    columns: usize,
    style: Style,
) -> Result<String, StoreError> {
    match stored {
        Stored::Trial(dir) => match part {
            Part::Folded | Part::Failed => trial_view(dir, false, columns, style),
            Part::Full => trial_view(dir, true, columns, style),
            Part::Diff => trial_diff(dir, style),
            Part::Record => read_record(dir),
        },
        Stored::Run(dir) => {
            let run = read_run(dir)?;
            for warning in &run.warnings {
                tracing::warn!("{warning}");
            }
            Ok(run_view(&run, part == Part::Failed, columns, style))
        }
    }
}

fn read_record(dir: &Path) -> Result<String, StoreError> {
    let path = dir.join("trial.json");
    std::fs::read_to_string(&path).map_err(|source| StoreError::Read { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::RunStore;
    use crate::run::fixture::{RecordBuilder, plan_of};

    #[test]
    fn runs_and_trials_are_found_by_path_and_by_name() {
        let out = tempfile::tempdir().unwrap();
        let store = RunStore::create(out.path(), plan_of(&["a"])).unwrap();
        let record = RecordBuilder::of(store.run(), 0).build();
        store.partial(&record.trial).unwrap();
        store.seal(&record).unwrap();
        store.append(std::slice::from_ref(&record)).unwrap();

        let run = store.dir().to_owned();
        let trial = run.join("trials/a--nop--1");
        for (name, found) in [
            (run.to_str().unwrap(), Some(Stored::Run(run.clone()))),
            (trial.to_str().unwrap(), Some(Stored::Trial(trial.clone()))),
            ("2026-11-23-quiet-otter", Some(Stored::Run(run.clone()))),
            ("a--nop--1", Some(Stored::Trial(trial.clone()))),
            ("nothing", None),
            ("../..", None),
        ] {
            assert_eq!(find_stored(name, out.path()), found, "{name}");
        }
        let asked = |part| {
            let stored = Stored::Trial(trial.clone());
            show_stored(&stored, part, 100, Style::PLAIN).unwrap()
        };
        assert_eq!(
            asked(Part::Record),
            std::fs::read_to_string(trial.join("trial.json")).unwrap()
        );
        assert_eq!(asked(Part::Diff), "no change is stored\n");
        std::fs::write(trial.join("change.patch"), "diff --git a/x b/x\n").unwrap();
        assert_eq!(asked(Part::Diff), "diff --git a/x b/x\n");
        let shown = show_stored(&Stored::Run(run), Part::Folded, 100, Style::PLAIN).unwrap();
        assert!(shown.contains("1/1"), "{shown}");
    }
}
