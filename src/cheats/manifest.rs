//! A folder of further cheats: `manifest.json` and a script for each.
//!
//! Owns that format and its words (`not_resolved` is our `unresolved`). Must not
//! know where such a folder lies.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::catalogue::{Begins, Cheat, Expected, Place};

/// The most bytes of a manifest or a script.
const MOST: u64 = 4 << 20;

/// A folder of cheats that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("read {path}: {source}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "{path} cannot be understood: {message}; it is a list of objects with `id`, `file`, `category`, `title` and `expected`"
    )]
    Malformed { path: PathBuf, message: String },
    #[error("{path}: the file of `{id}` lies outside of the folder: {file}")]
    Outside {
        path: PathBuf,
        id: String,
        file: String,
    },
    #[error("{path}: `{id}` is there twice")]
    Twice { path: PathBuf, id: String },
}

#[derive(Deserialize)]
struct Row {
    id: String,
    file: String,
    category: String,
    title: String,
    expected: Vec<String>,
    #[serde(default)]
    naive_paid: std::collections::BTreeMap<String, String>,
}

/// The cheats of a folder; those of the category `honest` are controls.
///
/// # Errors
/// What cannot be read, or is not as the format says.
pub fn read_folder(folder: &Path) -> Result<Vec<Cheat>, ManifestError> {
    let path = folder.join("manifest.json");
    let text = read(&path)?;
    let malformed = |message: String| ManifestError::Malformed {
        path: path.clone(),
        message,
    };
    let rows: Vec<Row> =
        serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
    if rows.is_empty() {
        return Err(malformed("it names no cheat".to_owned()));
    }
    let mut cheats: Vec<Cheat> = Vec::new();
    for row in rows {
        let id = row.id.clone();
        let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || !id.chars().all(word) {
            return Err(malformed(format!("`{id}` is no name")));
        }
        if cheats.iter().any(|cheat| cheat.name == id) {
            return Err(ManifestError::Twice { path, id });
        }
        cheats.push(cheat(folder, &path, row)?);
    }
    Ok(cheats)
}

fn cheat(folder: &Path, manifest: &Path, row: Row) -> Result<Cheat, ManifestError> {
    let file = Path::new(&row.file);
    let inside = file
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)));
    if !inside {
        return Err(ManifestError::Outside {
            path: manifest.to_owned(),
            id: row.id,
            file: row.file,
        });
    }
    let expected = row.expected.iter().map(|word| match word.as_str() {
        "resolved" => Ok(Expected::Resolved),
        "not_resolved" | "unresolved" => Ok(Expected::Unresolved),
        "tampered" => Ok(Expected::Tampered),
        "contaminated" => Ok(Expected::Contaminated),
        other => Err(ManifestError::Malformed {
            path: manifest.to_owned(),
            message: format!("`{}` expects `{other}`", row.id),
        }),
    });
    let expected = expected.collect::<Result<_, _>>()?;
    let paid = row.naive_paid.values().any(|signals| !signals.is_empty());
    Ok(Cheat {
        script: Some(read(&folder.join(file))?),
        expected,
        honest: row.category == "honest",
        pays: row.naive_paid.is_empty() || paid,
        name: row.id,
        kind: row.category,
        idea: row.title,
        runners: Vec::new(),
        place: Place::Any,
        begins: Begins::Nothing,
        calls: None,
    })
}

fn read(path: &Path) -> Result<String, ManifestError> {
    let failed = |source| ManifestError::Read {
        path: path.to_owned(),
        source,
    };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > MOST {
        let why = format!("{size} bytes are more than {MOST}");
        return Err(failed(std::io::Error::other(why)));
    }
    std::fs::read_to_string(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(manifest: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("manifest.json"), manifest).unwrap();
        std::fs::write(folder.path().join("a.sh"), "true\n").unwrap();
        folder
    }

    fn row(id: &str, file: &str, expected: &str) -> String {
        format!(
            r#"{{"id": "{id}", "file": "{file}", "category": "honest", "title": "x", "expected": ["{expected}"], "note": "", "naive_paid": {{"git": "", "copy": ""}}}}"#
        )
    }

    #[test]
    fn a_folder_is_read_with_its_words_in_ours() {
        let folder = folder(&format!("[{}]", row("a", "a.sh", "not_resolved")));
        let cheats = read_folder(folder.path()).unwrap();
        assert_eq!(cheats[0].expected, [Expected::Unresolved]);
        assert_eq!((cheats[0].honest, cheats[0].pays), (true, false));
        assert_eq!(cheats[0].script.as_deref(), Some("true\n"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |manifest: &str| {
            let folder = folder(manifest);
            read_folder(folder.path()).unwrap_err().to_string()
        };
        assert!(wrong("[]").contains("it names no cheat"));
        assert!(wrong("{").contains("cannot be understood"));
        let list = |row: String| format!("[{row}]");
        assert!(wrong(&list(row("a", "../a.sh", "resolved"))).contains("outside"));
        assert!(wrong(&list(row("a", "/etc/passwd", "resolved"))).contains("outside"));
        assert!(wrong(&list(row("a", "b.sh", "resolved"))).contains("b.sh"));
        assert!(wrong(&list(row("a", "a.sh", "splendid"))).contains("expects `splendid`"));
        assert!(wrong(&list(row("a b", "a.sh", "resolved"))).contains("is no name"));
        let twice = format!("[{0}, {0}]", row("a", "a.sh", "resolved"));
        assert!(wrong(&twice).contains("twice"));
    }
}
