//! Layers of settings: built-in defaults < `harness.toml` < environment < flags.
//! Each key remembers which layer its value came from.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use super::raw::HarnessToml;
use super::{ConfigError, Settings, validate};
use crate::diagnose::toml::{friendly, parse};
use crate::diagnose::{KeyPath, SourceText, nearest, place};

const DEFAULTS: &str = include_str!("defaults.toml");
/// Most bytes of a `harness.toml`.
const MOST_BYTES: u64 = 1 << 20;
const PREFIX: &str = "PROOFYARD_";

/// What settings are read from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Absolute.
    pub cwd: PathBuf,
    /// `--config FILE`; else `harness.toml` of the current folder or the nearest one above.
    pub config: Option<PathBuf>,
    pub env: BTreeMap<String, String>,
    /// In order: later ones win.
    pub flags: Vec<Flag>,
}

impl Sources {
    /// Of this process.
    pub fn of_process(config: Option<PathBuf>, flags: Vec<Flag>) -> Result<Self, ConfigError> {
        let cwd =
            std::env::current_dir().map_err(|source| ConfigError::CurrentFolder { source })?;
        let env = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Ok(Self {
            cwd,
            config,
            env,
            flags,
        })
    }
}

/// A setting from the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// As the user wrote it: `--jobs`.
    name: String,
    /// `run.jobs`
    key: String,
    text: FlagText,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum FlagText {
    /// Of `--set`: a list has commas between its entries.
    Text(String),
    /// Of a flag of its own: each entry as it was given.
    Entries(Vec<String>),
}

impl Flag {
    /// A flag of its own, with the setting that it stands for: `--jobs`, `run.jobs`.
    /// A list takes every value, anything else the last.
    pub fn named(
        name: impl Into<String>,
        key: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            name: name.into(),
            key: key.into(),
            text: FlagText::Entries(values.into_iter().map(Into::into).collect()),
        }
    }

    /// `--set key=value`, taken apart.
    pub fn set(key: &str, value: &str) -> Self {
        Self {
            name: "--set".to_string(),
            key: key.trim().to_string(),
            text: FlagText::Text(value.trim().to_string()),
        }
    }
}

/// `table.key=value`, as it stands after `--set`.
impl FromStr for Flag {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok(Self::set(key, value)),
            _ => Err(ConfigError::NotASetting {
                text: text.to_string(),
            }),
        }
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Default,
    File {
        name: String,
        /// From 1.
        line: usize,
    },
    Environment {
        name: String,
    },
    Flag {
        name: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { name, line } => write!(f, "{name}:{line}"),
            Self::Environment { name } => write!(f, "environment, {name}"),
            Self::Flag { name } => write!(f, "flag {name}"),
        }
    }
}

/// A setting in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// `run.jobs`
    pub key: String,
    pub value: toml::Value,
    pub origin: Origin,
}

/// Settings, and where each of them came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub settings: Settings,
    /// Every setting there is, in the order of the documentation.
    pub values: Vec<Value>,
}

/// Puts the layers over each other and validates what comes out.
///
/// # Errors
/// A file that cannot be read; unknown keys, of all layers; values of a wrong
/// type or out of their range, with the place where they were written.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut values = defaults();
    let file = find(sources)?;
    if let Some(file) = &file {
        lay_file(&mut values, &file.text)?;
    }
    lay_environment(&mut values, &sources.env)?;
    for flag in &sources.flags {
        lay_flag(&mut values, flag)?;
    }
    let all = values
        .iter()
        .map(|value| (value.key.as_str(), &value.value));
    let mut raw = raw_of(all).expect("each layer was read by this type before it was laid");
    if let Some(file) = &file {
        // Tables whose keys are the user's own names; only a file can write them.
        let written = parse::<HarnessToml>(&file.text).value.unwrap_or_default();
        (raw.models, raw.prices) = (written.models, written.prices);
        raw.datasets = written.datasets;
    }
    let settings = validate::settings(raw, &values, file.as_ref(), sources)?;
    Ok(Loaded { settings, values })
}

/// A `harness.toml` that was found.
pub struct Found {
    /// Absolute.
    pub path: PathBuf,
    pub text: SourceText,
}

fn find(sources: &Sources) -> Result<Option<Found>, ConfigError> {
    let path = match &sources.config {
        Some(path) => sources.cwd.join(path),
        None => {
            let mut above = sources.cwd.ancestors();
            match above.find_map(|dir| Some(dir.join("harness.toml")).filter(|path| path.is_file()))
            {
                Some(path) => path,
                None => return Ok(None),
            }
        }
    };
    let name = path
        .strip_prefix(&sources.cwd)
        .unwrap_or(&path)
        .display()
        .to_string();
    let text = SourceText::new(name, read(&path)?);
    Ok(Some(Found { path, text }))
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let wrong = |source| ConfigError::Read {
        path: path.to_path_buf(),
        source,
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(wrong)?;
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(wrong)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(ConfigError::TooLarge {
            path: path.to_path_buf(),
            limit: MOST_BYTES,
        });
    }
    String::from_utf8(bytes).map_err(|error| ConfigError::NotUtf8 {
        path: path.to_path_buf(),
        offset: error.utf8_error().valid_up_to(),
    })
}

/// The built-in values, in the order in which they are written.
fn defaults() -> Vec<Value> {
    let mut placed: Vec<(usize, Value)> = entries(DEFAULTS)
        .into_iter()
        .map(|(key, value)| {
            let at = place(DEFAULTS, &KeyPath::from(key.as_str())).map_or(0, |(key, _)| key.start);
            let origin = Origin::Default;
            (at, Value { key, value, origin })
        })
        .collect();
    placed.sort_by_key(|(at, _)| *at);
    placed.into_iter().map(|(_, value)| value).collect()
}

/// `table.key` and value of every entry of a document that has been parsed before.
fn entries(text: &str) -> Vec<(String, toml::Value)> {
    let document: toml::Table = toml::from_str(text).unwrap_or_default();
    document
        .into_iter()
        .filter_map(|(table, value)| match value {
            toml::Value::Table(keys) => Some((table, keys)),
            _ => None,
        })
        .flat_map(|(table, keys)| {
            keys.into_iter()
                .map(move |(key, value)| (format!("{table}.{key}"), value))
        })
        .collect()
}

fn lay_file(values: &mut [Value], text: &SourceText) -> Result<(), ConfigError> {
    let parsed = parse::<HarnessToml>(text);
    let mut problems = parsed.problems;
    problems.extend(parsed.unknown.into_iter().map(|unknown| unknown.problem));
    if !problems.is_empty() {
        return Err(ConfigError::Invalid { problems });
    }
    for (key, value) in entries(&text.text) {
        let span = place(&text.text, &KeyPath::from(key.as_str())).map_or(0..0, |(key, _)| key);
        let origin = Origin::File {
            name: text.name.clone(),
            line: text.spot(span, "").line,
        };
        if let Some(known) = values.iter_mut().find(|known| known.key == key) {
            *known = Value { key, value, origin };
        }
    }
    Ok(())
}

/// `PROOFYARD_RUN_JOBS`. Other variables that begin so are not ours to judge,
/// unless they name one of our tables.
fn lay_environment(
    values: &mut [Value],
    env: &BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    let variable = |key: &str| PREFIX.to_string() + &key.replace('.', "_").to_ascii_uppercase();
    for (name, text) in env.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
        let origin = Origin::Environment { name: name.clone() };
        if let Some(value) = values
            .iter_mut()
            .find(|value| variable(&value.key) == *name)
        {
            let new = from_text(value, &FlagText::Text(text.clone()), &origin)?;
            value.value = new;
            value.origin = origin;
            continue;
        }
        let tables = [
            "RUN_", "LIMITS_", "ENGINE_", "IMAGES_", "HOST_", "LOOP_", "MODEL_",
        ];
        let rest = &name[PREFIX.len()..];
        if tables.iter().any(|table| rest.starts_with(table)) {
            let known: Vec<String> = values.iter().map(|value| variable(&value.key)).collect();
            return Err(ConfigError::UnknownKey {
                key: name.clone(),
                nearest: nearest(name, known.iter().map(String::as_str)).map(str::to_string),
            });
        }
    }
    Ok(())
}

fn lay_flag(values: &mut [Value], flag: &Flag) -> Result<(), ConfigError> {
    let origin = Origin::Flag {
        name: flag.name.clone(),
    };
    let known: Vec<String> = values.iter().map(|value| value.key.clone()).collect();
    let Some(value) = values.iter_mut().find(|value| value.key == flag.key) else {
        return Err(ConfigError::UnknownKey {
            key: flag.key.clone(),
            nearest: nearest(&flag.key, known.iter().map(String::as_str)).map(str::to_string),
        });
    };
    value.value = from_text(value, &flag.text, &origin)?;
    value.origin = origin;
    Ok(())
}

/// The value that a text stands for, of the type that the key has.
fn from_text(known: &Value, text: &FlagText, origin: &Origin) -> Result<toml::Value, ConfigError> {
    let list = |entries: Vec<String>| {
        toml::Value::Array(entries.into_iter().map(toml::Value::String).collect())
    };
    let is_list = matches!(known.value, toml::Value::Array(_));
    let word = match text {
        FlagText::Entries(entries) if is_list => return Ok(list(entries.clone())),
        FlagText::Text(text) if is_list => {
            let entries = text
                .split(',')
                .map(str::trim)
                .filter(|entry| !entry.is_empty());
            return Ok(list(entries.map(str::to_string).collect()));
        }
        FlagText::Entries(entries) => entries.last().cloned().unwrap_or_default(),
        FlagText::Text(text) => text.clone(),
    };
    // As text first, so that a folder may be called `4`; a key that takes no
    // text gets what the word is in TOML.
    let mut candidates = vec![toml::Value::String(word.clone())];
    if let Ok(number) = word.parse::<i64>() {
        candidates.push(toml::Value::Integer(number));
    } else if let Ok(number) = word.parse::<f64>() {
        candidates.push(toml::Value::Float(number));
    } else if let Ok(truth) = word.parse::<bool>() {
        candidates.push(toml::Value::Boolean(truth));
    }
    let mut message = String::new();
    for candidate in candidates {
        match raw_of([(known.key.as_str(), &candidate)].into_iter()) {
            Ok(_) => return Ok(candidate),
            Err(wrong) => message = wrong,
        }
    }
    Err(ConfigError::WrongType {
        key: known.key.clone(),
        text: word,
        origin: origin.clone(),
        message,
    })
}

/// The raw tables of settings; the error is a message for people.
fn raw_of<'v>(
    values: impl Iterator<Item = (&'v str, &'v toml::Value)>,
) -> Result<HarnessToml, String> {
    let mut document = toml::Table::new();
    for (key, value) in values {
        let (table, key) = key.split_once('.').unwrap_or(("", key));
        let table = document
            .entry(table)
            .or_insert_with(|| toml::Value::Table(toml::Table::new()));
        if let toml::Value::Table(table) = table {
            table.insert(key.to_string(), value.clone());
        }
    }
    HarnessToml::deserialize(document).map_err(|error| friendly(error.message()))
}
