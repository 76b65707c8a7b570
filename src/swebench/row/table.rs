//! Parquet files, as Hugging Face has them.
//!
//! The only place that knows the crate that reads them. Must not know what a field
//! means.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::record::reader::RowIter;
use parquet::schema::types::{Type, TypePtr};
use serde_json::{Map, Number, Value};

use super::error::{Place, RowError};
use super::intake::{Intake, Origin};
use super::{MOST_BYTES, MOST_ROWS};

/// What stands at the beginning, and at the end, of such a file.
pub const MAGIC: &[u8] = b"PAR1";
/// Deepest value.
const DEEPEST: usize = 16;

/// Reads all rows; a page of each column is held at a time.
///
/// # Errors
/// A file that is damaged, of too many rows, or of a kind that is not read; what is wrong
/// with a row is kept.
pub fn read(origin: &Origin, file: File, intake: &mut Intake) -> Result<(), RowError> {
    // The crate gives up by a panic where a file is damaged in certain ways (asserts
    // on metadata and levels). What it was reading is dropped with it.
    let read = catch_unwind(AssertUnwindSafe(|| rows(origin, file, intake)));
    let broken = |why: String| RowError::NotParquet {
        path: origin.file.to_path_buf(),
        why,
    };
    match read {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Stop::Row(error))) => Err(error),
        Ok(Err(Stop::Parquet(ParquetError::General(why)))) => Err(broken(first_line(&why))),
        Ok(Err(Stop::Parquet(error))) => Err(broken(first_line(&error.to_string()))),
        Err(_) => Err(broken("it is damaged".to_owned())),
    }
}

/// Why reading ended early.
enum Stop {
    Row(RowError),
    Parquet(ParquetError),
}

impl From<ParquetError> for Stop {
    fn from(error: ParquetError) -> Self {
        Stop::Parquet(error)
    }
}

fn rows(origin: &Origin, file: File, intake: &mut Intake) -> Result<(), Stop> {
    let reader = SerializedFileReader::new(file)?;
    let metadata = reader.metadata();
    let path = || origin.file.to_path_buf();
    let count = metadata.file_metadata().num_rows();
    if count > MOST_ROWS as i64 {
        return Err(Stop::Row(RowError::TooManyRows {
            path: path(),
            limit: MOST_ROWS,
        }));
    }
    let sizes = metadata.row_groups().iter();
    let sizes = sizes.map(|group| group.total_byte_size().max(0) as u64);
    if sizes.fold(0u64, u64::saturating_add) > MOST_BYTES {
        return Err(Stop::Row(RowError::TooLarge {
            path: path(),
            limit: MOST_BYTES,
        }));
    }
    let schema = metadata.file_metadata().schema();
    let kept: Vec<TypePtr> = schema
        .get_fields()
        .iter()
        .filter(|field| is_read(field, DEEPEST))
        .cloned()
        .collect();
    let nanoseconds: Vec<String> = kept
        .iter()
        .filter(|field| is_nanoseconds(field))
        .map(|field| field.name().to_owned())
        .collect();
    let kept = Type::group_type_builder(schema.name())
        .with_fields(kept)
        .build()?;
    let iter = RowIter::from_file_into(Box::new(reader)).project(Some(kept))?;
    for (at, row) in iter.enumerate() {
        let fields: Map<String, Value> = row?
            .into_columns()
            .into_iter()
            .map(|(name, field)| {
                let value = match field {
                    Field::Long(time) if nanoseconds.contains(&name) => stamp(i128::from(time)),
                    field => value(field),
                };
                (name, value)
            })
            .collect();
        intake
            .take(origin, Place::Row(at + 1), fields)
            .map_err(Stop::Row)?;
    }
    Ok(())
}

/// Whether the reader of records knows all types of a column.
fn is_read(field: &Arc<Type>, depth: usize) -> bool {
    if !field.is_primitive() {
        let fields = field.get_fields();
        return depth > 0
            && !fields.is_empty()
            && fields.iter().all(|field| is_read(field, depth - 1));
    }
    let kind = field.get_basic_info().converted_type();
    match field.get_physical_type() {
        Physical::BYTE_ARRAY => matches!(
            kind,
            ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON | ConvertedType::NONE
        ),
        Physical::INT32 => !matches!(kind, ConvertedType::DECIMAL),
        Physical::INT64 => !matches!(kind, ConvertedType::DECIMAL),
        Physical::BOOLEAN | Physical::FLOAT | Physical::DOUBLE => true,
        Physical::INT96 | Physical::FIXED_LEN_BYTE_ARRAY => false,
    }
}

/// Whether a column counts nanoseconds, of which the reader of records makes numbers.
fn is_nanoseconds(field: &Arc<Type>) -> bool {
    matches!(
        field.get_basic_info().logical_type_ref(),
        Some(LogicalType::Timestamp(time)) if time.unit == TimeUnit::NANOS
    )
}

fn value(field: Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(truth) => Value::Bool(truth),
        Field::Byte(number) => number.into(),
        Field::Short(number) => number.into(),
        Field::Int(number) => number.into(),
        Field::Long(number) => number.into(),
        Field::UByte(number) => number.into(),
        Field::UShort(number) => number.into(),
        Field::UInt(number) => number.into(),
        Field::ULong(number) => number.into(),
        Field::Float16(number) => float(number.to_f64()),
        Field::Float(number) => float(f64::from(number)),
        Field::Double(number) => float(number),
        Field::Str(text) => Value::String(text),
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(text) => Value::from(text),
            Err(_) => Value::Null,
        },
        Field::Date(days) => stamp(i128::from(days) * 86_400_000_000_000),
        Field::TimestampMillis(time) => stamp(i128::from(time) * 1_000_000),
        Field::TimestampMicros(time) => stamp(i128::from(time) * 1_000),
        Field::Decimal(_) | Field::TimeMillis(_) | Field::TimeMicros(_) => Value::Null,
        Field::Group(row) => row
            .into_columns()
            .into_iter()
            .map(|(name, field)| (name, value(field)))
            .collect::<Map<_, _>>()
            .into(),
        Field::ListInternal(list) => list.elements().iter().cloned().map(value).collect(),
        Field::MapInternal(map) => map
            .entries()
            .iter()
            .filter_map(|(key, field)| match key {
                Field::Str(key) => Some((key.clone(), value(field.clone()))),
                _ => None,
            })
            .collect::<Map<_, _>>()
            .into(),
    }
}

fn float(number: f64) -> Value {
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// A time in nanoseconds since 1970, as text.
fn stamp(nanoseconds: i128) -> Value {
    match jiff::Timestamp::from_nanosecond(nanoseconds) {
        Ok(time) => Value::String(time.to_string()),
        Err(_) => Value::Null,
    }
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(200).collect()
}
