//! An image as an engine saves it: a tar stream of layers, each a tar stream.
//!
//! Owns the order of layers, and which of them deletes a file. Must not know engines.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use serde::Deserialize;

use super::Place;
use super::archive;
use super::peek::{Bounded, Form, form, peek};
use super::search::{Interrupted, Search};

/// Largest list of layers, bytes.
const MANIFEST_BYTES: u64 = 16 << 20;
/// What a layer calls a file that it deletes, and a folder that hides the one below.
const DELETED: &str = ".wh.";
const OPAQUE: &str = ".wh..wh..opq";

/// An entry of `manifest.json`.
#[derive(Debug, Deserialize)]
struct Manifest {
    #[serde(rename = "Layers")]
    layers: Vec<String>,
}

/// What layers delete, by the layer's name in the stream: paths, and folders whose
/// whole content goes.
#[derive(Debug, Default)]
struct Deleted {
    paths: BTreeMap<String, BTreeSet<String>>,
}

/// Searches an image, layer by layer, and its configuration: also files that a later
/// layer deletes, which the engine and whoever pulls the image still have.
///
/// # Errors
/// A stream that breaks off; [`Interrupted`] as the error's source where the search is
/// to end.
pub fn image(search: &mut Search<'_>, stream: &mut dyn Read) -> io::Result<()> {
    let mut archive = tar::Archive::new(stream);
    let mut manifest = None;
    let mut deleted = Deleted::default();
    for entry in archive.entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if name == "manifest.json" {
            let mut text = String::new();
            entry
                .by_ref()
                .take(MANIFEST_BYTES)
                .read_to_string(&mut text)?;
            manifest = Some(serde_json::from_str::<Vec<Manifest>>(&text)?);
            continue;
        }
        layer(search, &name, &mut entry, &mut deleted, 3).map_err(io::Error::other)?;
    }
    // It is the last of the stream: without it something is missing.
    let manifest = manifest.ok_or_else(|| {
        let kind = io::ErrorKind::UnexpectedEof;
        io::Error::new(kind, "the image's stream has no list of layers")
    })?;
    let layers: Vec<String> = manifest.into_iter().flat_map(|m| m.layers).collect();
    for place in search.named() {
        name_layer(place, &layers, &deleted);
    }
    Ok(())
}

/// A member of the stream: a layer, packed or not, or a text about the image.
fn layer(
    search: &mut Search<'_>,
    name: &str,
    reader: &mut dyn Read,
    deleted: &mut Deleted,
    tries: u32,
) -> Result<(), Interrupted> {
    let place = Place::of(name);
    let (head, mut again) = match peek(reader) {
        Ok(peeked) => peeked,
        Err(error) => {
            search.skip(&place, error.to_string());
            return Ok(());
        }
    };
    search.left.set(search.bounds.unpacked);
    let left = search.left.clone();
    match form(&head, name) {
        Form::Gzip if tries > 0 => {
            let mut plain = Bounded::new(flate2::read::MultiGzDecoder::new(again), &left);
            layer(search, name, &mut plain, deleted, tries - 1)
        }
        Form::Zstd if tries > 0 => match zstd::stream::read::Decoder::new(again) {
            Ok(plain) => layer(
                search,
                name,
                &mut Bounded::new(plain, &left),
                deleted,
                tries - 1,
            ),
            Err(error) => {
                search.skip(&place, error.to_string());
                Ok(())
            }
        },
        Form::Tar => {
            let paths = deleted.paths.entry(name.to_owned()).or_default();
            let depth = search.bounds.depth;
            let mut told = |path: &str, _| {
                let path = path.trim_start_matches("./");
                let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
                if file == OPAQUE {
                    paths.insert(format!("{folder}/"));
                } else if let Some(gone) = file.strip_prefix(DELETED) {
                    paths.insert(
                        format!("{folder}/{gone}")
                            .trim_start_matches('/')
                            .to_owned(),
                    );
                }
            };
            archive::tar(search, &place, &mut again, depth, &mut told)
        }
        _ => search.text(&place.at("configuration"), &mut again),
    }
}

/// `image layer 2 of 5`, and whether a later one deletes the file.
fn name_layer(place: &mut Place, layers: &[String], deleted: &Deleted) {
    let Some(at) = layers.iter().position(|layer| *layer == place.root) else {
        // Of places elsewhere nothing is said here.
        if place
            .path
            .first()
            .is_some_and(|name| name == "configuration")
        {
            place.root = "image".into();
        }
        return;
    };
    place.root = format!("image layer {} of {}", at + 1, layers.len());
    let Some(path) = place.path.first_mut() else {
        return;
    };
    let inner = path
        .trim_start_matches("./")
        .trim_start_matches('/')
        .to_owned();
    *path = format!("/{inner}");
    let later = layers.iter().enumerate().skip(at + 1);
    let gone = later.clone().find(|(_, layer)| {
        let paths = deleted.paths.get(*layer);
        paths.is_some_and(|paths| is_gone(&inner, paths))
    });
    if let Some((by, _)) = gone {
        let told = format!("deleted by layer {}", by + 1);
        place.note = Some(match place.note.take() {
            Some(note) => format!("{note}; {told}"),
            None => told,
        });
    }
}

fn is_gone(path: &str, deleted: &BTreeSet<String>) -> bool {
    let above = path.match_indices('/').map(|(at, _)| &path[..at]);
    above
        .clone()
        .chain([path])
        .any(|path| deleted.contains(path))
        || above
            .chain([""])
            .any(|folder| deleted.contains(&format!("{folder}/")))
}
