//! What is asked of the program that alters tests, and what it answers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{ALTER, ALTER_PATH, Kind, Name, Picks};
use crate::sandbox::{Exec, RECORDS_FD, Sandbox, SandboxError, User};
use crate::task::Verification;
use crate::verify::entered::entered;
use crate::verify::hidden;

/// Bytes of all altered files.
const MAX_BYTES: u64 = 16 << 20;

#[derive(Serialize)]
struct Request<'a> {
    seed: u64,
    files: BTreeMap<&'a str, Wanted<'a>>,
}

#[derive(Serialize)]
struct Wanted<'a> {
    source: &'a str,
    tests: &'a BTreeSet<String>,
    picks: BTreeMap<&'a str, usize>,
    must_fail: bool,
}

/// Altered files, and the places of their tests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Answer(BTreeMap<String, Altered>);

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Altered {
    sites: BTreeMap<String, Vec<Kind>>,
    source: String,
    /// The name of a test that must fail, where one was added.
    #[serde(default)]
    must_fail: Option<String>,
}

impl Answer {
    /// Places of each test, by their numbers.
    pub fn sites(&self) -> BTreeMap<Name, Vec<Kind>> {
        let sites = self.0.iter().flat_map(|(file, altered)| {
            let tests = altered.sites.iter();
            tests.map(|(name, kinds)| ((file.clone(), name.clone()), kinds.clone()))
        });
        sites.collect()
    }

    /// Altered contents by path.
    pub fn sources(&self) -> BTreeMap<String, Vec<u8>> {
        let sources = self.0.iter();
        sources
            .map(|(file, altered)| (file.clone(), altered.source.clone().into_bytes()))
            .collect()
    }

    /// Of each file the test that was added.
    pub fn must_fail(&self) -> BTreeMap<String, String> {
        let added = self.0.iter();
        added
            .filter_map(|(file, altered)| Some((file.clone(), altered.must_fail.clone()?)))
            .collect()
    }
}

/// Alters files in a sandbox that nothing of a change has come to yet. Where Python
/// or the sources do not let it, the answer is empty: nothing is altered then.
///
/// # Errors
/// What fails of the sandbox.
pub async fn ask(
    sandbox: &dyn Sandbox,
    verification: &Verification,
    interpreter: &[String],
    seed: u64,
    sources: &BTreeMap<String, String>,
    wanted: &BTreeMap<String, BTreeSet<String>>,
    picks: Option<&Picks>,
) -> Result<Answer, SandboxError> {
    let none = BTreeSet::new();
    let files = sources.iter().map(|(file, source)| {
        let chosen = picks
            .into_iter()
            .flatten()
            .filter(|((of, _), _)| of == file);
        let wanted = Wanted {
            source,
            tests: wanted.get(file).unwrap_or(&none),
            picks: chosen
                .map(|((_, name), (index, _))| (name.as_str(), *index))
                .collect(),
            must_fail: picks.is_some(),
        };
        (file.as_str(), wanted)
    });
    let request = Request {
        seed,
        files: files.collect(),
    };
    let tar = hidden::read_only(&[(ALTER_PATH.trim_start_matches('/'), ALTER.as_bytes())]);
    let tar = tar.map_err(|error| SandboxError::Host {
        doing: "pack what alters tests".into(),
        source: std::io::Error::other(error),
    })?;
    sandbox.unpack("/", &[], &tar).await?;
    let mut argv = interpreter.to_vec();
    argv.extend([ALTER_PATH.to_owned(), RECORDS_FD.to_string()]);
    let exec = Exec {
        stdin: serde_json::to_vec(&request).unwrap_or_default(),
        records_bytes: MAX_BYTES,
        user: User::Root,
        ..Exec::new(entered(verification, argv))
    };
    let output = match sandbox.exec(exec).await {
        Ok(output) => output,
        Err(SandboxError::Guest(_)) => return Ok(Answer::default()),
        Err(error) => return Err(error),
    };
    match output.records.cut {
        0 => Ok(serde_json::from_slice(&output.records.head).unwrap_or_default()),
        _ => Ok(Answer::default()),
    }
}
