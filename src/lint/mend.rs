//! What `--fix` writes: only what cannot change what a task means.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, value};

use super::scripts::{scripts, shown, text};
use crate::task::Task;

/// Something that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    /// As the user names the task, and below it.
    pub file: PathBuf,
    pub what: String,
}

/// Mends what can be mended without changing what the task means: carriage returns of
/// scripts, scripts that are not executable, older names of keys.
///
/// # Errors
/// A file that cannot be read or written; what was written before stays.
pub fn mend(task: &Task) -> io::Result<Vec<Mended>> {
    let mut mended = Vec::new();
    for script in scripts(task) {
        let mut told = |what: &str| {
            mended.push(Mended {
                file: shown(task, &script),
                what: what.to_owned(),
            });
        };
        let Some(content) = text(&script) else {
            continue;
        };
        let without = without_carriage_returns(&content);
        if without != content {
            write(&script, &without)?;
            told("carriage returns taken away");
        }
        let mode = script.metadata()?.permissions().mode();
        if mode & 0o111 == 0 {
            fs::set_permissions(&script, fs::Permissions::from_mode(mode | 0o755))?;
            told("made executable");
        }
    }
    let file = task.dir.join("task.toml");
    if file.is_file() {
        let before = fs::read_to_string(&file)?;
        let (after, changed) = with_new_keys(&before);
        if !changed.is_empty() {
            write(&file, after.as_bytes())?;
            mended.extend(changed.into_iter().map(|what| Mended {
                file: shown(task, &file),
                what,
            }));
        }
    }
    Ok(mended)
}

fn without_carriage_returns(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len());
    for (index, byte) in content.iter().enumerate() {
        if *byte != b'\r' || content.get(index + 1) != Some(&b'\n') {
            out.push(*byte);
        }
    }
    out
}

/// `task.toml` with the newer names of keys, comments and all else as they were; and
/// what was changed.
fn with_new_keys(text: &str) -> (String, Vec<String>) {
    let Ok(mut document) = text.parse::<DocumentMut>() else {
        return (text.to_owned(), Vec::new());
    };
    let mut changed = Vec::new();
    let root = document.as_table_mut();
    if let Some(version) = root
        .get("version")
        .and_then(Item::as_str)
        .map(str::to_owned)
        && !root.contains_key("schema_version")
    {
        rename(root, "version", "schema_version", value(version));
        changed.push("`version` is `schema_version`".to_owned());
    }
    if let Some(environment) = root.get_mut("environment").and_then(Item::as_table_mut) {
        for (old, new) in [("memory", "memory_mb"), ("storage", "storage_mb")] {
            let size = environment.get(old).and_then(Item::as_str);
            let Some(megabytes) = size.and_then(megabytes) else {
                continue;
            };
            if environment.contains_key(new) {
                environment.remove(old);
            } else {
                rename(environment, old, new, value(megabytes));
            }
            changed.push(format!("`{old}` is `{new}`"));
        }
        let internet = environment.get("allow_internet").and_then(Item::as_bool);
        if let Some(allowed) = internet {
            if environment.contains_key("network_mode") {
                environment.remove("allow_internet");
            } else {
                let mode = if allowed { "public" } else { "no-network" };
                rename(environment, "allow_internet", "network_mode", value(mode));
            }
            changed.push("`allow_internet` is `network_mode`".to_owned());
        }
    }
    (document.to_string(), changed)
}

/// In the place of the old key, with its comments.
fn rename(table: &mut Table, old: &str, new: &str, mut item: Item) {
    let before = table.get(old).and_then(Item::as_value);
    if let (Some(before), Some(now)) = (before, item.as_value_mut()) {
        *now.decor_mut() = before.decor().clone();
    }
    let decor = table.key(old).map(|key| key.leaf_decor().clone());
    let position = table.iter().position(|(key, _)| key == old);
    table.remove(old);
    table.insert(new, item);
    if let (Some(decor), Some(mut key)) = (decor, table.key_mut(new)) {
        *key.leaf_decor_mut() = decor;
    }
    // A table keeps the order in which keys came: those after it are put behind it.
    let after: Vec<String> = table
        .iter()
        .skip(position.unwrap_or(usize::MAX))
        .map(|(key, _)| key.to_owned())
        .filter(|key| key != new)
        .collect();
    for key in after {
        if table.get(&key).is_some_and(Item::is_value)
            && let Some((key, item)) = table.remove_entry(&key)
        {
            table.insert_formatted(&key, item);
        }
    }
}

/// `"2G"` in MB, where it is a whole number of them.
fn megabytes(size: &str) -> Option<i64> {
    let size = size.trim();
    let unit = size.chars().last()?.to_ascii_uppercase();
    let number: f64 = size.get(..size.len() - 1)?.trim().parse().ok()?;
    let megabytes = match unit {
        'G' => number * 1024.0,
        'M' => number,
        'K' => number / 1024.0,
        _ => return None,
    };
    let whole = megabytes.fract() == 0.0 && (1.0..1e9).contains(&megabytes);
    whole.then_some(megabytes as i64)
}

/// Whole or not at all, with the file's own mode.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mode = path.metadata()?.permissions();
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.as_file().set_permissions(mode)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_names_become_newer_ones_in_their_places() {
        let text = "# who wrote it\nversion = \"1.0\"\n\n[environment]\ncpus = 1\n# enough\nmemory = \"2G\"\nallow_internet = false\nbuild_timeout_sec = 60.0\n\n[agent]\nuser = \"a\"\n";
        let (after, changed) = with_new_keys(text);
        assert_eq!(changed.len(), 3);
        insta::assert_snapshot!(after, @r#"
        # who wrote it
        schema_version = "1.0"

        [environment]
        cpus = 1
        # enough
        memory_mb = 2048
        network_mode = "no-network"
        build_timeout_sec = 60.0

        [agent]
        user = "a"
        "#);
        assert_eq!(with_new_keys(&after), (after.clone(), Vec::new()));
    }

    #[test]
    fn what_is_no_whole_number_stays() {
        let text = "[environment]\nmemory = \"1K\"\nstorage = \"much\"\n";
        assert_eq!(with_new_keys(text), (text.to_owned(), Vec::new()));
    }

    #[test]
    fn only_carriage_returns_at_the_end_of_lines_go() {
        assert_eq!(without_carriage_returns(b"a\r\nb\rc\r\n"), b"a\nb\rc\n");
    }
}
