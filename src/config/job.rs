//! A job configuration of Harbor's (`-c job.yaml`, YAML or JSON) → settings, as far as
//! it names things that we have.
//!
//! Anything else that would change what is run is an error at its place; what only
//! changes how Harbor shows or keeps it is left out. Must not know tasks.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use super::Flag;
use crate::diagnose::yaml::{self, Entry, Node, Value};
use crate::diagnose::{Problem, SourceText, nearest};

/// Longest file that is read, bytes.
const LONGEST: u64 = 4 << 20;
/// Where the flags of a job come from, in words.
const FROM: &str = "--job";

/// What a job configuration asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Job {
    /// Settings, under the flags of the command line.
    pub flags: Vec<Flag>,
    pub run_id: Option<String>,
    /// Tasks by path, each with what of them is meant; empty: those of the settings.
    pub selections: Vec<Selection>,
    /// What was left out without harm, each with its place.
    pub warnings: Vec<String>,
}

/// Tasks below a path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    pub path: String,
    /// Globs over names; empty: all.
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    /// The first ones of what is left.
    pub most: Option<usize>,
}

const TOP: [&str; 24] = [
    "job_name",
    "jobs_dir",
    "n_attempts",
    "timeout_multiplier",
    "agent_timeout_multiplier",
    "verifier_timeout_multiplier",
    "agent_setup_timeout_multiplier",
    "environment_build_timeout_multiplier",
    "n_concurrent_trials",
    "quiet",
    "debug",
    "install_only",
    "retry",
    "environment",
    "verifier",
    "agents",
    "datasets",
    "tasks",
    "metrics",
    "artifacts",
    "extra_instructions",
    "extra_instruction_paths",
    "source_jobs",
    "schema_version",
];

/// Reads a job configuration.
///
/// # Errors
/// Everything that is wrong with the file, in order; never empty.
pub fn read(path: &Path) -> Result<Job, Vec<Problem>> {
    let cannot = |why: String| {
        let problem = format!("`{}` cannot be read: {why}", path.display());
        vec![Problem::new(problem)]
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| cannot(error.to_string()))?;
    if bytes.len() as u64 > LONGEST {
        return Err(cannot(format!("it is larger than {LONGEST} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| cannot("it is not UTF-8".to_owned()))?;
    of(&SourceText::new(path.display().to_string(), text))
}

fn of(source: &SourceText) -> Result<Job, Vec<Problem>> {
    let root = yaml::parse(source).map_err(|problem| vec![*problem])?;
    let mut reader = Reader {
        source,
        job: Job::default(),
        problems: Vec::new(),
    };
    reader.job(&root);
    match reader.problems.is_empty() {
        true => Ok(reader.job),
        false => {
            reader.problems.sort_by_key(Problem::place);
            Err(reader.problems)
        }
    }
}

struct Reader<'a> {
    source: &'a SourceText,
    job: Job,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn wrong(&mut self, span: &Range<usize>, message: String, label: &str) {
        let spot = self.source.spot(span.clone(), label);
        self.problems.push(Problem::new(message).at(spot));
    }

    /// Something that we do not have, and that would change what is run.
    fn lacking(&mut self, entry: &Entry, what: &str) {
        let message = format!("`{}` is not supported", entry.key);
        self.wrong(&entry.key_span, message, what);
    }

    fn warn(&mut self, entry: &Entry, message: String) {
        let spot = self.source.spot(entry.key_span.clone(), "");
        let problem = Problem::new(message).at(spot);
        self.job.warnings.push(problem.to_string());
    }

    fn unknown(&mut self, entry: &Entry, known: &[&str]) {
        let near = nearest(&entry.key, known.iter().copied());
        let meant = near.map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
        self.warn(
            entry,
            format!("unknown key `{}`{meant}; left out", entry.key),
        );
    }

    fn map<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Entry] {
        match &node.value {
            Value::Map(entries) => entries,
            _ if node.is_null() => &[],
            _ => {
                self.wrong(&node.span, format!("{what} should be a table"), "");
                &[]
            }
        }
    }

    fn list<'n>(&mut self, entry: &'n Entry) -> &'n [Node] {
        match &entry.node.value {
            Value::List(nodes) => nodes,
            _ if entry.node.is_null() => &[],
            _ => {
                let message = format!("`{}` should be a list", entry.key);
                self.wrong(&entry.node.span, message, "");
                &[]
            }
        }
    }

    fn text(&mut self, entry: &Entry) -> Option<String> {
        match &entry.node.value {
            Value::Scalar(scalar) if !scalar.is_null() => Some(scalar.text.clone()),
            Value::Scalar(_) => None,
            _ => {
                let message = format!("`{}` should be a single value", entry.key);
                self.wrong(&entry.node.span, message, "");
                None
            }
        }
    }

    fn texts(&mut self, entry: &Entry) -> Vec<String> {
        let mut texts = Vec::new();
        for node in self.list(entry) {
            match &node.value {
                Value::Scalar(scalar) if !scalar.is_null() => texts.push(scalar.text.clone()),
                _ => {
                    let message = format!("`{}` should be a list of texts", entry.key);
                    self.wrong(&node.span, message, "");
                }
            }
        }
        texts
    }

    fn number<N: std::str::FromStr>(&mut self, entry: &Entry, what: &str) -> Option<N> {
        let text = self.text(entry)?;
        match text.parse() {
            Ok(number) => Some(number),
            Err(_) => {
                let message = format!("`{}` should be {what}", entry.key);
                self.wrong(&entry.node.span, message, "");
                None
            }
        }
    }

    fn flag(&mut self, key: &str, value: Option<String>) {
        if let Some(value) = value {
            self.job.flags.push(Flag::named(FROM, key, [value]));
        }
    }

    fn job(&mut self, root: &Node) {
        let (mut agents, mut models) = (Vec::new(), Vec::new());
        for entry in self.map(root, "a job configuration") {
            match entry.key.as_str() {
                "job_name" => self.job.run_id = self.text(entry),
                "jobs_dir" => {
                    let value = self.text(entry);
                    self.flag("run.out", value);
                }
                "n_attempts" => {
                    let value = self.number::<u32>(entry, "a number of attempts");
                    self.flag("run.attempts", value.map(|value| value.to_string()));
                }
                "n_concurrent_trials" => {
                    let value = self.number::<u32>(entry, "a number of trials");
                    self.flag("run.jobs", value.map(|value| value.to_string()));
                }
                "timeout_multiplier" => {
                    let value = self.number::<f64>(entry, "a number");
                    self.flag(
                        "run.timeout_multiplier",
                        value.map(|value| value.to_string()),
                    );
                }
                key if key.ends_with("_timeout_multiplier") => {
                    if !is_neutral(&entry.node) && !is_one(&entry.node) {
                        self.lacking(entry, "`timeout_multiplier` is for all phases");
                    }
                }
                "quiet" | "debug" | "metrics" | "schema_version" => {}
                "retry" => self.retry(&entry.node),
                "environment" => self.environment(&entry.node),
                "verifier" => self.verifier(&entry.node),
                "agents" => self.agents(entry, &mut agents, &mut models),
                "datasets" => self.datasets(entry),
                "tasks" => self.tasks(entry),
                "install_only"
                | "artifacts"
                | "extra_instructions"
                | "extra_instruction_paths"
                | "source_jobs" => {
                    if !is_neutral(&entry.node) {
                        self.lacking(entry, "leaving it out would change what is run");
                    }
                }
                _ => self.unknown(entry, &TOP),
            }
        }
        for (key, values) in [("run.agents", agents), ("run.models", models)] {
            if !values.is_empty() {
                self.job.flags.push(Flag::named(FROM, key, values));
            }
        }
    }

    fn retry(&mut self, node: &Node) {
        const KNOWN: [&str; 6] = [
            "max_retries",
            "include_exceptions",
            "exclude_exceptions",
            "wait_multiplier",
            "min_wait_sec",
            "max_wait_sec",
        ];
        for entry in self.map(node, "`retry`") {
            match entry.key.as_str() {
                "max_retries" => {
                    let value = self.number::<u32>(entry, "a number of retries");
                    self.flag("run.retry_errors", value.map(|value| value.to_string()));
                }
                key if KNOWN.contains(&key) => {
                    if !is_neutral(&entry.node) && !is_one(&entry.node) {
                        let message =
                            format!("`{key}` has no effect: errors are retried by their class");
                        self.warn(entry, message);
                    }
                }
                _ => self.unknown(entry, &KNOWN),
            }
        }
    }

    fn environment(&mut self, node: &Node) {
        const NEUTRAL: [&str; 4] = [
            "force_build",
            "delete",
            "cpu_enforcement_policy",
            "memory_enforcement_policy",
        ];
        for entry in self.map(node, "`environment`") {
            match entry.key.as_str() {
                "type" => match self.text(entry).as_deref() {
                    None | Some("docker") => {}
                    Some(_) => self.lacking(entry, "sandboxes are Docker containers here"),
                },
                key if NEUTRAL.contains(&key) => {}
                _ if is_neutral(&entry.node) => {}
                _ => self.lacking(entry, "leaving it out would change what is run"),
            }
        }
    }

    fn verifier(&mut self, node: &Node) {
        for entry in self.map(node, "`verifier`") {
            match entry.key.as_str() {
                "include_logs" | "exclude_logs" => {}
                _ if is_neutral(&entry.node) => {}
                _ => self.lacking(entry, "leaving it out would change what is run"),
            }
        }
    }

    fn agents(&mut self, list: &Entry, agents: &mut Vec<String>, models: &mut Vec<String>) {
        for node in self.list(list) {
            let mut name = None;
            for entry in self.map(node, "an agent") {
                match entry.key.as_str() {
                    "name" => name = self.text(entry),
                    "model_name" => {
                        let model = self.text(entry);
                        models.extend(model.filter(|model| !models.contains(model)));
                    }
                    "n_concurrent" => {}
                    _ if is_neutral(&entry.node) => {}
                    _ => self.lacking(entry, "leaving it out would change what is run"),
                }
            }
            match name {
                Some(name) => {
                    if !agents.contains(&name) {
                        agents.push(name);
                    }
                }
                None => self.wrong(
                    &node.span,
                    "an agent has no `name`".to_owned(),
                    "oracle, nop, loop, …",
                ),
            }
        }
    }

    fn datasets(&mut self, list: &Entry) {
        for node in self.list(list) {
            let mut selection = Selection::default();
            for entry in self.map(node, "a data set") {
                match entry.key.as_str() {
                    "path" => selection.path = self.text(entry).unwrap_or_default(),
                    "task_names" => selection.include = self.texts(entry),
                    "exclude_task_names" => selection.exclude = self.texts(entry),
                    "n_tasks" => selection.most = self.number(entry, "a number of tasks"),
                    "name" | "version" | "ref" | "repo" | "registry_url" | "registry_path"
                        if !entry.node.is_null() =>
                    {
                        self.lacking(entry, "name the folder of its tasks as `path`");
                    }
                    _ if is_neutral(&entry.node) => {}
                    _ => self.lacking(entry, "leaving it out would change what is run"),
                }
            }
            match selection.path.is_empty() {
                false => self.job.selections.push(selection),
                true if self.problems.is_empty() => {
                    self.wrong(
                        &node.span,
                        "a data set has no `path`".to_owned(),
                        "a folder of tasks",
                    );
                }
                true => {}
            }
        }
    }

    fn tasks(&mut self, list: &Entry) {
        for node in self.list(list) {
            let mut selection = Selection::default();
            for entry in self.map(node, "a task") {
                match entry.key.as_str() {
                    "path" => selection.path = self.text(entry).unwrap_or_default(),
                    _ if is_neutral(&entry.node) => {}
                    _ => self.lacking(entry, "name the task's folder as `path`"),
                }
            }
            match selection.path.is_empty() {
                false => self.job.selections.push(selection),
                true if self.problems.is_empty() => {
                    self.wrong(&node.span, "a task has no `path`".to_owned(), "its folder");
                }
                true => {}
            }
        }
    }
}

/// Nothing, empty or false: what a default says anyway.
fn is_neutral(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(scalar) => {
            scalar.is_null() || matches!(scalar.text.as_str(), "" | "false" | "False")
        }
        Value::List(nodes) => nodes.is_empty(),
        Value::Map(entries) => entries.is_empty(),
    }
}

/// A factor that changes nothing.
fn is_one(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(scalar) => scalar.text.parse() == Ok(1.0_f64),
        Value::List(_) | Value::Map(_) => false,
    }
}

#[cfg(test)]
mod tests;
