//! What is packed into a file: compressed streams, tar, zip, git's objects.
//!
//! Owns the opening, bounded in depth, members and bytes. Must not know what is
//! looked for. Damage inside an archive is said and ends that archive alone.

use std::io::{self, BufReader, Read, Seek};

use super::peek::{Bounded, Form, form, peek};
use super::search::{Interrupted, Search};
use super::{Place, pack};

/// Bytes of a zip that are held in memory; larger ones go to disk.
const IN_MEMORY: usize = 32 << 20;

/// Searches a file as what it is; `depth` archives may still be opened.
pub fn open(
    search: &mut Search<'_>,
    place: &Place,
    reader: &mut dyn Read,
    depth: u32,
) -> Result<(), Interrupted> {
    search.go_on()?;
    let (head, mut reader) = match peek(reader) {
        Ok(peeked) => peeked,
        Err(error) => {
            search.skip(place, error.to_string());
            return Ok(());
        }
    };
    let name = place.path.last().map_or("", String::as_str);
    let form = form(&head, name);
    if form == Form::Plain {
        return search.text(place, &mut reader);
    }
    if depth == 0 {
        search.skip(place, "archives lie in each other too deeply");
        return search.text(place, &mut reader);
    }
    search.opened();
    let mut unpacked: Box<dyn Read + '_> = match form {
        Form::Tar => return tar(search, place, &mut reader, depth - 1, &mut |_, _| {}),
        Form::Zip => return zip(search, place, &mut reader, depth - 1),
        Form::Pack => return pack::search(search, place, &mut reader, false, depth - 1),
        Form::Bundle => return pack::search(search, place, &mut reader, true, depth - 1),
        Form::Plain => return Ok(()),
        Form::Gzip => Box::new(flate2::read::MultiGzDecoder::new(reader)),
        Form::Object => Box::new(flate2::read::ZlibDecoder::new(reader)),
        Form::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(reader)),
        Form::Xz => Box::new(lzma_rust2::XzReader::new(BufReader::new(reader), true)),
        Form::Zstd => match zstd::stream::read::Decoder::new(reader) {
            Ok(decoder) => Box::new(decoder),
            Err(error) => {
                search.skip(place, error.to_string());
                return Ok(());
            }
        },
    };
    let left = search.left.clone();
    let mut bounded = Bounded::new(&mut unpacked, &left);
    open(search, place, &mut bounded, depth - 1)
}

/// Searches each file of a tar stream; `told` hears of every member, with its path.
pub fn tar(
    search: &mut Search<'_>,
    place: &Place,
    reader: &mut dyn Read,
    depth: u32,
    told: &mut dyn FnMut(&str, tar::EntryType),
) -> Result<(), Interrupted> {
    let mut archive = tar::Archive::new(reader);
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => {
            search.skip(place, error.to_string());
            return Ok(());
        }
    };
    for (count, entry) in entries.enumerate() {
        let mut entry = match entry {
            Ok(_) if count as u64 >= search.bounds.members => {
                search.skip(place, "it has too many members");
                return Ok(());
            }
            Ok(entry) => entry,
            Err(error) => {
                search.skip(place, error.to_string());
                return Ok(());
            }
        };
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        told(&name, kind);
        if kind.is_file() || kind.is_gnu_sparse() || kind.is_contiguous() {
            open(search, &place.at(name), &mut entry, depth)?;
        }
    }
    Ok(())
}

fn zip(
    search: &mut Search<'_>,
    place: &Place,
    reader: &mut dyn Read,
    depth: u32,
) -> Result<(), Interrupted> {
    let left = search.left.clone();
    // Its list of members is at its end.
    let mut file = tempfile::SpooledTempFile::new_in(IN_MEMORY, &search.scratch);
    let copied = io::copy(&mut Bounded::new(reader, &left), &mut file).and_then(|_| file.rewind());
    let archive = copied.and_then(|()| Ok(zip::ZipArchive::new(&mut file)?));
    let mut archive = match archive {
        Ok(archive) => archive,
        Err(error) => {
            search.skip(place, error.to_string());
            return Ok(());
        }
    };
    if archive.len() as u64 > search.bounds.members {
        search.skip(place, "it has too many members");
        return Ok(());
    }
    for index in 0..archive.len() {
        match archive.by_index(index) {
            Ok(member) if !member.is_file() => {}
            Ok(member) => {
                let inner = place.at(String::from_utf8_lossy(member.name_raw()));
                open(search, &inner, &mut Bounded::new(member, &left), depth)?;
            }
            Err(error) => search.skip(&place.at(format!("member {index}")), error.to_string()),
        }
    }
    Ok(())
}
