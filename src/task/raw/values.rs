//! Values of more than one type, with messages of their own.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

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
