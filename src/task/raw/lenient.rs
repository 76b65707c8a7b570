//! Numbers, truth values and sizes in every way in which Harbor takes them: it reads
//! `2048.0` and `"2048"` as a whole number, and `"yes"` as true.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected, Visitor};

/// A number, also one that is written as a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number(pub f64);

/// A whole number of 0 or more, also one that is written with a point or as a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole(pub u64);

/// A truth value, also one that is written as a word or as 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truth(pub bool);

/// An older size, `"2G"`. What is no text says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OldSize {
    Text(String),
    Silent,
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl Visitor<'_> for Value {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Number, E> {
                Ok(Number(value))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                let wrong = || E::invalid_type(Unexpected::Str(text), &self);
                text.trim().parse().map(Number).map_err(|_| wrong())
            }
        }
        deserializer.deserialize_any(Value)
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl Visitor<'_> for Value {
            type Value = Whole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, 0 or more")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Whole, E> {
                // Beyond it a float does not say which number it is.
                let exact = value.fract() == 0.0 && (0.0..9e15).contains(&value);
                match exact {
                    true => Ok(Whole(value as u64)),
                    false => Err(E::invalid_value(Unexpected::Float(value), &self)),
                }
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Whole, E> {
                let wrong = || E::invalid_value(Unexpected::Signed(value), &self);
                u64::try_from(value).map(Whole).map_err(|_| wrong())
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Whole, E> {
                Ok(Whole(value))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Whole, E> {
                let wrong = || E::invalid_type(Unexpected::Str(text), &self);
                text.trim().parse().map(Whole).map_err(|_| wrong())
            }
        }
        deserializer.deserialize_any(Value)
    }
}

impl<'de> Deserialize<'de> for Truth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl Visitor<'_> for Value {
            type Value = Truth;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false")
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Truth, E> {
                Ok(Truth(value))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Truth, E> {
                match value {
                    0 => Ok(Truth(false)),
                    1 => Ok(Truth(true)),
                    _ => Err(E::invalid_value(Unexpected::Signed(value), &self)),
                }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Truth, E> {
                match text.to_ascii_lowercase().as_str() {
                    "true" | "t" | "yes" | "y" | "on" | "1" => Ok(Truth(true)),
                    "false" | "f" | "no" | "n" | "off" | "0" => Ok(Truth(false)),
                    _ => Err(E::invalid_type(Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(Value)
    }
}

impl<'de> Deserialize<'de> for OldSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        Ok(match value {
            toml::Value::String(text) => OldSize::Text(text),
            _ => OldSize::Silent,
        })
    }
}

/// Shown where it is used, as what a careful author writes.
macro_rules! written_as {
    ($name:ident, $schema:tt) => {
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

written_as!(Number, { "type": "number" });
written_as!(Whole, { "type": "integer", "minimum": 0 });
written_as!(Truth, { "type": "boolean" });
written_as!(OldSize, { "type": "string" });
