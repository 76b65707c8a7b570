//! Git objects in packs and bundles: every one, whether a commit has it or not.
//!
//! Owns how they are named. Must not know git's formats: that is `repo`'s.

use std::collections::BTreeSet;
use std::io::Read;

use super::search::{Interrupted, Search};
use super::{Place, archive};
use crate::repo::{ObjectKind, Pack};

/// Searches all objects of a pack, or of a bundle's.
pub fn search(
    search: &mut Search<'_>,
    place: &Place,
    reader: &mut dyn Read,
    bundle: bool,
    depth: u32,
) -> Result<(), Interrupted> {
    let unpacked = tempfile::tempdir_in(&search.scratch)
        .map_err(|error| error.to_string())
        .and_then(|folder| {
            let pack = Pack::unpack(reader, bundle, &folder.path().join("pack.git"));
            pack.map(|pack| (folder, pack))
                .map_err(|error| error.to_string())
        });
    let (_folder, pack) = match unpacked {
        Ok(unpacked) => unpacked,
        Err(why) => {
            search.skip(place, why);
            return Ok(());
        }
    };
    let before = search.hits();
    for object in pack.objects() {
        if object.kind == ObjectKind::Tree {
            continue;
        }
        let inner = place.at(format!("object {}", object.id));
        if object.size > search.bounds.object {
            search.skip(&inner, "it is too large");
            continue;
        }
        match pack.content(object) {
            Ok(content) => archive::open(search, &inner, &mut content.as_slice(), depth)?,
            Err(error) => search.skip(&inner, error.to_string()),
        }
    }
    name(search, before, place.path.len(), &pack);
    Ok(())
}

/// Says of what was found which commit has it, under which path.
fn name(search: &mut Search<'_>, since: usize, level: usize, pack: &Pack) {
    let id = |place: &Place| {
        let part = place.path.get(level)?;
        Some(part.strip_prefix("object ")?.to_owned())
    };
    let found: BTreeSet<String> = search
        .hits_since(since)
        .filter_map(|place| id(place))
        .collect();
    let known = match found.is_empty() {
        true => return,
        false => pack.whereabouts(&found),
    };
    for place in search.hits_since(since) {
        if let Some((commit, path)) = id(place).and_then(|id| known.get(&id)) {
            place.note = Some(format!("{path} of commit {commit}"));
        }
    }
}
