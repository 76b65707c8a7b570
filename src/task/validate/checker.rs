//! What every check of a `task.toml` needs: where to tell a problem, and checks
//! of single values.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Display;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::diagnose::{KeyPath, Problem, SourceText, place};
use crate::task::raw::{Number, OldSize, UserName, Whole};

/// Longest time that a task may ask for: a year, seconds.
const LONGEST: f64 = 366.0 * 86_400.0;
/// Most problems, and most warnings, that are told of one file: to find the place of one
/// takes reading the file.
const MOST_TOLD: usize = 100;
/// Most double entries that are told of one file.
const MOST_DOUBLES: usize = 10;

/// Gathers what is wrong, and what only deserves a warning.
pub struct Checker<'a> {
    text: &'a SourceText,
    dir: &'a Path,
    host_env: &'a dyn Fn(&str) -> Option<String>,
    pub problems: Vec<Problem>,
    pub warnings: Vec<String>,
    /// Services of the task, its sandbox among them: empty without a compose file, none
    /// while they are not known.
    pub services: Option<BTreeSet<String>>,
}

impl<'a> Checker<'a> {
    pub fn new(
        text: &'a SourceText,
        dir: &'a Path,
        host_env: &'a dyn Fn(&str) -> Option<String>,
    ) -> Self {
        Self {
            text,
            dir,
            host_env,
            problems: Vec::new(),
            warnings: Vec::new(),
            services: None,
        }
    }

    /// The task's folder.
    pub fn dir(&self) -> &'a Path {
        self.dir
    }

    /// A file of the task's folder, as the user names it.
    pub fn shown(&self, file: &Path) -> String {
        let below = file.strip_prefix(self.dir).unwrap_or(file);
        let folder = Path::new(&self.text.name).parent();
        let shown = folder.unwrap_or(Path::new("")).join(below);
        shown.display().to_string()
    }

    /// A value is wrong.
    pub fn wrong(
        &mut self,
        path: impl Into<KeyPath>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) {
        match self.problems.len() {
            ..MOST_TOLD => {}
            MOST_TOLD => return self.file_problem("more is wrong than is told here"),
            _ => return,
        }
        let span = place(&self.text.text, &path.into()).map_or(0..0, |(_, value)| value);
        let spot = self.text.spot(span, label);
        self.problems.push(Problem::new(message).at(spot));
    }

    /// Something that this version cannot do, and cannot leave out.
    pub fn later(&mut self, path: impl Into<KeyPath>, what: impl Display) {
        self.wrong(
            path,
            format!("{what} is not supported yet"),
            "leaving it out would change the verdict",
        );
    }

    /// Something about the file, or the folder, that no value says.
    pub fn file_problem(&mut self, message: impl Into<String>) {
        let problem = format!("{}: {}", self.text.name, message.into());
        self.problems.push(Problem::new(problem));
    }

    /// Something that is left out without harm.
    pub fn warn(&mut self, path: impl Into<KeyPath>, message: impl Into<String>) {
        if self.warnings.len() >= MOST_TOLD {
            return;
        }
        let span = place(&self.text.text, &path.into()).map_or(0..0, |(key, _)| key);
        let problem = Problem::new(message).at(self.text.spot(span, ""));
        self.warnings.push(problem.to_string());
    }

    /// A warning about the folder.
    pub fn warn_of_file(&mut self, message: &str) {
        self.warnings.push(format!("{}: {message}", self.text.name));
    }

    /// Seconds, more than 0 and finite.
    pub fn seconds(&mut self, path: impl Into<KeyPath>, value: Option<Number>) -> Option<Duration> {
        let Number(value) = value?;
        if value > 0.0 && value <= LONGEST {
            return Some(Duration::from_secs_f64(value));
        }
        let path = path.into();
        let message = format!("`{}` must be more than 0 seconds", path.last_key());
        self.wrong(path, message, "at most a year");
        None
    }

    /// Mebibytes as bytes, at least `least` of them.
    pub fn mebibytes(
        &mut self,
        path: impl Into<KeyPath>,
        value: Option<Whole>,
        least: u64,
    ) -> Option<u64> {
        let (path, Whole(value)) = (path.into(), value?);
        let bytes = value.checked_mul(1 << 20).filter(|_| value >= least);
        if bytes.is_none() || bytes > Some(1 << 50) {
            let message = format!("`{}` must be a size in MB", path.last_key());
            self.wrong(path, message, format!("at least {least}"));
            return None;
        }
        bytes
    }

    /// Harbor's older sizes: a number with `K`, `M` or `G`, as bytes.
    pub fn old_size(&mut self, path: impl Into<KeyPath>, value: Option<&OldSize>) -> Option<u64> {
        let path = path.into();
        let value = match value? {
            OldSize::Text(text) => text.trim(),
            OldSize::Silent => {
                let key = path.last_key().to_owned();
                let message = format!("`{key}` says nothing but as a text, like \"2G\"");
                self.warn(path, format!("{message}; use `{key}_mb`"));
                return None;
            }
        };
        let number = value.strip_suffix(['K', 'M', 'G', 'k', 'm', 'g']);
        let unit = match value.chars().last().map(|unit| unit.to_ascii_uppercase()) {
            Some('K') => 1u64 << 10,
            Some('M') => 1 << 20,
            _ => 1 << 30,
        };
        let size = number
            .and_then(|number| number.trim().parse::<f64>().ok())
            .map(|number| number * unit as f64)
            .filter(|size| *size >= 1.0 && *size <= (1u64 << 50) as f64);
        if size.is_none() {
            let message = format!("`{}` is not a size", path.last_key());
            self.wrong(path, message, "a number with K, M or G, like \"2G\"");
        }
        size.map(|size| size as u64)
    }

    /// A path inside the task's folder, of something that exists.
    pub fn inside(&mut self, path: impl Into<KeyPath>, value: &str) -> Option<PathBuf> {
        let path = path.into();
        let given = Path::new(value);
        let stays = given
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if value.is_empty() || !stays {
            let key = path.last_key();
            let message = format!("`{key}` must be a path inside the task's folder");
            self.wrong(path, message, "no absolute path, no `..`");
            return None;
        }
        let full = self.dir.join(given);
        match full.canonicalize() {
            Ok(real) if real.starts_with(self.dir) => Some(real),
            Ok(_) => {
                self.wrong(
                    path,
                    format!("`{value}` leads out of the task's folder"),
                    "",
                );
                None
            }
            Err(error) => {
                self.wrong(
                    path,
                    format!("`{value}` cannot be read: {error}"),
                    "looked for in the task's folder",
                );
                None
            }
        }
    }

    /// An absolute path of the sandbox, without `..`.
    pub fn sandbox_path(&mut self, path: impl Into<KeyPath>, value: &str) -> bool {
        let plain = value.starts_with('/')
            && !value.chars().any(char::is_control)
            && !value.split('/').any(|part| part == "..");
        if !plain {
            self.wrong(
                path,
                format!("`{value}` is not a path of the sandbox"),
                "an absolute path without `..`",
            );
        }
        plain
    }

    /// A service of the compose file. Without such a file it is nobody; one that the
    /// file does not have has nothing, which is told and harms nothing.
    pub fn service(&mut self, path: impl Into<KeyPath>, name: &str) {
        match &self.services {
            Some(known) if known.is_empty() => self.wrong(
                path,
                format!("there is no service `{name}`"),
                "the task has no environment/docker-compose.yaml",
            ),
            Some(known) if !known.contains(name) => {
                let message = format!("there is no service `{name}` in docker-compose.yaml");
                self.warn(path, message);
            }
            _ => {}
        }
    }

    /// A user by name or number, with or without a group.
    pub fn user(&mut self, path: impl Into<KeyPath>, value: Option<&UserName>) -> Option<String> {
        let UserName(name) = value?;
        let plain = !name.is_empty()
            && name.len() <= 64
            && name
                .chars()
                .all(|sign| sign.is_ascii_alphanumeric() || "._-:$".contains(sign));
        if !plain {
            self.wrong(
                path,
                format!("`{name}` is not a user"),
                "a name or a number",
            );
        }
        Some(name.clone())
    }

    /// Variables, `${NAME}` and `${NAME:-default}` filled in from the host where
    /// they are the whole value.
    pub fn env(
        &mut self,
        path: impl Into<KeyPath>,
        table: Option<BTreeMap<String, String>>,
    ) -> BTreeMap<String, String> {
        let (path, mut filled) = (path.into(), BTreeMap::new());
        for (name, value) in table.unwrap_or_default() {
            let at = path.clone().key(&name);
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                self.wrong(at, format!("`{name}` cannot be a variable"), "");
                continue;
            }
            match self.fill(&value) {
                Ok(value) => {
                    filled.insert(name, value);
                }
                Err(missing) => self.wrong(
                    at,
                    format!("the variable `{missing}` is not set"),
                    format!("set it, or write ${{{missing}:-a default}}"),
                ),
            }
        }
        filled
    }

    /// Texts with every `${NAME}` and `${NAME:-default}` in them filled in from the host.
    pub fn filled(
        &mut self,
        path: &KeyPath,
        table: BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let mut filled = BTreeMap::new();
        for (name, value) in table {
            match self.fill_within(&value) {
                Ok(value) => {
                    filled.insert(name, value);
                }
                Err(missing) => self.wrong(
                    path.clone().key(&name),
                    format!("the variable `{missing}` is not set"),
                    format!("set it, or write ${{{missing}:-a default}}"),
                ),
            }
        }
        filled
    }

    fn fill_within(&self, value: &str) -> Result<String, String> {
        let mut out = String::with_capacity(value.len());
        let mut rest = value;
        while let Some(at) = rest.find("${") {
            out.push_str(&rest[..at]);
            let variable = match rest[at..].find('}') {
                Some(end) => &rest[at..=at + end],
                None => break,
            };
            out.push_str(&self.fill(variable)?);
            rest = &rest[at + variable.len()..];
        }
        out.push_str(rest);
        Ok(out)
    }

    fn fill(&self, value: &str) -> Result<String, String> {
        let Some(inner) = value
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'))
        else {
            return Ok(value.to_string());
        };
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        let plain = name.starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '_')
            && name
                .chars()
                .all(|sign| sign.is_ascii_alphanumeric() || sign == '_');
        if !plain {
            return Ok(value.to_string());
        }
        (self.host_env)(name)
            .or_else(|| default.map(str::to_string))
            .ok_or_else(|| name.to_string())
    }

    /// No entry twice, in one list or in two of them; no entry empty.
    pub fn no_twice(&mut self, lists: &[(&str, Option<&[String]>)]) {
        let mut first: HashMap<&str, &str> = HashMap::new();
        let mut told = 0;
        for (path, list) in lists {
            for (index, entry) in list.unwrap_or_default().iter().enumerate() {
                let at = KeyPath::from(*path).index(index);
                let before = first.get(entry.as_str()).copied();
                if entry.trim().is_empty() || entry.chars().any(char::is_control) {
                    self.wrong(at, format!("an entry of `{}` says nothing", last(path)), "");
                } else if let Some(list) = before {
                    let message = match list == *path {
                        true => format!("`{entry}` stands twice in `{}`", last(path)),
                        false => format!("`{entry}` stands in `{}` too", last(list)),
                    };
                    self.wrong(at, message, "once is enough");
                } else {
                    first.insert(entry, path);
                    continue;
                }
                told += 1;
                if told >= MOST_DOUBLES {
                    return;
                }
            }
        }
    }
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
