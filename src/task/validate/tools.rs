//! `[tools]`: what of its rules is right, and what they mean.
//!
//! Owns the way from the table to the rules. Must not know how calls are judged by
//! them.

use std::collections::BTreeSet;

use serde_json::Map;

use super::call_patterns::{no_pattern, patterns};
use super::{Checker, custom_tools};
use crate::diagnose::{KeyPath, nearest};
use crate::task::pattern::PathGlobs;
use crate::task::raw::{CallTable, ToolPlaceName, ToolsTable};
use crate::task::{CustomTool, Hidden, STANDARD_TOOLS, ToolPlace, ToolRules};

/// How names of servers' tools begin.
const SERVED: &str = "mcp__";

/// Standard tools that run what they are given: only these can have a `command`.
const RUNNING: [&str; 2] = ["bash", "python"];

/// `served`: the task has servers of tools, whose names are known once they run.
pub fn rules(
    table: Option<&ToolsTable>,
    hidden: &Hidden,
    served: bool,
    check: &mut Checker<'_>,
) -> ToolRules {
    let Some(table) = table else {
        return ToolRules::default();
    };
    if table.custom.is_none() && (table.files.is_some() || table.place.is_some()) {
        let key = match table.files {
            Some(_) => "tools.files",
            None => "tools.where",
        };
        check.warn(
            key,
            "there are no tools of the task's own, so this says nothing",
        );
    }
    let custom = custom_tools::custom(table.custom.as_deref().unwrap_or_default(), check);
    let names = Names {
        // Also of tools with other faults, so that one fault is told once.
        own: table
            .custom
            .iter()
            .flatten()
            .filter_map(|tool| tool.name.as_deref())
            .collect(),
        custom: &custom,
        served,
    };
    let allow = allow(table, &names, check);
    let require = table
        .require
        .as_ref()
        .map(|entries| patterns("require", entries, &names, check));
    if let (Some(allow), Some(require)) = (&allow, &table.require) {
        refuse_impossible(allow, require, &names, check);
    }
    ToolRules {
        allow,
        forbid: patterns(
            "forbid",
            table.forbid.as_deref().unwrap_or_default(),
            &names,
            check,
        ),
        forbid_read: globs("tools", "forbid_read", table.forbid_read.as_deref(), check)
            .unwrap_or_default(),
        require,
        after: after(table.after.as_deref().unwrap_or_default(), &names, check),
        write_scope: globs("tools", "write_scope", table.write_scope.as_deref(), check),
        files: custom_tools::files(table, hidden, check),
        place: match table.place {
            Some(ToolPlaceName::Inside) => ToolPlace::Inside,
            Some(ToolPlaceName::Beside) | None => ToolPlace::Beside,
        },
        custom,
    }
}

/// The tools that rules may name.
pub struct Names<'a> {
    own: Vec<&'a str>,
    custom: &'a [CustomTool],
    served: bool,
}

impl Names<'_> {
    fn all(&self) -> impl Iterator<Item = &str> {
        STANDARD_TOOLS.into_iter().chain(self.own.iter().copied())
    }

    fn known(&self, at: KeyPath, name: &str, check: &mut Checker<'_>) -> bool {
        let of_server = self.served && name.starts_with(SERVED);
        let known = of_server || self.all().any(|known| known == name);
        if !known {
            let label = match nearest(name, self.all()) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => format!("known here: {}", self.all().collect::<Vec<_>>().join(", ")),
            };
            check.wrong(at, format!("there is no tool `{name}`"), label);
        }
        known
    }

    /// A tool whose use is judged.
    pub fn judged(&self, at: KeyPath, name: &str, check: &mut Checker<'_>) -> bool {
        if name == "submit" {
            check.wrong(
                at,
                "`submit` is no use of a tool",
                "it ends the session; hidden checks can read its message",
            );
            return false;
        }
        self.known(at, name, check)
    }

    /// Whether a call of this tool can have such an argument; what it can have, for
    /// the words, where a schema lists it and takes nothing else.
    pub fn takes(&self, tool: &str, argument: &str) -> Result<(), Vec<&str>> {
        if STANDARD_TOOLS.contains(&tool) {
            let never = argument == "command" && !RUNNING.contains(&tool);
            return if never { Err(Vec::new()) } else { Ok(()) };
        }
        let Some(custom) = self.custom.iter().find(|custom| custom.name == tool) else {
            return Ok(());
        };
        let schema = &custom.parameters;
        let closed =
            schema["additionalProperties"] == false && schema.get("patternProperties").is_none();
        let listed = schema["properties"].as_object();
        let known: Vec<&str> = listed
            .into_iter()
            .flat_map(Map::keys)
            .map(String::as_str)
            .collect();
        if closed && !known.contains(&argument) {
            return Err(known);
        }
        Ok(())
    }
}

fn allow(table: &ToolsTable, names: &Names<'_>, check: &mut Checker<'_>) -> Option<Vec<String>> {
    let allow = table.allow.as_ref()?;
    check.no_twice(&[("tools.allow", Some(allow))]);
    if allow.is_empty() && names.own.is_empty() {
        check.wrong(
            "tools.allow",
            "no tool is offered: the task can do nothing",
            "without `allow` it is the standard set",
        );
    }
    for (index, name) in allow.iter().enumerate() {
        // What is empty has been told.
        if !name.trim().is_empty() {
            names.known(KeyPath::from("tools.allow").index(index), name, check);
        }
    }
    Some(allow.clone())
}

/// A standard tool that is not offered cannot be required.
fn refuse_impossible(
    allow: &[String],
    require: &[CallTable],
    names: &Names<'_>,
    check: &mut Checker<'_>,
) {
    for (index, entry) in require.iter().enumerate() {
        let Some(tool) = entry.tool.as_deref() else {
            continue;
        };
        let offered = names.own.contains(&tool) || allow.iter().any(|name| name == tool);
        if STANDARD_TOOLS.contains(&tool) && tool != "submit" && !offered {
            check.wrong(
                KeyPath::from("tools.require").index(index).key("tool"),
                format!("`{tool}` is required and not offered"),
                "`allow` does not have it",
            );
        }
    }
}

fn after(
    pairs: &[Vec<String>],
    names: &Names<'_>,
    check: &mut Checker<'_>,
) -> Vec<(String, String)> {
    let mut read = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, pair) in pairs.iter().enumerate() {
        let at = KeyPath::from("tools.after").index(index);
        let [first, second] = pair.as_slice() else {
            check.wrong(
                at,
                "an entry of `after` is a pair of tools",
                "[\"the first\", \"the one that follows\"]",
            );
            continue;
        };
        if first == second {
            check.wrong(
                at,
                format!("`{first}` cannot come before itself"),
                "two tools",
            );
            continue;
        }
        let known = [
            names.judged(at.clone().index(0), first, check),
            names.judged(at.clone().index(1), second, check),
        ];
        if !seen.insert((first, second)) {
            check.wrong(at, "this pair stands twice in `after`", "once is enough");
        } else if known == [true, true] {
            read.push((first.clone(), second.clone()));
        }
    }
    read
}

/// Globs over paths of the sandbox, each of which could name one.
pub(super) fn globs(
    table: &str,
    key: &str,
    globs: Option<&[String]>,
    check: &mut Checker<'_>,
) -> Option<Vec<String>> {
    let globs = globs?;
    for (index, glob) in globs.iter().enumerate() {
        let at = KeyPath::from(table).key(key).index(index);
        if glob.trim().is_empty() || glob.chars().any(char::is_control) {
            check.wrong(at, format!("an entry of `{key}` says nothing"), "");
        } else if glob.ends_with('/') {
            check.wrong(
                at,
                format!("`{glob}` names no file"),
                format!("all below a folder is \"{glob}**\""),
            );
        } else if !is_plain(glob) {
            check.wrong(
                at,
                format!("`{glob}` names no path"),
                "an absolute glob, or one from the work tree, without `..`",
            );
        } else if let Err(error) = PathGlobs::new(std::slice::from_ref(glob), "/") {
            no_pattern(at, &error, check);
        }
    }
    Some(globs.to_vec())
}

/// Whether a glob has the form of a path as it is judged: no `..`, no `.` but at
/// the beginning, no part that is empty.
fn is_plain(glob: &str) -> bool {
    let rest = glob.strip_prefix('/');
    let mut parts = rest.unwrap_or(glob.trim_start_matches("./")).split('/');
    parts.all(|part| !["", ".", ".."].contains(&part))
}
