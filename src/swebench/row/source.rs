//! Which files a path stands for, and which format each has: by what is in them, not
//! by how they are called.
//!
//! Must not know what a field means.

use std::fs::{self, File};
use std::io::{self, BufReader, Read as _, Seek as _};
use std::path::{Path, PathBuf};

use super::error::RowError;
use super::intake::{Intake, Origin};
use super::{MOST_BYTES, lines, list, repository, table};

/// Endings of files of rows; of a folder the first that any file has.
const ENDINGS: [&[&str]; 3] = [&["parquet"], &["jsonl", "ndjson"], &["json"]];
/// JSON that is laid beside rows and has none.
const BESIDE: [&str; 4] = [
    "dataset_info.json",
    "dataset_infos.json",
    "dataset_dict.json",
    "state.json",
];
/// The folder in a repository of the hub that holds the files.
const DATA: &str = "data";
/// Most files of a folder.
const MOST_FILES: usize = 10_000;
/// How far a cheap look reads, bytes.
const LOOK: u64 = 4 << 20;

/// Whether a path looks like a data set: a folder with `sweb.yaml` or with files of rows,
/// a file with the ending of one, or any whose beginning looks like a row. A folder with
/// a `task.toml` is none.
pub fn is_data_set(path: &Path) -> bool {
    if path.is_dir() {
        let task = path.join("task.toml").is_file() || is_other_task(path);
        return path.join(repository::FILE).is_file()
            || repository::is_task(path)
            || (!task
                && files(path).is_ok_and(|files| files.iter().any(|file| looks_right(file))));
    }
    path.is_file() && looks_right(path)
}

/// Whether a folder is a task of another format.
fn is_other_task(path: &Path) -> bool {
    path.join("task.yaml").is_file() && !repository::is_task(path)
}

fn looks_right(file: &Path) -> bool {
    let ending = ending(file);
    if ending.is_some_and(|ending| ["parquet", "jsonl", "ndjson"].contains(&ending)) {
        return true;
    }
    let mut start = Vec::new();
    let read = File::open(file).and_then(|file| file.take(LOOK).read_to_end(&mut start));
    let has = |key: &[u8]| start.windows(key.len()).any(|part| part == key);
    read.is_ok()
        && (start.starts_with(table::MAGIC)
            || (begins(&start).is_some_and(|sign| b"[{".contains(&sign))
                && has(b"\"instance_id\"")
                && !has(b"\"model_patch\"")))
}

fn ending(file: &Path) -> Option<&str> {
    file.extension().and_then(|ending| ending.to_str())
}

/// Reads what a path stands for.
///
/// # Errors
/// As of [`super::read`].
pub fn read(path: &Path, intake: &mut Intake) -> Result<(), RowError> {
    let meta = fs::metadata(path).map_err(|source| error(path, source))?;
    if !meta.is_dir() {
        return read_file(path, intake);
    }
    if path.join(repository::FILE).is_file() {
        return repository::read(path, intake);
    }
    if repository::is_task(path) {
        return repository::read_task(path, intake);
    }
    let files = files(path).map_err(|source| error(path, source))?;
    if files.is_empty() {
        return Err(RowError::NoFiles {
            path: path.to_path_buf(),
        });
    }
    files.iter().try_for_each(|file| read_file(file, intake))
}

/// The files of rows in a folder, else in its folder `data`, sorted by name.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)?.take(MOST_FILES) {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        // Files of the hub's cache are links.
        if !BESIDE.iter().any(|beside| name == *beside) && path.is_file() {
            all.push(path);
        }
    }
    all.sort();
    let of = |endings: &&[&str]| -> Vec<PathBuf> {
        all.iter()
            .filter(|path| ending(path).is_some_and(|ending| endings.contains(&ending)))
            .cloned()
            .collect()
    };
    let found = ENDINGS.iter().map(of).find(|files| !files.is_empty());
    let data = folder.join(DATA);
    match found {
        Some(files) => Ok(files),
        None if data.is_dir() && folder.file_name() != data.file_name() => files(&data),
        None => Ok(Vec::new()),
    }
}

fn read_file(path: &Path, intake: &mut Intake) -> Result<(), RowError> {
    let open = || File::open(path).map_err(|source| error(path, source));
    let meta = fs::metadata(path).map_err(|source| error(path, source))?;
    if !meta.is_file() {
        return Err(error(path, io::Error::other("it is no file")));
    }
    if meta.len() > MOST_BYTES {
        return Err(RowError::TooLarge {
            path: path.to_path_buf(),
            limit: MOST_BYTES,
        });
    }
    let mut file = open()?;
    let mut start = Vec::new();
    file.by_ref()
        .take(64)
        .read_to_end(&mut start)
        .and_then(|_| file.rewind())
        .map_err(|source| error(path, source))?;
    let packed = |by| RowError::Packed {
        path: path.to_path_buf(),
        by,
    };
    let origin = Origin::of_file(path, split_of(path));
    match start.as_slice() {
        start if start.starts_with(table::MAGIC) => table::read(&origin, file, intake),
        start if start.starts_with(b"\x1f\x8b") => Err(packed("gzip")),
        start if start.starts_with(b"\x28\xb5\x2f\xfd") => Err(packed("zstd")),
        start if start.starts_with(b"PK\x03\x04") => Err(packed("zip")),
        start if start.starts_with(b"version https://git-lfs") => Err(RowError::Pointer {
            path: path.to_path_buf(),
        }),
        start if begins(start) == Some(b'[') => list::read(&origin, file, intake),
        _ => lines::read(&origin, BufReader::with_capacity(1 << 16, file), intake),
    }
}

/// The first sign that is no blank.
fn begins(start: &[u8]) -> Option<u8> {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    start.trim_ascii_start().first().copied()
}

/// The split that a file's name tells: of `test-00000-of-00002.parquet` and of
/// `test.parquet` it is `test`.
fn split_of(path: &Path) -> Option<String> {
    const SPLITS: [&str; 4] = ["dev", "test", "train", "validation"];
    let stem = path.file_stem()?.to_str()?;
    let digits = |text: &str| text.len() == 5 && text.bytes().all(|sign| sign.is_ascii_digit());
    let part = stem.rsplit_once("-of-").and_then(|(stem, count)| {
        let (split, number) = stem.rsplit_once('-')?;
        (digits(count) && digits(number)).then_some(split)
    });
    let split = part.or_else(|| SPLITS.contains(&stem).then_some(stem))?;
    Some(split.to_owned())
}

/// That a path cannot be read.
pub fn error(path: &Path, source: io::Error) -> RowError {
    let path = path.to_path_buf();
    match source.kind() {
        io::ErrorKind::NotFound => RowError::NotFound { path },
        _ => RowError::Read { path, source },
    }
}
