//! From raw tables to a task: which values are right, what they mean, and what
//! this version cannot do.
//!
//! What is not built is refused where leaving it out would change a verdict,
//! and only warned of where it would not.

mod agent_side;
mod call_patterns;
mod checker;
mod custom_tools;
mod environment;
mod servers;
mod services;
mod steps;
mod tools;
mod verification;
mod verifier_side;

pub use checker::Checker;
pub use services::{MAIN_IMAGE, settled};

use std::collections::BTreeSet;
use std::path::Path;

use super::raw::{AgentTable, EnvironmentTable, ScenarioTable, TaskToml};
use super::read::Parts;
use super::{Environment, Format, Scenario, Step, Task, Verification, compose};
use crate::record::TaskId;
use environment::Described;
use verification::Context;
use verifier_side::{Side, Tables};

/// The task that the tables describe; meant only where the checker found no problem.
pub fn task(raw: TaskToml, parts: Parts<'_>, check: &mut Checker<'_>) -> Task {
    let ours = raw.ours();
    note_version(&raw, check);
    let id = name(&raw, &parts, check);
    let scenario = scenario(&raw, check);
    let environment_table = raw.environment.clone().unwrap_or_default();
    let agent_table = raw.agent.clone().unwrap_or_default();
    let verifier = raw.verifier.clone().unwrap_or_default();
    let environment = of_agent(&environment_table, &agent_table, ours, check);
    check.services = known_services(&environment, check.dir());
    let repo = raw
        .repo
        .as_ref()
        .and_then(|repo| agent_side::repo(repo, check));
    let has_steps = raw.steps.as_ref().is_some_and(|steps| !steps.is_empty());
    let tables = Tables {
        verifier: &verifier,
        environment: &environment_table,
        ours,
    };
    let context = |tests_in_image| Context {
        environment: &environment_table,
        has_repo: raw.repo.is_some(),
        has_steps,
        tests_in_image,
        ours,
    };
    let separate = match has_steps {
        true => None,
        false => tables.separate(None, check),
    };
    let in_image = separate.as_ref().is_some_and(|own| own.has_tests);
    let table = raw.verification.as_ref();
    let verification = Verification {
        separate,
        ..verification::verification(table, &verifier, context(in_image), check)
    };
    let served = !environment.mcp_servers.is_empty();
    let tools = tools::rules(raw.tools.as_ref(), &verification.hidden, served, check);
    let side = Side {
        tables,
        base: &verification,
        agent_network: environment.network,
    };
    let steps = steps::steps(&raw, &parts, &side, check);
    let solution = solution(check);
    let artifacts = servers::artifacts(raw.artifacts.as_deref(), "artifacts".into(), check);
    let solution_env = raw.solution.clone().and_then(|solution| solution.env);
    Task {
        id,
        dir: parts.dir.to_path_buf(),
        instruction: instruction(&parts, &steps, check),
        source: parts.source,
        digest: parts.digest,
        reward_strategy: steps::strategy(&raw, check),
        description: raw
            .task
            .and_then(|task| task.description)
            .unwrap_or_default(),
        agent: agent_side::agent_rules(&agent_table, check),
        environment,
        scenario: with_cluster(scenario, repo.as_ref()),
        repo,
        verification,
        tools,
        format: match ours {
            true => Format::Proofyard,
            false => Format::Harbor,
        },
        solution: solution.or_else(|| steps.first().and_then(|step| step.solution.clone())),
        steps,
        artifacts,
        official: None,
        solution_env: check.env("solution.env", solution_env),
        warnings: Vec::new(),
    }
}

/// The agent's environment: `[environment]`, and what `[agent]` says of its network.
fn of_agent(
    table: &EnvironmentTable,
    agent: &AgentTable,
    ours: bool,
    check: &mut Checker<'_>,
) -> Environment {
    let folder = check.dir().join("environment");
    let described = Described {
        table: "environment".into(),
        folder: &folder,
        uploads: true,
        ours,
    };
    let own = environment::environment(table, described, check);
    let hosts = agent.allowed_hosts.as_deref();
    let network = environment::network_mode("agent", agent.network_mode, hosts, check);
    Environment {
        network_is_said: own.network_is_said || network.is_some(),
        network: network.unwrap_or(own.network),
        ..own
    }
}

/// The services that a task has, its sandbox among them; none without a compose file,
/// and not known where that is not right.
fn known_services(environment: &Environment, dir: &Path) -> Option<BTreeSet<String>> {
    let file = compose::of_harbor(&dir.join("environment"));
    match (&environment.services, file) {
        (Some(services), _) => {
            let beside = services.beside().map(|(name, _)| name.clone());
            Some(beside.chain([services.main.clone()]).collect())
        }
        (None, None) => Some(BTreeSet::new()),
        (None, Some(_)) => None,
    }
}

/// What the agent is told; of a task with steps at its first one.
fn instruction(parts: &Parts<'_>, steps: &[Step], check: &mut Checker<'_>) -> String {
    match (&parts.instruction, steps.first()) {
        (_, Some(step)) => step.instruction.clone(),
        (Some(told), None) => told.clone(),
        (None, None) => {
            check.file_problem("the task has no instruction.md, which is what the agent is told");
            String::new()
        }
    }
}

/// `[task].name`, else the folder's name.
fn name(raw: &TaskToml, parts: &Parts<'_>, check: &mut Checker<'_>) -> TaskId {
    if let Some(name) = raw.task.as_ref().and_then(|task| task.name.as_ref()) {
        if !is_name(name) {
            check.wrong(
                "task.name",
                format!("`{name}` is not the name of a task"),
                "it is two parts with `/` between, of letters, digits, `.`, `_` and `-`",
            );
        }
        return TaskId::new(name);
    }
    let folder = parts.dir.file_name().unwrap_or_default();
    match folder.to_str() {
        Some(name) if !name.is_empty() && !name.chars().any(char::is_control) => TaskId::new(name),
        _ => {
            check.file_problem(format!(
                "the folder's name {folder:?} cannot be a task's name: set `name` in [task]"
            ));
            TaskId::new("")
        }
    }
}

/// Harbor's rule: `org/name`, each from `[a-zA-Z0-9][a-zA-Z0-9._-]*`, no `..`.
fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|sign: char| sign.is_ascii_alphanumeric())
            && part
                .chars()
                .all(|sign| sign.is_ascii_alphanumeric() || "._-".contains(sign))
    };
    match name.split_once('/') {
        Some((org, name)) => part(org) && part(name) && !name.contains("..") && !org.contains(".."),
        None => false,
    }
}

fn scenario(raw: &TaskToml, check: &mut Checker<'_>) -> Scenario {
    let empty = ScenarioTable::default();
    let table = raw.scenario.as_ref().unwrap_or(&empty);
    if let Some(weight) = table.weight
        && !(weight.is_finite() && weight > 0.0)
    {
        check.wrong(
            "scenario.weight",
            "`weight` in [scenario] must be more than 0",
            "a finite number",
        );
    }
    let metadata = raw.metadata.as_ref();
    let difficulty = metadata
        .and_then(|metadata| metadata.get("difficulty"))
        .and_then(|value| value.as_str())
        .map(str::to_string);
    let tags = metadata
        .and_then(|metadata| metadata.get("tags"))
        .and_then(|value| value.as_array())
        .map(|tags| {
            tags.iter()
                .filter_map(|tag| tag.as_str().map(str::to_string))
                .collect()
        });
    let keywords = raw.task.as_ref().and_then(|task| task.keywords.clone());
    Scenario {
        name: table.name.clone(),
        cluster: table.cluster.clone(),
        difficulty: table.difficulty.clone().or(difficulty),
        tags: table.tags.clone().or(tags).or(keywords).unwrap_or_default(),
    }
}

/// Tasks on the same repository are one cluster, unless the task says otherwise.
fn with_cluster(scenario: Scenario, repo: Option<&super::Repo>) -> Scenario {
    let url = repo.and_then(|repo| match &repo.source {
        super::RepoSource::Url(url) => Some(url.clone()),
        _ => None,
    });
    Scenario {
        cluster: scenario.cluster.or(url),
        ..scenario
    }
}

/// `solution/` with a `solve.sh`, or with the calls of a script.
fn solution(check: &mut Checker<'_>) -> Option<std::path::PathBuf> {
    let dir = check.dir().join("solution");
    let ways = ["solve.sh", "calls.jsonl"];
    if ways.iter().any(|way| dir.join(way).is_file()) {
        return Some(dir);
    }
    if dir.exists() {
        check.warn_of_file(
            "solution/ has no solve.sh and no calls.jsonl, so the task has no reference solution",
        );
    }
    None
}

/// Versions that are not known are read as the newest one that is.
fn note_version(raw: &TaskToml, check: &mut Checker<'_>) {
    let version = raw.schema_version.as_ref().or(raw.version.as_ref());
    if let Some(version) = version
        && !version.starts_with("1.")
    {
        let key = match raw.schema_version {
            Some(_) => "schema_version",
            None => "version",
        };
        check.warn(
            key,
            format!("schema version {version} is not known; read as 1.4"),
        );
    }
}
