//! Facts about `[tools]`: what its rules become, and where each mistake is told.

use insta::assert_snapshot;
use serde_json::json;

use super::tests::Folder;
use super::*;
use crate::task::{CallPattern, Matcher, ToolPlace, ToolRules};

const SCHEMA: &str = r#"{
  "type": "object",
  "properties": { "order": { "type": "string" }, "cents": { "type": "integer" } },
  "required": ["order"],
  "additionalProperties": false
}"#;

const CUSTOM: &str = "
[[tools.custom]]
name = \"refund\"
description = \"Refund an order.\"
parameters = \"tools/refund.json\"
command = [\"python3\", \"/tools/refund.py\"]

[[tools.custom]]
name = \"lookup\"
description = \"Look an order up.\"
parameters = \"tools/refund.json\"
command = [\"python3\", \"/tools/lookup.py\"]
";

/// A task with two tools of its own and these rules.
fn with(rules: &str) -> Folder {
    folder(&format!("[tools]\n{rules}\n{CUSTOM}"))
}

fn folder(toml: &str) -> Folder {
    Folder::new(toml)
        .file("tools/refund.json", SCHEMA)
        .file("tools/refund.py", "")
}

fn rules(folder: &Folder) -> ToolRules {
    folder
        .load()
        .unwrap_or_else(|error| panic!("{error}"))
        .tools
}

/// What is wrong, a line for each: its place, what it is, what stands under it.
fn wrong(folder: &Folder) -> String {
    let Err(TaskError::Invalid { problems }) = folder.load() else {
        return "nothing".to_owned();
    };
    let lines = problems.iter().map(|problem| {
        let line = problem.to_string();
        let dir = folder.path().display().to_string();
        line.replace(&format!("{dir}/"), "")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_whole_table_becomes_rules() {
    let folder = with("
allow = [\"bash\", \"refund\", \"submit\"]
forbid = [{ tool = \"bash\", command = \"*git log*\" }, { tool = \"refund\", arguments = { order = { regex = \"^B-\" } } }]
forbid_read = [\"/srv/private/**\", \"secret.txt\"]
require = [{ tool = \"refund\", arguments = { order = { any = [\"A-17\", \"A-18\"] }, cents = { schema = { maximum = 10.0 } } } }]
after = [[\"lookup\", \"refund\"]]
write_scope = [\"src/**\"]
files = \"tools\"
where = \"inside\"
");
    let task = folder.load().unwrap();
    assert_eq!(task.warnings, Vec::<String>::new());
    let rules = task.tools;
    assert_eq!(rules.allow.unwrap(), ["bash", "refund", "submit"]);
    let told = |patterns: &[CallPattern]| {
        let told: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        told.join("; ")
    };
    assert_snapshot!(told(&rules.forbid), @"`bash` with command like `*git log*`; `refund` with order matching /^B-/");
    assert_snapshot!(told(&rules.require.unwrap()), @r#"`refund` with cents fitting {"maximum":10.0} and order one of "A-17", "A-18""#);
    assert_eq!(rules.forbid_read, ["/srv/private/**", "secret.txt"]);
    assert_eq!(rules.after, [("lookup".to_owned(), "refund".to_owned())]);
    assert_eq!(rules.write_scope.unwrap(), ["src/**"]);
    let dir = fs::canonicalize(folder.path()).unwrap();
    assert_eq!(rules.files, Some(dir.join("tools")));
    assert_eq!(rules.place, ToolPlace::Inside);
    let names: Vec<&str> = rules.custom.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["refund", "lookup"]);
    assert_eq!(rules.custom[0].parameters["required"], json!(["order"]));
    assert_eq!(rules.custom[0].command, ["python3", "/tools/refund.py"]);
}

#[test]
fn what_is_not_said_is_not_ruled() {
    let silent = rules(&with(""));
    assert!(silent.allow.is_none() && silent.require.is_none() && silent.write_scope.is_none());
    assert!(silent.forbid.is_empty() && silent.after.is_empty() && silent.files.is_none());
    assert_eq!(silent.place, ToolPlace::Beside);
    let empty = rules(&with("require = []\nwrite_scope = []\nallow = []"));
    assert_eq!(empty.require, Some(vec![]));
    assert_eq!(empty.write_scope, Some(vec![]));
    assert_eq!(empty.allow, Some(vec![]));
}

#[test]
fn every_standard_tool_may_be_offered() {
    let all = "allow = [\"bash\", \"read\", \"write\", \"edit\", \"list\", \"search\", \"python\", \"submit\"]";
    assert_eq!(
        rules(&folder(&format!("[tools]\n{all}")))
            .allow
            .unwrap()
            .len(),
        8
    );
}

#[test]
fn a_tool_that_is_not_there_is_told_with_the_nearest() {
    let folder = with(
        "
allow = [\"bsh\", \"browser\", \"bash\", \"bash\"]
forbid = [{ tool = \"refnd\" }]
require = [{ tool = \"browser\" }]
after = [[\"lokup\", \"refund\"]]
",
    );
    assert_snapshot!(wrong(&folder), @r#"
    task.toml:3:10: there is no tool `bsh`; did you mean "bash"?
    task.toml:3:17: there is no tool `browser`; known here: bash, read, write, edit, list, search, python, submit, refund, lookup
    task.toml:3:36: `bash` stands twice in `allow`; once is enough
    task.toml:4:20: there is no tool `refnd`; did you mean "refund"?
    task.toml:5:21: there is no tool `browser`; known here: bash, read, write, edit, list, search, python, submit, refund, lookup
    task.toml:6:11: there is no tool `lokup`; did you mean "lookup"?
    "#);
}

#[test]
fn a_table_that_offers_nothing_is_an_error() {
    assert_snapshot!(wrong(&folder("[tools]\nallow = []\n")), @"task.toml:2:9: no tool is offered: the task can do nothing; without `allow` it is the standard set");
}

#[test]
fn what_is_required_can_be_called() {
    let folder =
        with("allow = [\"submit\"]\nrequire = [{ tool = \"refund\" }, { tool = \"bash\" }]");
    assert_snapshot!(wrong(&folder), @"task.toml:3:42: `bash` is required and not offered; `allow` does not have it");
}

#[test]
fn a_tool_of_a_server_may_be_named_where_there_is_one() {
    let rule = "require = [{ tool = \"mcp__store__put\" }]";
    let server = "\n[[environment.mcp_servers]]\nname = \"store\"\nurl = \"http://store/sse\"\n";
    let served = folder(&format!("[tools]\n{rule}\n{CUSTOM}{server}"));
    let found = rules(&served).require.unwrap();
    assert_eq!(found[0].tool, "mcp__store__put");
    assert!(wrong(&with(rule)).contains("there is no tool `mcp__store__put`"));
}

#[test]
fn submit_is_no_use_of_a_tool() {
    let folder = with(
        "
forbid = [{ tool = \"submit\" }]
require = [{ tool = \"submit\" }]
after = [[\"refund\", \"submit\"]]
",
    );
    assert_snapshot!(wrong(&folder), @r"
    task.toml:3:20: `submit` is no use of a tool; it ends the session; hidden checks can read its message
    task.toml:4:21: `submit` is no use of a tool; it ends the session; hidden checks can read its message
    task.toml:5:21: `submit` is no use of a tool; it ends the session; hidden checks can read its message
    ");
}

#[test]
fn patterns_are_compiled_when_a_task_is_loaded() {
    let folder = with("
forbid = [
  { command = \"x\" },
  { tool = \"bash\", command = \"git [log\" },
  { tool = \"read\", command = \"x\" },
  { tool = \"refund\", command = \"x\" },
  { tool = \"bash\", arguments = { a = { regex = \"(x\" }, b = { regex = 1 } } },
  { tool = \"bash\", arguments = { a = { any = [] }, b = { any = 1 } } },
  { tool = \"bash\", arguments = { a = { schema = { type = \"strin\" } }, b = { schema = true } } },
  { tool = \"bash\", arguments = { a = { schema = { \"$ref\" = \"https://example.org/x.json\" } } } },
]");
    assert_snapshot!(wrong(&folder), @r#"
        task.toml:4:3: an entry of `forbid` names no `tool`; like { tool = "bash" }
        task.toml:5:30: `git [log` is not a glob; unclosed character class; missing ']'
        task.toml:6:30: `read` has no argument `command`; so this matches no call
        task.toml:7:32: `refund` has no argument `command`; so this matches no call
        task.toml:8:48: `(x` is not a regular expression; unclosed group
        task.toml:8:70: `regex` cannot be read; a regular expression, as a string
        task.toml:9:46: `any` cannot be read; a list of values, not empty
        task.toml:9:64: `any` cannot be read; a list of values, not empty
        task.toml:10:49: this is not a JSON Schema; "strin" is not valid under any of the schemas listed in the 'anyOf' keyword
        task.toml:10:86: `schema` cannot be read; a JSON Schema, as a table
        task.toml:11:49: this is not a JSON Schema; Resource 'https://example.org/x.json' is not present in a registry and retrieving it failed: `resolve-http` feature or a custom resolver is required to resolve …
        "#);
}

#[test]
fn the_key_of_a_matcher_stands_alone() {
    let folder = with(
        "
forbid = [{ tool = \"bash\", arguments = { a = { regex = \"x\", flags = \"i\" } } }]
require = [{ tool = \"bash\", arguments = { a = { any = [1], schema = {} } } }]
",
    );
    assert_snapshot!(wrong(&folder), @r"
        task.toml:3:46: `regex` stands alone, and here `flags` is beside it; a table that is meant as a value: { any = [{ … }] }
        task.toml:4:47: `any` stands alone, and here `schema` is beside it; a table that is meant as a value: { any = [{ … }] }
        ");
}

#[test]
fn any_other_table_is_a_value() {
    let folder = with(
        "require = [{ tool = \"bash\", arguments = { a = { x = 1, y = [true, 1.5] }, b = { any = [{ regex = \"x\" }] }, c = \"x\" } }]",
    );
    let require = rules(&folder).require.unwrap();
    let matchers: Vec<&Matcher> = require[0].arguments.values().collect();
    assert_eq!(
        matchers,
        [
            &Matcher::Equal(json!({ "x": 1, "y": [true, 1.5] })),
            &Matcher::Any(vec![json!({ "regex": "x" })]),
            &Matcher::Equal(json!("x")),
        ]
    );
}

#[test]
fn what_json_has_not_is_an_error() {
    let folder = with("
forbid = [{ tool = \"bash\", arguments = { a = 2026-01-31, b = [1, { c = 07:30:00 }], d = { any = [1, nan] } } }]
");
    assert_snapshot!(wrong(&folder), @r#"
        task.toml:3:46: arguments are JSON, which has no dates; as a string: "2026-01-31"
        task.toml:3:72: arguments are JSON, which has no dates; as a string: "07:30:00"
        task.toml:3:101: JSON has no number NaN; a finite one
        "#);
}

#[test]
fn an_argument_that_no_call_can_have_is_told_with_the_nearest() {
    let folder =
        with("require = [{ tool = \"refund\", arguments = { ordr = \"A-17\", reason = \"x\" } }]");
    assert_snapshot!(wrong(&folder), @r"
        task.toml:2:52: `refund` has no argument `ordr`; did you mean `order`?
        task.toml:2:69: `refund` has no argument `reason`; its schema has cents, order
        ");
    // A schema that is open takes any.
    let open = with("require = [{ tool = \"refund\", arguments = { ordr = \"A-17\" } }]")
        .file("tools/refund.json", "{ \"type\": \"object\" }");
    assert_eq!(wrong(&open), "nothing");
}

#[test]
fn an_entry_of_after_is_a_pair_of_two_tools() {
    let folder = with(
        "after = [[\"lookup\"], [\"refund\", \"refund\"], [\"lookup\", \"refund\"], [\"lookup\", \"refund\"]]",
    );
    assert_snapshot!(wrong(&folder), @r#"
        task.toml:2:10: an entry of `after` is a pair of tools; ["the first", "the one that follows"]
        task.toml:2:22: `refund` cannot come before itself; two tools
        task.toml:2:66: this pair stands twice in `after`; once is enough
        "#);
}

#[test]
fn globs_over_paths_could_name_one() {
    let folder = with(
        "
forbid_read = [\"\", \"a/../b\", \"/srv/[x\", \"//srv/x\", \"./a.txt\"]
write_scope = [\"src/\", \"src/**\"]
",
    );
    assert_snapshot!(wrong(&folder), @r#"
        task.toml:3:16: an entry of `forbid_read` says nothing
        task.toml:3:20: `a/../b` names no path; an absolute glob, or one from the work tree, without `..`
        task.toml:3:30: `/srv/[x` is not a glob; unclosed character class; missing ']'
        task.toml:3:41: `//srv/x` names no path; an absolute glob, or one from the work tree, without `..`
        task.toml:4:16: `src/` names no file; all below a folder is "src/**"
        "#);
}

#[test]
fn files_are_a_folder_of_the_task_without_what_is_hidden() {
    let of = |files: &str| wrong(&with(&format!("files = \"{files}\"")));
    assert_eq!(of("tools"), "nothing");
    assert_snapshot!(of("../tools"), @"task.toml:2:9: `files` must be a path inside the task's folder; no absolute path, no `..`");
    assert_snapshot!(of("missing"), @"task.toml:2:9: `missing` cannot be read: No such file or directory (os error 2); looked for in the task's folder");
    assert_snapshot!(of("tools/refund.py"), @"task.toml:2:9: `tools/refund.py` is not a folder; a folder of programs and state");
    assert_snapshot!(of("."), @"task.toml:2:9: `.` has the task's own files in it; tools run where an agent's calls go: a folder of their own");
    assert_snapshot!(of("tests"), @"task.toml:2:9: `tests` has the tests in it; tools run where an agent's calls go: a folder of their own");
    assert_snapshot!(of("solution"), @"task.toml:2:9: `solution` has the solution in it; tools run where an agent's calls go: a folder of their own");
    let hidden = "[verification]\noverlay = \"tools/hidden\"\nfail_to_pass = [\"a\"]\n[tools]\nfiles = \"tools\"\n";
    let folder = folder(&format!("{hidden}{CUSTOM}")).file("tools/hidden/test_a.py", "");
    assert_snapshot!(wrong(&folder), @"task.toml:5:9: `tools` has the hidden files in it; tools run where an agent's calls go: a folder of their own");
}

#[test]
fn files_without_tools_of_the_tasks_own_say_nothing() {
    let task = folder("[tools]\nfiles = \"tools\"\n").load().unwrap();
    assert!(
        task.warnings[0].ends_with("so this says nothing"),
        "{:?}",
        task.warnings
    );
}

#[test]
fn a_tool_of_the_tasks_own_needs_no_files() {
    let tool = "[[tools.custom]]\nname = \"now\"\ndescription = \"The time.\"\nparameters = \"tools/refund.json\"\ncommand = [\"date\"]\n";
    let rules = rules(&folder(tool));
    assert_eq!((rules.custom.len(), rules.files), (1, None));
}

#[test]
fn a_tool_of_the_tasks_own_is_whole() {
    let broken = "
[[tools.custom]]

[[tools.custom]]
name = \"Refund\"
description = \" \"
parameters = \"tools\"
command = []

[[tools.custom]]
name = \"bash\"
description = \"x\"
parameters = \"tools/none.json\"
command = [\"\"]

[[tools.custom]]
name = \"refund\"
description = \"x\"
parameters = \"tools/refund.json\"
command = [\"x\"]

[[tools.custom]]
name = \"refund\"
description = \"x\"
parameters = \"../x.json\"
command = [\"x\"]
";
    assert_snapshot!(wrong(&folder(broken)), @r"
        task.toml:2:1: a tool in [[tools.custom]] has no `name`
        task.toml:2:1: a tool in [[tools.custom]] has no `description`; it is what a model reads of the tool
        task.toml:2:1: a tool in [[tools.custom]] has no `parameters`; a file with the JSON Schema of its arguments
        task.toml:2:1: a tool in [[tools.custom]] has no `command`; a list: the program, then its arguments
        task.toml:5:8: `Refund` cannot be a tool's name; a small letter, then small letters, digits and `_`, at most 64
        task.toml:6:15: the `description` of `Refund` says nothing; it is what a model reads of the tool
        task.toml:7:14: `tools` is not a file; a file with a JSON Schema
        task.toml:8:11: `Refund` has no `command`; a list: the program, then its arguments
        task.toml:11:8: `bash` is a tool of the standard set; another name, so that rules say which is meant
        task.toml:13:14: `tools/none.json` cannot be read: No such file or directory (os error 2); looked for in the task's folder
        task.toml:14:11: `bash` has no `command`; a list: the program, then its arguments
        task.toml:23:8: two tools are called `refund`
        task.toml:25:14: `parameters` must be a path inside the task's folder; no absolute path, no `..`
        ");
    let long = CUSTOM.replace("\"lookup\"", &format!("\"{}\"", "a".repeat(65)));
    assert!(wrong(&folder(&long)).contains("cannot be a tool's name"));
}

#[test]
fn the_schema_of_arguments_is_one_and_of_an_object() {
    let of = |schema: &str| {
        let told = wrong(&with("").file("tools/refund.json", schema));
        // Both tools have this one.
        told.lines().next().unwrap_or_default().to_owned()
    };
    assert_snapshot!(of("{ \"type\": \"object\", }"), @"task.toml:7:14: `tools/refund.json` is not JSON; trailing comma at line 1 column 21");
    assert_snapshot!(of("{ \"type\": \"objekt\" }"), @r#"task.toml:7:14: `tools/refund.json` is not a JSON Schema; "objekt" is not valid under any of the schemas listed in the 'anyOf' keyword"#);
    assert_snapshot!(of("{ \"type\": \"array\" }"), @r#"task.toml:7:14: `tools/refund.json` is not the schema of an object; arguments have names: its root needs "type": "object""#);
    assert_snapshot!(of("true"), @r#"task.toml:7:14: `tools/refund.json` is not the schema of an object; arguments have names: its root needs "type": "object""#);
    assert_snapshot!(of("{ \"type\": \"object\", \"properties\": { \"a\": { \"$ref\": \"#/$defs/a\" } } }"), @"task.toml:7:14: `tools/refund.json` is not a JSON Schema; Pointer '/$defs/a' does not exist");
}

#[test]
fn an_unknown_key_of_an_entry_is_an_error() {
    let folder = with("require = [{ tool = \"refund\", argument = { order = \"A\" } }]");
    assert_snapshot!(wrong(&folder), @"task.toml:2:31: unknown key `argument` in [[tools.require]]; did you mean `arguments`?");
}
