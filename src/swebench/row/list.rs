//! Files of one JSON list of objects.
//!
//! Must not know what a field means.

use std::fmt;
use std::io::Read;

use serde::Deserializer as _;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde_json::Value;

use super::MOST_BYTES;
use super::error::{BadRow, Place, RowError};
use super::intake::{Intake, Origin};

/// Reads the list item by item; the file is held as a whole.
///
/// # Errors
/// A file that is no list, or too large; what is wrong with a row is kept.
pub fn read(origin: &Origin, file: impl Read, intake: &mut Intake) -> Result<(), RowError> {
    let path = || origin.file.to_path_buf();
    let mut text = Vec::new();
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(|source| RowError::Read {
            path: path(),
            source,
        })?;
    if text.len() as u64 > MOST_BYTES {
        return Err(RowError::TooLarge {
            path: path(),
            limit: MOST_BYTES,
        });
    }
    let mut refused = None;
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let mut json = serde_json::Deserializer::from_slice(text);
    let items = Items {
        origin,
        intake,
        refused: &mut refused,
    };
    let end = json.deserialize_seq(items).and_then(|()| json.end());
    match (refused, end) {
        (Some(error), _) => Err(error),
        (None, Err(source)) => Err(RowError::NotJson {
            path: path(),
            source,
        }),
        (None, Ok(())) => Ok(()),
    }
}

struct Items<'a> {
    origin: &'a Origin,
    intake: &'a mut Intake,
    /// Why reading was given up.
    refused: &'a mut Option<RowError>,
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(item) = list.next_element::<Value>()? {
            number += 1;
            let place = Place::Row(number);
            let Value::Object(fields) = item else {
                self.intake.refuse(BadRow {
                    file: self.origin.file.to_path_buf(),
                    place,
                    id: None,
                    field: None,
                    wrong: "this is not an object".to_owned(),
                    advice: "a file of rows is a list of objects".to_owned(),
                });
                continue;
            };
            if let Err(error) = self.intake.take(self.origin, place, fields) {
                *self.refused = Some(error);
                return Err(A::Error::custom("given up"));
            }
        }
        Ok(())
    }
}
