//! Values of more than one type, with messages of their own.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

/// A user by name, or by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserName(pub String);

impl<'de> Deserialize<'de> for UserName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = UserName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a user's name or number")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<UserName, E> {
                Ok(UserName(name.to_string()))
            }

            fn visit_i64<E: de::Error>(self, id: i64) -> Result<UserName, E> {
                u32::try_from(id)
                    .map(|id| UserName(id.to_string()))
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(id), &self))
            }

            fn visit_u64<E: de::Error>(self, id: u64) -> Result<UserName, E> {
                u32::try_from(id)
                    .map(|id| UserName(id.to_string()))
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(id), &self))
            }
        }
        deserializer.deserialize_any(Name)
    }
}

impl JsonSchema for UserName {
    fn schema_name() -> Cow<'static, str> {
        "UserName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A user by name, or by number.",
            "type": ["string", "integer"],
        })
    }
}

/// A path, or a table with a `source`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArtifactValue {
    pub source: Option<String>,
    pub destination: Option<String>,
    pub exclude: Option<Vec<String>>,
    pub service: Option<String>,
}

/// The keys of an artifact that is a table.
#[derive(Deserialize, JsonSchema)]
struct ArtifactTable {
    /// A path of the sandbox.
    source: Option<String>,
    /// Where it is kept, relative; default as its source.
    destination: Option<String>,
    /// Patterns of what is left out of a folder.
    exclude: Option<Vec<String>>,
    /// Of which service; default the agent's sandbox.
    service: Option<String>,
}

impl<'de> Deserialize<'de> for ArtifactValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl<'de> Visitor<'de> for Value {
            type Value = ArtifactValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, or a table with a `source`")
            }

            fn visit_str<E: de::Error>(self, source: &str) -> Result<ArtifactValue, E> {
                Ok(ArtifactValue {
                    source: Some(source.to_string()),
                    ..ArtifactValue::default()
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ArtifactValue, A::Error> {
                let table = ArtifactTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ArtifactValue {
                    source: table.source,
                    destination: table.destination,
                    exclude: table.exclude,
                    service: table.service,
                })
            }
        }
        deserializer.deserialize_any(Value)
    }
}

impl JsonSchema for ArtifactValue {
    fn schema_name() -> Cow<'static, str> {
        "Artifact".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = ArtifactTable::json_schema(generator);
        json_schema!({
            "description": "A path of the sandbox, or a table with a `source`.",
            "oneOf": [{ "type": "string" }, table],
        })
    }
}

/// A number, for the reward of that name; or numbers by the names of rewards.
#[derive(Debug, Clone, PartialEq)]
pub enum LeastReward {
    Number(f64),
    Map(BTreeMap<String, f64>),
}

impl<'de> Deserialize<'de> for LeastReward {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl<'de> Visitor<'de> for Value {
            type Value = LeastReward;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a table of numbers")
            }

            fn visit_f64<E: de::Error>(self, least: f64) -> Result<LeastReward, E> {
                Ok(LeastReward::Number(least))
            }

            fn visit_i64<E: de::Error>(self, least: i64) -> Result<LeastReward, E> {
                Ok(LeastReward::Number(least as f64))
            }

            fn visit_u64<E: de::Error>(self, least: u64) -> Result<LeastReward, E> {
                Ok(LeastReward::Number(least as f64))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LeastReward, A::Error> {
                let mut least = BTreeMap::new();
                while let Some((name, value)) = map.next_entry()? {
                    least.insert(name, value);
                }
                Ok(LeastReward::Map(least))
            }
        }
        deserializer.deserialize_any(Value)
    }
}

impl JsonSchema for LeastReward {
    fn schema_name() -> Cow<'static, str> {
        "LeastReward".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The least of the reward `reward`, or of several by name.",
            "oneOf": [
                { "type": "number" },
                { "type": "object", "additionalProperties": { "type": "number" } },
            ],
        })
    }
}

/// `"none"`, `"full"`, or a list of hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkValue {
    Word(String),
    Hosts(Vec<String>),
}

impl<'de> Deserialize<'de> for NetworkValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl<'de> Visitor<'de> for Value {
            type Value = NetworkValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"none\", \"full\" or a list of hosts")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<NetworkValue, E> {
                Ok(NetworkValue::Word(word.to_string()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<NetworkValue, A::Error> {
                let mut hosts = Vec::new();
                while let Some(host) = list.next_element()? {
                    hosts.push(host);
                }
                Ok(NetworkValue::Hosts(hosts))
            }
        }
        deserializer.deserialize_any(Value)
    }
}

impl JsonSchema for NetworkValue {
    fn schema_name() -> Cow<'static, str> {
        "NetworkValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "\"none\", \"full\", or a list of hosts (not supported yet).",
            "oneOf": [
                { "enum": ["none", "full"] },
                { "type": "array", "items": { "type": "string" } },
            ],
        })
    }
}
