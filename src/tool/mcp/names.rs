//! What tools of servers are called: `mcp__<server>__<tool>`, fit for every endpoint of
//! models, each name once, the same ones in every trial.

use std::collections::BTreeSet;

use rmcp::model::Tool;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Served;
use crate::model::ToolSpec;
use crate::record::hex;

/// The longest name that all endpoints take.
const LONGEST: usize = 64;
/// The longest description that is told, characters.
const MOST_TOLD: usize = 16 << 10;

/// The tools of all servers as they are offered.
pub fn served<'a>(servers: impl Iterator<Item = (&'a str, &'a [Tool])>) -> Vec<Served> {
    let mut taken = BTreeSet::new();
    let mut all = Vec::new();
    for (server, (name, tools)) in servers.enumerate() {
        let mut tools: Vec<&Tool> = tools.iter().collect();
        // A server may list them in any order.
        tools.sort_by(|one, other| one.name.cmp(&other.name));
        tools.dedup_by(|one, other| one.name == other.name);
        all.extend(tools.into_iter().map(|tool| Served {
            server,
            tool: tool.name.to_string(),
            spec: ToolSpec {
                name: unique(name, &tool.name, &mut taken),
                description: description(tool),
                parameters: parameters(tool),
            },
        }));
    }
    all
}

fn unique(server: &str, tool: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = offered(server, tool);
    let mut count = 1;
    while !taken.insert(name.clone()) {
        count += 1;
        let end = format!("_{count}");
        name = offered(server, tool);
        name.truncate(LONGEST - end.len());
        name.push_str(&end);
    }
    name
}

/// The name by itself. A long one ends in the beginning of its digest.
fn offered(server: &str, tool: &str) -> String {
    let plain = |text: &str| -> String {
        let sign = |sign: char| match sign {
            sign if sign.is_ascii_alphanumeric() || "_-".contains(sign) => sign,
            _ => '_',
        };
        text.chars().map(sign).collect()
    };
    let mut name = format!("mcp__{}__{}", plain(server), plain(tool));
    if name.len() > LONGEST {
        let digest = hex(&Sha256::digest(format!("{server}\0{tool}"))[..4]);
        name.truncate(LONGEST - digest.len() - 1);
        name = format!("{name}_{digest}");
    }
    name
}

fn description(tool: &Tool) -> String {
    let text = tool.description.as_deref().or(tool.title.as_deref());
    text.unwrap_or_default().chars().take(MOST_TOLD).collect()
}

/// The schema as the server tells it, with what endpoints insist on.
fn parameters(tool: &Tool) -> Value {
    let mut schema = tool.input_schema.as_ref().clone();
    schema.entry("type").or_insert_with(|| json!("object"));
    schema.entry("properties").or_insert_with(|| json!({}));
    Value::Object(schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str) -> Tool {
        let listed = json!({"name": name, "inputSchema": {"type": "object"}});
        serde_json::from_value(listed).unwrap()
    }

    fn names(servers: &[(&str, &[&str])]) -> Vec<String> {
        let tools: Vec<(&str, Vec<Tool>)> = servers
            .iter()
            .map(|(server, names)| (*server, names.iter().map(|name| tool(name)).collect()))
            .collect();
        let all = tools
            .iter()
            .map(|(server, tools)| (*server, tools.as_slice()));
        served(all).into_iter().map(|one| one.spec.name).collect()
    }

    #[test]
    fn a_name_tells_server_and_tool() {
        assert_eq!(
            names(&[("shop", &["find", "buy"]), ("bank", &["find"])]),
            ["mcp__shop__buy", "mcp__shop__find", "mcp__bank__find"]
        );
    }

    #[test]
    fn names_that_fall_together_are_told_apart() {
        assert_eq!(
            names(&[("a b", &["x.y", "x y"]), ("a.b", &["x/y"])]),
            ["mcp__a_b__x_y", "mcp__a_b__x_y_2", "mcp__a_b__x_y_3"]
        );
    }

    #[test]
    fn a_long_name_is_cut_and_stays_its_own() {
        let (one, other) = ("t".repeat(80) + "1", "t".repeat(80) + "2");
        let names = names(&[("server", &[&one, &other])]);
        assert!(names.iter().all(|name| name.len() == 64), "{names:?}");
        assert_ne!(names[0], names[1]);
    }
}
