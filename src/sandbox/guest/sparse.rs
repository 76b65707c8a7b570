//! Files with holes: their data crosses, their holes are told.
//!
//! In a stream such a file is a regular entry whose content is its data alone, with a
//! PAX header before it that says where the data belongs (`GNU.sparse.*`, version 0.1,
//! which GNU tar reads as well: "Storing Sparse Files" of its manual).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use nix::unistd::{Whence, lseek64};

/// A file smaller than this crosses whole.
const SMALLEST: u64 = 1 << 20;
/// Pieces of data that are told apart; the last one takes what is left.
const MOST_PIECES: usize = 4096;

const SIZE: &str = "GNU.sparse.size";
const PIECES: &str = "GNU.sparse.numblocks";
const MAP: &str = "GNU.sparse.map";

/// Where the data of a file lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    /// Bytes of the file with its holes.
    pub size: u64,
    /// Offset and length of each piece, in order, none touching the next.
    pieces: Vec<(u64, u64)>,
}

impl Map {
    /// The map of an open file; none where it has no holes worth telling.
    ///
    /// # Errors
    /// The file system does not answer; where it knows no holes it answers that all is
    /// data.
    pub fn of(file: &File, size: u64) -> io::Result<Option<Self>> {
        if size < SMALLEST {
            return Ok(None);
        }
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < size {
            let begin = match seek(file, at, Whence::SeekData) {
                Ok(begin) => begin,
                // Nothing but a hole up to the end.
                Err(nix::errno::Errno::ENXIO) => break,
                Err(error) => return Err(error.into()),
            };
            let last = pieces.len() + 1 == MOST_PIECES;
            let end = match last {
                true => size,
                false => seek(file, begin, Whence::SeekHole)?.min(size),
            };
            if end <= begin {
                break;
            }
            pieces.push((begin, end - begin));
            at = end;
        }
        let map = Self { size, pieces };
        Ok((map.data() < size).then_some(map))
    }

    /// Bytes of data.
    pub fn data(&self) -> u64 {
        self.pieces.iter().map(|(_, length)| length).sum()
    }

    /// The records of the PAX header.
    pub fn records(&self) -> [(&'static str, String); 3] {
        let numbers = self.pieces.iter().flat_map(|(at, length)| [*at, *length]);
        let map: Vec<String> = numbers.map(|number| number.to_string()).collect();
        [
            (SIZE, self.size.to_string()),
            (PIECES, self.pieces.len().to_string()),
            (MAP, map.join(",")),
        ]
    }

    /// The map of an entry of a stream, whose data has so many bytes; none where it
    /// has none.
    ///
    /// # Errors
    /// A map that describes no file, or another one.
    pub fn read<R: Read>(entry: &mut tar::Entry<'_, R>) -> io::Result<Option<Self>> {
        let held = entry.size();
        let Some(records) = entry.pax_extensions()? else {
            return Ok(None);
        };
        let (mut size, mut map) = (None, String::new());
        for record in records {
            let record = record?;
            let value = record.value().map_err(|_| odd("it is no text"))?;
            match record.key().unwrap_or_default() {
                SIZE => size = value.parse::<u64>().ok(),
                MAP => map = value.to_owned(),
                _ => {}
            }
        }
        let Some(size) = size else { return Ok(None) };
        let numbers: Option<Vec<u64>> = match map.as_str() {
            "" => Some(Vec::new()),
            map => map.split(',').map(|number| number.parse().ok()).collect(),
        };
        let numbers = numbers.ok_or_else(|| odd("it holds something else than numbers"))?;
        if numbers.len() % 2 != 0 || numbers.len() > 2 * MOST_PIECES {
            return Err(odd("it is cut, or too long"));
        }
        let pieces: Vec<(u64, u64)> = numbers.chunks(2).map(|two| (two[0], two[1])).collect();
        let mut at = 0;
        for (offset, length) in &pieces {
            let end = offset.checked_add(*length).filter(|end| *end <= size);
            match end {
                Some(end) if *offset >= at => at = end,
                _ => return Err(odd("its pieces overlap or lie outside")),
            }
        }
        let map = Self { size, pieces };
        match map.data() == held {
            true => Ok(Some(map)),
            false => Err(odd("it belongs to another file")),
        }
    }

    /// The data of a file, piece after piece: exactly as much as the map says, whatever
    /// became of the file.
    pub fn take<'a>(&'a self, file: &'a File) -> impl Read + 'a {
        Pieces {
            file,
            left: self.pieces.iter(),
            now: Box::new(io::empty()),
        }
    }

    /// Puts data where it belongs.
    ///
    /// # Errors
    /// The data ends early, or the file cannot be written.
    pub fn lay(&self, data: &mut impl Read, file: &mut File) -> io::Result<()> {
        for (offset, length) in &self.pieces {
            file.seek(SeekFrom::Start(*offset))?;
            let put = io::copy(&mut data.by_ref().take(*length), file)?;
            if put != *length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        file.flush()?;
        file.set_len(self.size)
    }
}

fn seek(file: &File, at: u64, whence: Whence) -> nix::Result<u64> {
    lseek64(file, at as i64, whence).map(|at| at as u64)
}

fn odd(what: &str) -> io::Error {
    let message = format!("the map of a file with holes cannot be used: {what}");
    io::Error::new(io::ErrorKind::InvalidData, message)
}

struct Pieces<'a> {
    file: &'a File,
    left: std::slice::Iter<'a, (u64, u64)>,
    now: Box<dyn Read + 'a>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.now.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some((offset, length)) = self.left.next() else {
                return Ok(0);
            };
            let mut file = self.file;
            file.seek(SeekFrom::Start(*offset))?;
            self.now = Box::new(file.chain(io::repeat(0)).take(*length));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn file(size: u64, data: &[(u64, &[u8])]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.set_len(size).unwrap();
        for (at, bytes) in data {
            file.seek(SeekFrom::Start(*at)).unwrap();
            file.write_all(bytes).unwrap();
        }
        file
    }

    fn packed(file: &File, map: &Map) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        let records = map.records();
        let records = records.iter().map(|(key, value)| (*key, value.as_bytes()));
        builder.append_pax_extensions(records).unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_size(map.data());
        builder
            .append_data(&mut header, "disk.img", map.take(file))
            .unwrap();
        builder.into_inner().unwrap()
    }

    fn content(file: &mut File) -> Vec<u8> {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn only_data_crosses_and_holes_stay_holes() {
        let mut before = file(64 << 20, &[(0, b"head"), (40 << 20, &[7; 10_000])]);
        let map = Map::of(&before, 64 << 20).unwrap().unwrap();
        let tar = packed(&before, &map);
        assert!(tar.len() < 1 << 20, "{} bytes", tar.len());
        let mut archive = tar::Archive::new(tar.as_slice());
        let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
        let read = Map::read(&mut entry).unwrap().unwrap();
        assert_eq!(read, map);
        let mut after = tempfile::tempfile().unwrap();
        read.lay(&mut entry, &mut after).unwrap();
        assert!(content(&mut after) == content(&mut before));
        assert!(after.metadata().unwrap().blocks() * 512 < 1 << 20);
    }

    #[test]
    fn nothing_but_a_hole_is_a_file_too() {
        let before = file(1 << 40, &[]);
        let map = Map::of(&before, 1 << 40).unwrap().unwrap();
        assert_eq!(map.data(), 0);
        let tar = packed(&before, &map);
        let mut archive = tar::Archive::new(tar.as_slice());
        let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
        let read = Map::read(&mut entry).unwrap().unwrap();
        let mut after = tempfile::tempfile().unwrap();
        read.lay(&mut entry, &mut after).unwrap();
        assert_eq!(after.metadata().unwrap().len(), 1 << 40);
    }

    #[test]
    fn a_file_without_holes_and_a_small_one_have_no_map() {
        let size = 2 << 20;
        assert_eq!(
            Map::of(&file(size, &[(0, &[1; 2 << 20])]), size).unwrap(),
            None
        );
        assert_eq!(Map::of(&file(5000, &[]), 5000).unwrap(), None);
    }

    #[test]
    fn a_map_that_lies_is_refused() {
        let lies = [
            ("100", "0,4,2,4"),
            ("6", "0,4,4,4"),
            ("100", "0,4"),
            ("100", "0"),
            ("100", "0,x"),
            ("100", "18446744073709551615,8"),
        ];
        for (size, map) in lies {
            let mut builder = tar::Builder::new(Vec::new());
            let records = [(SIZE, size.as_bytes()), (MAP, map.as_bytes())];
            builder.append_pax_extensions(records).unwrap();
            let mut header = tar::Header::new_gnu();
            header.set_size(8);
            let content = &b"12345678"[..];
            builder.append_data(&mut header, "x", content).unwrap();
            let tar = builder.into_inner().unwrap();
            let mut archive = tar::Archive::new(tar.as_slice());
            let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
            assert!(Map::read(&mut entry).is_err(), "{size} {map}");
        }
    }
}
