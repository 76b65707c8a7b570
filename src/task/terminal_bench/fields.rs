//! The keys of `task.yaml`, each with its default.

use std::time::Duration;

use super::Parser;
use super::source::{Least, Source};
use crate::diagnose::Problem;
use crate::diagnose::yaml::{self, Node};

const KEYS: [&str; 14] = [
    "author_email",
    "author_name",
    "category",
    "difficulty",
    "disable_asciinema",
    "estimated_duration_sec",
    "expert_time_estimate_min",
    "instruction",
    "junior_time_estimate_min",
    "max_agent_timeout_sec",
    "max_test_timeout_sec",
    "parser_name",
    "run_tests_in_same_shell",
    "tags",
];
const DIFFICULTIES: [&str; 4] = ["easy", "medium", "hard", "unknown"];
const CATEGORY: &str = "software_engineering";
const AGENT_TIMEOUT: Duration = Duration::from_secs(360);
const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// What `task.yaml` says that has a meaning here.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields {
    /// As written; canary lines and all.
    pub instruction: String,
    pub difficulty: String,
    pub category: String,
    pub tags: Vec<String>,
    pub parser: Parser,
    pub agent_timeout: Duration,
    pub test_timeout: Duration,
    pub same_shell: bool,
}

/// Reads the keys; none where one that is needed is missing or wrong.
///
/// # Errors
/// The text is no YAML.
pub fn fields(source: &mut Source<'_>) -> Result<Option<Fields>, Box<Problem>> {
    let root = yaml::parse(source.text)?;
    let Some(entries) = source.map(&root, "a task.yaml") else {
        return Ok(None);
    };
    let (mut instruction, mut difficulty) = (None, None);
    let mut fields = Fields {
        instruction: String::new(),
        difficulty: String::new(),
        category: CATEGORY.to_owned(),
        tags: Vec::new(),
        parser: Parser::Pytest,
        agent_timeout: AGENT_TIMEOUT,
        test_timeout: TEST_TIMEOUT,
        same_shell: false,
    };
    for entry in entries {
        let (key, node) = (entry.key.as_str(), &entry.node);
        match key {
            "instruction" => instruction = Some(told(node, source)),
            "difficulty" => difficulty = Some(source.one_of(node, key, &DIFFICULTIES)),
            "category" => fields.category = source.word(node, key).unwrap_or_default(),
            "tags" => fields.tags = tags(node, source),
            "parser_name" => fields.parser = parser(node, source),
            "max_agent_timeout_sec" => {
                let limit = source.seconds(node, key, Least::More);
                fields.agent_timeout = limit.unwrap_or(AGENT_TIMEOUT);
            }
            "max_test_timeout_sec" => {
                let limit = source.seconds(node, key, Least::More);
                fields.test_timeout = limit.unwrap_or(TEST_TIMEOUT);
            }
            "run_tests_in_same_shell" => {
                fields.same_shell = source.truth(node, key).unwrap_or_default();
            }
            // Nothing is recorded as a film; the other keys are for people.
            "disable_asciinema" => drop(source.truth(node, key)),
            "author_name" | "author_email" => drop(source.word(node, key)),
            "estimated_duration_sec" => drop(estimate(node, key, "a number of seconds", source)),
            "expert_time_estimate_min" | "junior_time_estimate_min" => {
                let form = "a whole number of minutes";
                let minutes = estimate(node, key, form, source);
                if minutes.is_some_and(|minutes| minutes.fract() != 0.0) {
                    source.wrong(node, format!("`{key}` must be {form}"), "");
                }
            }
            _ => source.unknown(entry, &KEYS),
        }
    }
    if instruction.is_none() {
        let note = "it is what the agent is told";
        source.lacks("has no `instruction`", note);
    }
    if difficulty.is_none() {
        let note = format!("one of {}", DIFFICULTIES.join(", "));
        source.lacks("has no `difficulty`", &note);
    }
    fields.instruction = instruction.flatten().unwrap_or_default();
    fields.difficulty = difficulty.flatten().unwrap_or_default();
    Ok(Some(fields))
}

fn told(node: &Node, source: &mut Source<'_>) -> Option<String> {
    let text = source.word(node, "instruction")?;
    if crate::task::load::without_canary(&text).trim().is_empty() {
        source.wrong(node, "`instruction` says nothing", "");
        return None;
    }
    Some(text)
}

fn tags(node: &Node, source: &mut Source<'_>) -> Vec<String> {
    let items = source.list(node, "`tags`").unwrap_or_default();
    let tags = items.iter().filter_map(|item| source.word(item, "tags"));
    tags.collect()
}

fn parser(node: &Node, source: &mut Source<'_>) -> Parser {
    let names = Parser::ALL.map(Parser::name);
    let name = source.one_of(node, "parser_name", &names);
    name.and_then(|name| Parser::named(&name))
        .unwrap_or(Parser::Pytest)
}

/// For people; may be nothing.
fn estimate(node: &Node, key: &str, form: &str, source: &mut Source<'_>) -> Option<f64> {
    match node.is_null() {
        true => None,
        false => source.number(node, key, form),
    }
}
