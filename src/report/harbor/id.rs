//! Identifiers that are the same in every export of a run: digests of what they name.

use sha2::{Digest as _, Sha256};

use crate::record::hex;

/// Signs of a trial's mark; as in Harbor none that is easily taken for another.
const SIGNS: &[u8; 57] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Signs of a mark.
const MARK: usize = 7;
/// Most characters of a task's name before it.
const NAME: usize = 32;

fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update("proofyard/harbor/1");
    for part in parts {
        hash.update([0]);
        hash.update(part);
    }
    hash.finalize().into()
}

/// A UUID of version 8, whose bits are those of a digest (RFC 9562, 5.8).
pub fn uuid(parts: &[&str]) -> String {
    let mut bytes = digest(parts);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex(&bytes[..16]);
    let parts = [
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..],
    ];
    parts.join("-")
}

/// `<task>__<7 signs>`: the folder of a trial, as Harbor names them. `again` is how
/// often another trial was found to have it already.
pub fn folder(run: &str, task: &str, trial: &str, again: usize) -> String {
    let last = task.rsplit('/').next().unwrap_or(task);
    let plain = |sign: char| match sign {
        sign if sign.is_ascii_alphanumeric() || "._-".contains(sign) => sign,
        _ => '_',
    };
    let name: String = last.chars().take(NAME).map(plain).collect();
    let name = name.trim_end_matches(['_', '-']).trim_start_matches('.');
    let again = again.to_string();
    let digest = digest(&["folder", run, trial, &again]);
    let sign = |byte: &u8| char::from(SIGNS[usize::from(*byte) % SIGNS.len()]);
    let mark: String = digest[..MARK].iter().map(sign).collect();
    match name.is_empty() {
        true => format!("task__{mark}"),
        false => format!("{name}__{mark}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_same_each_time_and_differ_by_what_they_name() {
        let id = uuid(&["trial", "run", "a"]);
        assert_eq!(id, uuid(&["trial", "run", "a"]));
        assert_ne!(id, uuid(&["trial", "run", "b"]));
        assert_ne!(id, uuid(&["trial", "runa", ""]));
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(&id[14..15], "8");
    }

    #[test]
    fn a_folder_is_named_after_its_task_and_is_a_plain_name() {
        for (task, begins) in [
            ("org/glob-star", "glob-star__"),
            ("two words", "two_words__"),
            ("..", "task__"),
            ("é/ü", "task__"),
            (
                "a_task_with_a_name_that_is_too_long__",
                "a_task_with_a_name_that_is_too_l__",
            ),
        ] {
            let name = folder("run", task, "trial", 0);
            let mark = name.strip_prefix(begins);
            assert_eq!(mark.map(str::len), Some(MARK), "{task}: {name}");
            assert_ne!(name, folder("run", task, "trial", 1));
        }
    }
}
