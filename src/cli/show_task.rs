//! `proofyard show TASK`: what a task asks, and how it is verified.

use std::time::Duration;

use super::list::{runner, sees};
use super::show_parts;
use crate::diagnose::printable;
use crate::task::{
    CallPattern, Environment, Hidden, History, ImageSource, Network, Repo, RepoSource, Runner,
    Task, ToolPlace, Verification,
};

/// Most rules of a kind that are shown.
const MOST_RULES: usize = 4;

/// The text that `show` prints of a task. Variables are named without their
/// values, which may be secrets of this machine.
pub fn show_task(task: &Task) -> String {
    let mut out = format!("{}   {}\n", task.id, task.source);
    if !task.description.is_empty() {
        out.push_str(&format!("  {}\n", task.description));
    }
    out.push('\n');
    let facts = facts(task);
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        let value = value.replace('\n', " ");
        out.push_str(&format!("  {name:<width$}   {value}\n"));
    }
    match task.steps.as_slice() {
        [] => instruction("instruction", &task.instruction, &mut out),
        steps => {
            for step in steps {
                let title = format!("instruction of {}", step.name);
                instruction(&title, &step.instruction, &mut out);
            }
        }
    }
    if !task.warnings.is_empty() {
        out.push_str("\nwarnings\n");
        for warning in &task.warnings {
            out.push_str(&format!("  {warning}\n"));
        }
    }
    printable(&out)
}

fn instruction(title: &str, told: &str, out: &mut String) {
    out.push_str(&format!("\n{title}\n"));
    for line in told.trim_end().lines() {
        out.push_str(format!("  {line}").trim_end());
        out.push('\n');
    }
}

fn facts(task: &Task) -> Vec<(&'static str, String)> {
    let scenario = &task.scenario;
    let groups = [scenario.name.clone(), scenario.difficulty.clone()];
    let groups = groups.into_iter().flatten().chain(scenario.tags.clone());
    let mut facts = vec![
        ("verified by", verified_by(task)),
        ("official", official(task)),
        ("hidden files", hidden_files(task)),
        (
            "repo",
            task.repo
                .as_ref()
                .map(|repo| repo_line(repo, task))
                .unwrap_or_default(),
        ),
        ("image", image(task)),
        ("agent", agent(task)),
        ("own tools", own_tools(task)),
        ("required", required(task)),
        ("forbidden", forbidden(task)),
        ("order", order(task)),
        ("writes", writes(task)),
        ("limits", limits(&task.environment)),
        ("variables", names(&task.environment.env)),
    ];
    facts.extend(show_parts::rows(task));
    facts.extend([
        ("scenario", groups.collect::<Vec<_>>().join(" · ")),
        ("solution", solution(task)),
        ("format", task.format.name().to_string()),
        ("digest", task.digest.to_string()),
    ]);
    facts
}

/// Of an instance: what its data set's own rules go by.
fn official(task: &Task) -> String {
    let Some(official) = &task.official else {
        return String::new();
    };
    format!(
        "{} {} · parser {} · {} fail_to_pass, {} pass_to_pass · {}",
        official.repo,
        official.version,
        official.log_parser.as_deref().unwrap_or("none"),
        official.fail_to_pass.len(),
        official.pass_to_pass.len(),
        clock(official.timeout)
    )
}

fn names(env: &std::collections::BTreeMap<String, String>) -> String {
    env.keys().cloned().collect::<Vec<_>>().join(", ")
}

fn verified_by(task: &Task) -> String {
    let verification = &task.verification;
    let expected = match verification.runner {
        Runner::Script => format!("a reward from {}", verification.resolved_at),
        Runner::TerminalBench(parser) => format!("what {} says of its tests", parser.name()),
        _ => format!(
            "{} fail_to_pass, {} pass_to_pass",
            verification.fail_to_pass.len(),
            verification.pass_to_pass.len()
        ),
    };
    let mut line = format!(
        "{}, sees {} · {expected} · {} · network {}",
        runner(task),
        sees_in_full(task, verification),
        clock(verification.timeout),
        network(&verification.network)
    );
    if let Some(user) = &verification.user {
        line.push_str(&format!(" · user {user}"));
    }
    if verification.build.is_some() {
        line.push_str(" · after a build");
    }
    line
}

fn sees_in_full(task: &Task, verification: &Verification) -> String {
    match verification.carry.as_slice() {
        [] => sees(task).to_string(),
        roots => format!("{} of {}", sees(task), roots.join(", ")),
    }
}

fn hidden_files(task: &Task) -> String {
    let separate = task.verification.separate.as_ref();
    if separate.is_some_and(|own| own.has_tests) {
        return "in the verifier's own image".to_string();
    }
    if !task.steps.is_empty() {
        return "of each step, over the task's · at /tests".to_string();
    }
    let (paths, how) = match &task.verification.hidden {
        Hidden::Overlay(paths) if task.repo.is_some() => (paths.as_slice(), "over the work tree"),
        Hidden::Overlay(paths) => (paths.as_slice(), "at /tests"),
        Hidden::Patch(path) => (std::slice::from_ref(path), "a patch"),
    };
    let paths: Vec<String> = paths.iter().map(|path| below(task, path)).collect();
    format!("{} · {how}", paths.join(", "))
}

/// A path as it lies in the task's folder.
pub fn below(task: &Task, path: &std::path::Path) -> String {
    path.strip_prefix(&task.dir)
        .unwrap_or(path)
        .display()
        .to_string()
}

fn repo_line(repo: &Repo, task: &Task) -> String {
    let source = match &repo.source {
        RepoSource::Folder(path) => format!("{}, as one commit", below(task, path)),
        RepoSource::Bundle(path) => below(task, path),
        RepoSource::Url(url) => url.clone(),
        RepoSource::Image => "the image's own work tree".to_owned(),
    };
    let commit = repo
        .commit
        .as_deref()
        .map(|commit| format!(" at {commit:.12}"));
    let history = match (&repo.source, repo.history) {
        (RepoSource::Folder(_), _) => "",
        (_, History::Ancestors) => " · with its ancestors",
        (_, History::None) => " · without its history",
    };
    let workdir = repo
        .workdir
        .as_deref()
        .map(|workdir| format!(" · in {workdir}"));
    format!(
        "{source}{}{history}{}",
        commit.unwrap_or_default(),
        workdir.unwrap_or_default()
    )
}

fn image(task: &Task) -> String {
    source(task, &task.environment.image)
}

/// What an image is made from.
pub fn source(task: &Task, image: &ImageSource) -> String {
    match image {
        ImageSource::Dockerfile(folder) => format!("{}/Dockerfile", below(task, folder)),
        ImageSource::Build(build) => match (&build.dockerfile, &build.inline) {
            (Some(file), _) => below(task, file),
            (None, Some(_)) => "a text of the compose file".to_string(),
            (None, None) => below(task, &build.context.join("Dockerfile")),
        },
        ImageSource::Named(name) => name.clone(),
        ImageSource::Instance(image) => {
            let built = image.built.as_ref().map(|_| "built of its specification");
            let names = image.names.iter().map(String::as_str);
            names.chain(built).collect::<Vec<_>>().join(", else ")
        }
    }
}

fn agent(task: &Task) -> String {
    let mut parts = vec![match task.agent.timeout {
        Some(timeout) => clock(timeout),
        None => "no time limit".to_string(),
    }];
    parts.push(format!("network {}", network(&task.environment.network)));
    parts.extend(task.agent.user.as_ref().map(|user| format!("user {user}")));
    if let Some(allow) = &task.tools.allow {
        parts.push(format!("tools {}", allow.join(", ")));
    }
    parts.join(" · ")
}

fn own_tools(task: &Task) -> String {
    let rules = &task.tools;
    if rules.custom.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = rules.custom.iter().map(|tool| tool.name.as_str()).collect();
    let files = rules
        .files
        .as_deref()
        .map(|files| format!(" · {} at /tools", below(task, files)));
    let place = match rules.place {
        ToolPlace::Beside => "beside the agent's sandbox",
        ToolPlace::Inside => "inside the agent's sandbox",
    };
    format!(
        "{}{} · {place}",
        names.join(", "),
        files.unwrap_or_default()
    )
}

fn required(task: &Task) -> String {
    match task.tools.require.as_deref() {
        None => String::new(),
        Some([]) => "no call".to_string(),
        Some(patterns) => some(patterns.iter().map(CallPattern::to_string)),
    }
}

fn forbidden(task: &Task) -> String {
    let rules = &task.tools;
    let calls = some(rules.forbid.iter().map(CallPattern::to_string));
    let reads = some(rules.forbid_read.iter().cloned());
    let reads = match reads.as_str() {
        "" => reads,
        paths => format!("reading {paths}"),
    };
    let both = [calls, reads].into_iter().filter(|part| !part.is_empty());
    both.collect::<Vec<_>>().join(" · ")
}

fn order(task: &Task) -> String {
    let pairs = task.tools.after.iter();
    some(pairs.map(|(first, second)| format!("{first} before {second}")))
}

fn writes(task: &Task) -> String {
    match task.tools.write_scope.as_deref() {
        None => String::new(),
        Some([]) => "nowhere".to_string(),
        Some(globs) => format!("only {}", some(globs.iter().cloned())),
    }
}

/// The first few of a list, and how many more there are.
fn some(all: impl ExactSizeIterator<Item = String>) -> String {
    let more = all.len().saturating_sub(MOST_RULES);
    let mut shown: Vec<String> = all.take(MOST_RULES).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join("; ")
}

fn solution(task: &Task) -> String {
    let ways = ["solve.sh", "calls.jsonl"];
    let found = task.solution.as_ref().and_then(|dir| {
        if dir.is_file() {
            return Some(below(task, dir));
        }
        let way = ways.iter().find(|way| dir.join(way).is_file())?;
        Some(below(task, &dir.join(way)))
    });
    found.unwrap_or_else(|| "none".to_string())
}

/// As `task.toml` names it.
pub fn network(network: &Network) -> &'static str {
    match network {
        Network::None => "none",
        Network::Full => "full",
    }
}

/// What an environment may take of the machine, where it says so.
pub fn limits(environment: &Environment) -> String {
    let size = |bytes: u64, what: &str| format!("{} MB {what}", bytes >> 20);
    let parts = [
        environment.cpus.map(|cpus| format!("{cpus} cpu")),
        environment.memory_bytes.map(|bytes| size(bytes, "memory")),
        environment.storage_bytes.map(|bytes| size(bytes, "disk")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Minutes and seconds, with hours where there are any.
pub fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::task::{Kind, load, scaffold};

    #[test]
    fn a_task_is_shown_with_what_it_asks_and_how_it_is_verified() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("suite/titles");
        scaffold(&dir, Kind::Repo).unwrap();
        let mut task = load(&dir).unwrap();
        task.source = "suite/titles".into();
        task.warnings.push("some \x1b[31mwarning".into());
        task.environment.env.insert("TOKEN".into(), "secret".into());
        task.digest = crate::record::Digest::new("sha256:00");
        assert_snapshot!(show_task(&task), @r#"
            suite/titles   suite/titles
              Titles keep their small words small

              verified by    pytest, sees patch · 3 fail_to_pass, 2 pass_to_pass · 2:00 · network none
              hidden files   tests/files · over the work tree
              repo           repo, as one commit · in /workspace
              image          environment/Dockerfile
              agent          10:00 · network none
              limits         1 cpu · 512 MB memory
              variables      TOKEN
              scenario       repo · easy · python
              solution       solution/solve.sh
              format         proofyard
              digest         sha256:00

            instruction
              # Small words in titles

              `titles.title()` capitalises every word. It should follow the usual rules instead:

              - The words `a`, `an`, `and`, `of`, `or`, `the` and `to` are written small,
              - unless they are the first or the last word of the title.
              - Words that hyphens join are words of their own: `state-of-the-art` at the end of a title is `State-of-the-Art`.

              All other words are capitalised as they are now. A text without words stays as it is.

            warnings
              some ?[31mwarning
            "#);
    }

    #[test]
    fn rules_of_tools_are_shown_briefly() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("suite/refunds");
        scaffold(&dir, Kind::Terminal).unwrap();
        let toml = std::fs::read_to_string(dir.join("task.toml")).unwrap();
        let rules = r#"
[tools]
allow = ["submit"]
forbid = [{ tool = "bash", command = "*rm *" }, { tool = "refund", arguments = { order = { regex = "^B-" } } }]
forbid_read = ["/srv/private/**"]
require = [
    { tool = "refund", arguments = { order = "A-17", cents = 1250 } },
    { tool = "lookup" }, { tool = "lookup" }, { tool = "lookup" }, { tool = "lookup" }, { tool = "lookup" },
]
after = [["lookup", "refund"]]
write_scope = []
files = "tools"
[[tools.custom]]
name = "refund"
description = "Refund an order."
parameters = "tools/any.json"
command = ["python3", "/tools/refund.py"]
[[tools.custom]]
name = "lookup"
description = "Look up."
parameters = "tools/any.json"
command = ["python3", "/tools/lookup.py"]
"#;
        std::fs::write(dir.join("task.toml"), toml + rules).unwrap();
        std::fs::create_dir(dir.join("tools")).unwrap();
        std::fs::write(dir.join("tools/any.json"), "{ \"type\": \"object\" }").unwrap();
        std::fs::remove_file(dir.join("solution/solve.sh")).unwrap();
        std::fs::write(dir.join("solution/calls.jsonl"), "").unwrap();
        let shown = show_task(&load(&dir).unwrap());
        let ruled = [
            "agent",
            "own tools",
            "required",
            "forbidden",
            "order",
            "writes",
            "solution",
        ];
        let lines = shown.lines().filter(|line| {
            let line = line.trim_start();
            ruled
                .iter()
                .any(|name| line.starts_with(&format!("{name}  ")))
        });
        assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
            agent          10:00 · network none · tools submit
            own tools      refund, lookup · tools at /tools · beside the agent's sandbox
            required       `refund` with cents = 1250 and order = "A-17"; `lookup`; `lookup`; `lookup`; and 2 more
            forbidden      `bash` with command like `*rm *`; `refund` with order matching /^B-/ · reading /srv/private/**
            order          lookup before refund
            writes         nowhere
            solution       solution/calls.jsonl
            "#);
    }
}
