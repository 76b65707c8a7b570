//! Which tools are offered, and whether a call's arguments are right.
//!
//! Owns the definitions of the standard tools (files with a version each) and the
//! check of arguments against JSON Schemas. Must not know how a call is performed.

use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::mcp::Served;
use crate::model::ToolSpec;
use crate::record::Digest;
use crate::task::ToolRules;

/// The definitions of the standard set, in the order in which they are offered.
const DEFINITIONS: [(&str, &str); 8] = [
    ("bash", include_str!("definition/bash.json")),
    ("read", include_str!("definition/read.json")),
    ("write", include_str!("definition/write.json")),
    ("edit", include_str!("definition/edit.json")),
    ("list", include_str!("definition/list.json")),
    ("search", include_str!("definition/search.json")),
    ("python", include_str!("definition/python.json")),
    ("submit", include_str!("definition/submit.json")),
];

/// The most that is told of what is wrong with a call.
const MOST_ERRORS: usize = 3;

/// A definition as it is written.
#[derive(Deserialize)]
struct Definition {
    #[expect(
        dead_code,
        reason = "a reader of the file wants it; the digest tells versions apart"
    )]
    version: u32,
    name: String,
    description: String,
    parameters: Value,
}

/// What performs a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    Standard,
    /// A program of the task's own: arguments on standard input, result on standard output.
    Program(Vec<String>),
    /// A tool of one of the servers of the session.
    Server {
        server: usize,
        tool: String,
    },
}

/// A tool that is offered.
struct Offered {
    spec: ToolSpec,
    way: Way,
    check: jsonschema::Validator,
}

/// The tools of one task.
pub struct Toolbox {
    tools: Vec<Offered>,
    digest: Digest,
}

impl Toolbox {
    /// The standard set, or what of it the task allows, and the task's own tools.
    ///
    /// # Errors
    /// A schema that does not compile; a loaded task has none.
    pub fn of(rules: &ToolRules) -> Result<Self, String> {
        Self::with(rules, Vec::new())
    }

    /// The same, with what servers offer.
    ///
    /// # Errors
    /// As [`of`](Self::of); a name of a server's that is taken.
    pub fn with(rules: &ToolRules, served: Vec<Served>) -> Result<Self, String> {
        let allowed = |name: &str| match &rules.allow {
            None => true,
            Some(allow) => allow.iter().any(|allowed| allowed == name),
        };
        let mut tools = Vec::new();
        for (name, text) in DEFINITIONS.iter().filter(|(name, _)| allowed(name)) {
            let definition: Definition = serde_json::from_str(text)
                .map_err(|error| format!("the definition of `{name}`: {error}"))?;
            let spec = ToolSpec {
                name: definition.name,
                description: definition.description,
                parameters: definition.parameters,
            };
            tools.push(offered(spec, Way::Standard)?);
        }
        for custom in &rules.custom {
            let spec = ToolSpec {
                name: custom.name.clone(),
                description: custom.description.clone(),
                parameters: custom.parameters.clone(),
            };
            tools.push(offered(spec, Way::Program(custom.command.clone()))?);
        }
        for Served { server, tool, spec } in served {
            if tools.iter().any(|offered| offered.spec.name == spec.name) {
                return Err(format!("two tools are called `{}`", spec.name));
            }
            tools.push(of_server(spec, Way::Server { server, tool })?);
        }
        let specs: Vec<&ToolSpec> = tools.iter().map(|tool| &tool.spec).collect();
        let text = serde_json::to_string(&specs).map_err(|error| error.to_string())?;
        Ok(Self {
            tools,
            digest: Digest::of_sha256(&Sha256::digest(text.as_bytes())),
        })
    }

    /// What a model is told of.
    pub fn specs(&self) -> Vec<ToolSpec> {
        self.tools.iter().map(|tool| tool.spec.clone()).collect()
    }

    /// Of all definitions.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// How a call is performed, where it may be; else what is wrong with it, and
    /// what would be right.
    pub fn check(&self, tool: &str, arguments: &Value) -> Result<&Way, String> {
        let Some(offered) = self.tools.iter().find(|offered| offered.spec.name == tool) else {
            return Err(self.unknown(tool));
        };
        let wrong: Vec<String> = offered
            .check
            .iter_errors(arguments)
            .take(MOST_ERRORS)
            .map(|error| {
                let at = error.instance_path().to_string();
                let said = short(&error.to_string());
                match at.trim_start_matches('/') {
                    "" => said,
                    at => format!("`{at}`: {said}"),
                }
            })
            .collect();
        match wrong.is_empty() {
            true => Ok(&offered.way),
            false => Err(format!(
                "wrong arguments of `{tool}`: {}. It takes {}",
                wrong.join("; "),
                signature(&offered.spec.parameters)
            )),
        }
    }

    /// What is said of arguments that are no JSON object.
    pub fn not_json(&self, tool: &str, why: &str) -> String {
        match self.tools.iter().find(|offered| offered.spec.name == tool) {
            None => self.unknown(tool),
            Some(offered) => format!(
                "the arguments of `{tool}` are no JSON object: {why}. It takes {}",
                signature(&offered.spec.parameters)
            ),
        }
    }

    fn unknown(&self, tool: &str) -> String {
        let names: Vec<&str> = self
            .tools
            .iter()
            .map(|offered| offered.spec.name.as_str())
            .collect();
        let near = names
            .iter()
            .find(|name| strsim::jaro_winkler(name, tool) > 0.85)
            .map(|name| format!("; did you mean `{name}`?"))
            .unwrap_or_default();
        format!(
            "there is no tool `{}`{near} The tools are {}",
            short(tool),
            names.join(", ")
        )
        .replace("` The", "`. The")
    }
}

fn offered(spec: ToolSpec, way: Way) -> Result<Offered, String> {
    let check = jsonschema::validator_for(&spec.parameters)
        .map_err(|error| format!("the parameters of `{}`: {error}", spec.name))?;
    Ok(Offered { spec, way, check })
}

/// A tool whose schema is not ours to mend: where it does not compile, any object is taken,
/// and the server says what is wrong.
fn of_server(spec: ToolSpec, way: Way) -> Result<Offered, String> {
    let any = serde_json::json!({"type": "object"});
    let check = jsonschema::validator_for(&spec.parameters)
        .or_else(|_| jsonschema::validator_for(&any))
        .map_err(|error| format!("the parameters of `{}`: {error}", spec.name))?;
    Ok(Offered { spec, way, check })
}

/// `path (string), start (integer, optional)`.
fn signature(parameters: &Value) -> String {
    let empty = Map::new();
    let properties = parameters["properties"].as_object().unwrap_or(&empty);
    if properties.is_empty() {
        return "no arguments".to_owned();
    }
    let listed = parameters["required"].as_array().into_iter().flatten();
    let required: Vec<&str> = listed.filter_map(Value::as_str).collect();
    let others = properties
        .keys()
        .map(String::as_str)
        .filter(|name| !required.contains(name));
    let shown: Vec<String> = required
        .iter()
        .copied()
        .chain(others)
        .filter_map(|name| Some((name, properties.get(name)?)))
        .map(|(name, schema)| {
            let kind = match &schema["type"] {
                Value::String(kind) => kind.clone(),
                Value::Array(kinds) => {
                    let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
                    kinds.join(" or ")
                }
                _ => "any".to_owned(),
            };
            match required.contains(&name) {
                true => format!("{name} ({kind})"),
                false => format!("{name} ({kind}, optional)"),
            }
        })
        .collect();
    shown.join(", ")
}

/// What quotes a value of the model's may quote a file.
fn short(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn standard() -> Toolbox {
        Toolbox::of(&ToolRules::default()).unwrap()
    }

    #[test]
    fn the_standard_set_is_defined_whole() {
        let names: Vec<String> = standard()
            .specs()
            .into_iter()
            .map(|spec| spec.name)
            .collect();
        assert_eq!(names, crate::task::STANDARD_TOOLS);
    }

    #[test]
    fn a_wrong_call_is_told_what_would_be_right() {
        let tools = standard();
        let wrong = |tool: &str, arguments| tools.check(tool, &arguments).unwrap_err();
        assert_eq!(
            wrong("edit", json!({"path": "a", "old": "x"})),
            "wrong arguments of `edit`: \"new\" is a required property. \
             It takes path (string), old (string), new (string)"
        );
        let error = wrong("read", json!({"path": "a", "start": "1"}));
        assert!(
            error.contains("`start`: \"1\" is not of type \"integer\""),
            "{error}"
        );
        let error = wrong("raed", json!({}));
        assert!(
            error.starts_with("there is no tool `raed`; did you mean `read`?"),
            "{error}"
        );
        let error = wrong("browser", json!({}));
        assert!(
            error.starts_with("there is no tool `browser`. The tools are bash,"),
            "{error}"
        );
        assert!(tools.check("bash", &json!({"command": "ls"})).is_ok());
    }

    #[test]
    fn only_what_is_allowed_is_offered_and_own_tools_always_are() {
        let rules = ToolRules {
            allow: Some(vec!["submit".into()]),
            custom: vec![crate::task::CustomTool {
                name: "refund".into(),
                description: "Refund an order.".into(),
                parameters: json!({"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}),
                command: vec!["python3".into()],
            }],
            ..ToolRules::default()
        };
        let tools = Toolbox::of(&rules).unwrap();
        assert!(tools.check("bash", &json!({"command": "ls"})).is_err());
        assert_eq!(
            tools.check("refund", &json!({"order": "A"})),
            Ok(&Way::Program(vec!["python3".into()]))
        );
        assert_ne!(tools.digest(), standard().digest());
    }
}
