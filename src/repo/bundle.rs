//! Git bundles, which libgit2 cannot read: a text header, then a pack.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use git2::Oid;

use super::{RepoError, store};

/// Longest line of a header, bytes.
const MAX_LINE: u64 = 8192;
/// Most lines of a header.
const MAX_LINES: usize = 200_000;

/// What a bundle's header names.
#[derive(Debug, Default, PartialEq, Eq)]
struct Header {
    head: Option<Oid>,
    tips: BTreeSet<Oid>,
    /// By their whole names.
    tags: BTreeMap<String, Oid>,
}

/// Unpacks a bundle into a new bare repository at `git_dir`. Returns the commit
/// that it offers: its HEAD, else its only tip, else none.
pub fn unpack(bundle: &Path, git_dir: &Path) -> Result<Option<Oid>, RepoError> {
    let fail = |message: String| RepoError::Bundle {
        path: bundle.to_owned(),
        message,
    };
    let file = File::open(bundle).map_err(RepoError::io("open the bundle", bundle))?;
    let mut reader = BufReader::new(file);
    let header = header(&mut reader).map_err(fail)?;

    let repo = store::lay_scratch(git_dir, None)?;
    let odb = repo.odb().map_err(RepoError::git("open the objects"))?;
    let mut pack = odb
        .packwriter()
        .map_err(RepoError::git("unpack the bundle"))?;
    let mut chunk = vec![0; 1 << 16];
    loop {
        let read = reader
            .read(&mut chunk)
            .map_err(RepoError::io("read the bundle", bundle))?;
        if read == 0 {
            break;
        }
        pack.write_all(&chunk[..read])
            .map_err(|_| fail("its pack is damaged".to_owned()))?;
    }
    pack.commit()
        .map_err(|error| fail(format!("its pack is damaged: {}", error.message())))?;

    for (name, id) in &header.tags {
        // One that names nothing is of no use, and no harm.
        let _ = repo.reference(name, *id, true, "");
    }
    let only = match header.tips.first() {
        Some(tip) if header.tips.len() == 1 => Some(*tip),
        _ => None,
    };
    let Some(tip) = header.head.or(only) else {
        return Ok(None);
    };
    // A tip may be an annotated tag.
    let commit = repo
        .find_object(tip, None)
        .and_then(|object| object.peel_to_commit())
        .map_err(|error| fail(format!("its tip {tip} is no commit: {}", error.message())))?;
    Ok(Some(commit.id()))
}

fn header(reader: &mut impl BufRead) -> Result<Header, String> {
    let version = match line(reader)?.as_slice() {
        b"# v2 git bundle" => 2,
        b"# v3 git bundle" => 3,
        _ => return Err("it is no git bundle of version 2 or 3".to_owned()),
    };
    let mut header = Header::default();
    for _ in 0..MAX_LINES {
        let line = line(reader)?;
        if line.is_empty() {
            return Ok(header);
        }
        match line[0] {
            b'@' if version == 3 => match &line[1..] {
                b"object-format=sha1" => {}
                other => {
                    return Err(format!(
                        "it needs `{}`, which is not supported",
                        other.escape_ascii()
                    ));
                }
            },
            b'-' => {
                return Err(
                    "it has prerequisites; make it with the whole history (git bundle create FILE main)"
                        .to_owned(),
                );
            }
            _ => {
                let (id, name) = line
                    .split_at_checked(40)
                    .filter(|(_, name)| name.first() == Some(&b' '))
                    .ok_or("a line of its header is damaged")?;
                let id = std::str::from_utf8(id)
                    .ok()
                    .and_then(|id| Oid::from_str(id).ok())
                    .ok_or("a line of its header is damaged")?;
                let name = String::from_utf8_lossy(&name[1..]);
                if name == "HEAD" {
                    header.head = Some(id);
                }
                if name.starts_with("refs/tags/") && git2::Reference::is_valid_name(&name) {
                    header.tags.insert(name.into_owned(), id);
                }
                header.tips.insert(id);
            }
        }
    }
    Err(format!("its header has more than {MAX_LINES} lines"))
}

fn line(reader: &mut impl BufRead) -> Result<Vec<u8>, String> {
    let mut line = Vec::new();
    reader
        .take(MAX_LINE)
        .read_until(b'\n', &mut line)
        .map_err(|error| error.to_string())?;
    if line.pop() != Some(b'\n') {
        return Err("its header is cut off".to_owned());
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "0123456789012345678901234567890123456789";

    fn read(text: &str) -> Result<Header, String> {
        header(&mut text.as_bytes())
    }

    #[test]
    fn a_header_names_its_tips() {
        let header = read(&format!(
            "# v2 git bundle\n{ID} refs/heads/x\n{ID} HEAD\n\nPACK"
        ));
        let id = Oid::from_str(ID).unwrap();
        assert_eq!(
            header,
            Ok(Header {
                head: Some(id),
                tips: BTreeSet::from([id]),
                tags: BTreeMap::new(),
            })
        );
    }

    #[test]
    fn what_cannot_be_read_whole_is_refused() {
        for (text, why) in [
            ("# v1 git bundle\n\n".to_owned(), "no git bundle"),
            (format!("# v2 git bundle\n-{ID} x\n\n"), "prerequisites"),
            (
                "# v3 git bundle\n@object-format=sha256\n\n".to_owned(),
                "not supported",
            ),
            (
                "# v3 git bundle\n@filter=blob:none\n\n".to_owned(),
                "not supported",
            ),
            (format!("# v2 git bundle\n{ID} HEAD"), "cut off"),
            ("# v2 git bundle\nxyz\n\n".to_owned(), "damaged"),
        ] {
            let message = read(&text).unwrap_err();
            assert!(message.contains(why), "{message}");
        }
        assert!(
            read(&format!(
                "# v3 git bundle\n@object-format=sha1\n{ID} HEAD\n\n"
            ))
            .is_ok()
        );
    }

    proptest! {
        #[test]
        fn a_hostile_header_never_panics(
            text in proptest::collection::vec(any::<u8>(), 0..200),
            version in 2u8..4,
        ) {
            let mut all = format!("# v{version} git bundle\n").into_bytes();
            all.extend(text);
            let _ = header(&mut all.as_slice());
        }
    }
}
