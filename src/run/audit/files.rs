//! Every file against the manifests, and every manifest against the files.

use std::collections::BTreeSet;
use std::fs::FileType;
use std::os::unix::fs::FileTypeExt;

use walkdir::WalkDir;

use super::{Auditor, Check};
use crate::record::TrialId;
use crate::run::StoreError;
use crate::run::lock::LOCK;
use crate::run::manifest::{
    self, DERIVED, FileDigest, MANIFEST, ReadError, SIGNATURE, TORN, digest_file,
};
use crate::run::stored::{GIVEN, JOURNAL, PLAN, TRIALS};

impl Auditor<'_> {
    /// Looks at everything that lies in the run's folder, then at what should.
    pub(super) fn files(
        &mut self,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<(), StoreError> {
        let trials = self.run.trials.len();
        let (mut seen, mut looked_at) = (BTreeSet::new(), None);
        let mut walk = WalkDir::new(self.dir)
            .follow_links(false)
            .sort_by_file_name()
            .min_depth(1)
            .into_iter();
        while let Some(entry) = walk.next() {
            let entry = entry.map_err(|error| StoreError::Read {
                path: error.path().unwrap_or(self.dir).to_owned(),
                source: error.into(),
            })?;
            let path = entry.path();
            let name = path.strip_prefix(self.dir).unwrap_or(path);
            let name = name.to_string_lossy().into_owned();
            if entry.file_type().is_dir() {
                if name == DERIVED {
                    walk.skip_current_dir();
                } else if let Some(trial) = self.trial_of(&name, entry.depth()) {
                    progress(self.finished, trials);
                    self.finished += 1;
                    self.own_manifest(&trial)?;
                    looked_at = Some(trial);
                } else if entry.depth() < 3 && name != TRIALS {
                    self.find(Check::Foreign, &name, "nothing of this name", "a folder");
                    walk.skip_current_dir();
                }
            } else if !entry.file_type().is_file() {
                let kind = kind(entry.file_type());
                self.find(Check::Foreign, &name, "files and folders only", kind);
            } else if name != LOCK {
                self.file(&name, looked_at.as_ref())?;
                seen.insert(name);
            }
        }
        progress(self.finished, trials);
        self.missing(&seen);
        Ok(())
    }

    /// The planned trial whose folder this is.
    fn trial_of(&self, name: &str, depth: usize) -> Option<TrialId> {
        let trial = name.strip_prefix(TRIALS)?.strip_prefix('/')?;
        (depth == 2 && self.planned.contains(trial)).then(|| TrialId::new(trial))
    }

    /// Reads the manifest of a trial, which says what lies in its folder.
    fn own_manifest(&mut self, trial: &TrialId) -> Result<(), StoreError> {
        let name = Self::name(trial, MANIFEST);
        let (own, bytes) = match manifest::read(&self.dir.join(TRIALS).join(trial.as_str())) {
            Ok(read) => read,
            // Whether there should be one the run's manifest and the journal say.
            Err(ReadError::Missing) => return Ok(()),
            Err(ReadError::Io(source)) => {
                let path = self.dir.join(name);
                return Err(StoreError::Read { path, source });
            }
            Err(ReadError::Odd(odd)) => {
                self.find(Check::Manifest, &name, "a manifest as it is written", &odd);
                return Ok(());
            }
        };
        if own.run != self.run.run || own.trial.as_ref() != Some(trial) {
            let expected = format!("{} of {}", trial, self.run.run);
            let other = own.trial.as_ref().map_or("", TrialId::as_str);
            let found = format!("{other} of {}", own.run);
            self.find(Check::Manifest, &name, &expected, &found);
        }
        let digest = FileDigest::of(&bytes);
        self.own.insert(trial.clone(), (own, digest));
        Ok(())
    }

    /// What the run's manifest says of a file; nothing of trials that are newer.
    fn put_on_record(&self, name: &str) -> Option<&FileDigest> {
        let entry = self.manifest.as_ref()?.files.get(name)?;
        let folder = name
            .strip_prefix(TRIALS)
            .and_then(|rest| rest.strip_prefix('/'));
        let trial = folder.and_then(|rest| rest.split('/').next());
        (!trial.is_some_and(|trial| self.newer.contains(trial))).then_some(entry)
    }

    /// One regular file, against what is known of it.
    fn file(&mut self, name: &str, in_trial: Option<&TrialId>) -> Result<(), StoreError> {
        let signed = self
            .manifest
            .as_ref()
            .is_some_and(|manifest| manifest.signed_by.is_some());
        if name == MANIFEST || name == SIGNATURE && signed {
            return Ok(());
        }
        let mut known: Vec<FileDigest> = self.put_on_record(name).cloned().into_iter().collect();
        let own = in_trial.and_then(|trial| {
            let within = name.strip_prefix(&Self::name(trial, ""))?;
            Some((self.own.get(trial), within))
        });
        let mut listed = !known.is_empty() || matches!(name, PLAN | JOURNAL | GIVEN);
        match own {
            Some((Some((own, _)), within)) => {
                known.extend(own.files.get(within).cloned());
                listed |= within == MANIFEST || own.files.contains_key(within);
            }
            // Without a manifest that can be read nothing tells what belongs there; that
            // it cannot be read is told already.
            Some((None, _)) => listed |= self.manifest.is_none(),
            // A damaged journal was mended after the manifest had been written.
            None => listed |= name == TORN && (self.manifest.is_none() || !self.newer.is_empty()),
        }
        if !listed {
            self.find(Check::Foreign, name, "nothing of this name", "a file");
            return Ok(());
        }
        let length = match name {
            JOURNAL => known.first().map(|entry| entry.size),
            _ => None,
        };
        let path = self.dir.join(name);
        let found = digest_file(&path, length).map_err(|source| StoreError::Read {
            path: path.clone(),
            source,
        })?;
        self.files += 1;
        self.bytes += found.size;
        if let Some(expected) = known.iter().find(|expected| **expected != found) {
            let (expected, found) = (shown(expected), shown(&found));
            self.find(Check::Digest, name, &expected, &found);
        }
        Ok(())
    }

    /// What was put on record and is not there any more.
    fn missing(&mut self, seen: &BTreeSet<String>) {
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        if let Some(manifest) = &self.manifest {
            let names = manifest.files.keys();
            wanted.extend(
                names
                    .filter(|name| self.put_on_record(name).is_some())
                    .cloned(),
            );
        }
        for (trial, (own, _)) in &self.own {
            wanted.extend(own.files.keys().map(|name| Self::name(trial, name)));
        }
        wanted.insert(JOURNAL.to_owned());
        let mut gone: Vec<String> = Vec::new();
        for name in wanted.difference(seen) {
            // A folder that is gone as a whole is told once.
            let parts: Vec<&str> = name.splitn(3, '/').collect();
            let told = match parts.as_slice() {
                [TRIALS, trial, _] if !self.dir.join(TRIALS).join(trial).exists() => {
                    format!("{TRIALS}/{trial}")
                }
                _ => name.clone(),
            };
            if gone.last() != Some(&told) {
                gone.push(told);
            }
        }
        for name in gone {
            self.find(Check::Missing, &name, "what was put on record", "nothing");
        }
    }
}

fn shown(digest: &FileDigest) -> String {
    format!("sha256 {}, {} bytes", digest.sha256, digest.size)
}

fn kind(kind: FileType) -> &'static str {
    if kind.is_symlink() {
        "a link"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}
