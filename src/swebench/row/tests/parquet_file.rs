//! Parquet files as tests need them, written by the crate that reads them.

use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::{Map, Value};

/// A file of rows that have the fields of the first; numbers are milliseconds since 1970
/// where `times` names the field. So many rows go in a group.
pub fn parquet(
    rows: &[Map<String, Value>],
    compression: Compression,
    group: usize,
    times: &[&str],
) -> Vec<u8> {
    let fields: Vec<(&String, &Value)> = rows[0].iter().collect();
    let columns: Vec<String> = fields
        .iter()
        .map(|(name, value)| match value {
            Value::Array(_) => format!(
                "optional group {name} (LIST) {{ repeated group list {{ optional binary element (STRING); }} }}"
            ),
            Value::Number(_) if times.contains(&name.as_str()) => {
                format!("optional int64 {name} (TIMESTAMP(MILLIS,true));")
            }
            Value::Number(_) => format!("optional int64 {name};"),
            _ => format!("optional binary {name} (STRING);"),
        })
        .collect();
    let schema = format!("message schema {{ {} }}", columns.join(" "));
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .build();
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    for rows in rows.chunks(group) {
        let mut group = file.next_row_group().unwrap();
        for (name, _) in &fields {
            let mut column = group.next_column().unwrap().unwrap();
            let values = rows
                .iter()
                .map(|row| row.get(*name).unwrap_or(&Value::Null));
            if rows
                .iter()
                .any(|row| row.get(*name).is_some_and(Value::is_number))
            {
                let numbers: Vec<i64> = values.map(|value| value.as_i64().unwrap()).collect();
                let defined = vec![1; numbers.len()];
                let typed = column.typed::<Int64Type>();
                typed.write_batch(&numbers, Some(&defined), None).unwrap();
            } else {
                let (texts, defined, repeated) = levels(values);
                let typed = column.typed::<ByteArrayType>();
                typed
                    .write_batch(&texts, Some(&defined), Some(&repeated))
                    .unwrap();
            }
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    file.into_inner().unwrap()
}

/// Texts with the levels that Parquet has for what may be absent and for lists.
fn levels<'v>(values: impl Iterator<Item = &'v Value>) -> (Vec<ByteArray>, Vec<i16>, Vec<i16>) {
    let (mut texts, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
    for value in values {
        match value {
            Value::String(text) => {
                texts.push(ByteArray::from(text.as_str()));
                defined.push(1);
                repeated.push(0);
            }
            Value::Array(items) if items.is_empty() => {
                defined.push(1);
                repeated.push(0);
            }
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    texts.push(ByteArray::from(item.as_str().unwrap()));
                    defined.push(3);
                    repeated.push(i16::from(at > 0));
                }
            }
            _ => {
                defined.push(0);
                repeated.push(0);
            }
        }
    }
    (texts, defined, repeated)
}
