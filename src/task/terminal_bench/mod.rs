//! Terminal-Bench 1: a folder with `task.yaml`, read in place.
//!
//! Owns which files of such a folder are what, and what its keys mean. Must not know
//! how terminals are played or how tests are judged.
//!
//! `source` reads values with their places, `fields` is the keys of `task.yaml`,
//! `commands` those of `solution.yaml`, `place` the image and the services.

mod commands;
mod fields;
mod place;
mod source;
#[cfg(test)]
mod tests;

pub use commands::{Command, commands};

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::folder::{self, Bounds};
use super::load::without_canary;
use super::{
    AgentRules, Format, Hidden, Network, Runner, Scenario, Task, TaskError, ToolRules,
    Verification, compose, digest,
};
use crate::diagnose::Problem;
use crate::record::{Sees, Strategy, TaskId};
use fields::Fields;
use source::{Source, whole};

/// What makes a folder such a task.
pub const FILE: &str = "task.yaml";
/// Tests and what runs them, and where they lie.
const TESTS: &str = "tests";
const RUN_TESTS: &str = "run-tests.sh";
const TEST_DIR: &str = "/tests";
/// Solutions, the first that is there.
const SOLUTIONS: [&str; 2] = ["solution.sh", "solution.yaml"];
/// Who runs tests in a shell of their own.
const TESTER: &str = "root";

/// What reads the text that tests show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parser {
    Pytest,
    SweBench,
    SweLancer,
    MleBench,
    SwePerf,
}

impl Parser {
    pub const ALL: [Self; 5] = [
        Self::Pytest,
        Self::SweBench,
        Self::SweLancer,
        Self::MleBench,
        Self::SwePerf,
    ];

    /// As `parser_name` names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pytest => "pytest",
            Self::SweBench => "swebench",
            Self::SweLancer => "swelancer",
            Self::MleBench => "mlebench",
            Self::SwePerf => "sweperf",
        }
    }

    /// The parser of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|parser| parser.name() == name)
    }
}

/// Loads the task in a folder; its `source` is the path as given.
///
/// # Errors
/// As of [`super::load`]; everything that is wrong in `task.yaml`, the compose file and
/// `solution.yaml` at once.
pub fn load(path: &Path) -> Result<Task, TaskError> {
    let entries = folder::scan(path, Bounds::default())?;
    let dir = fs::canonicalize(path).map_err(|source| folder::read_error(path, source))?;
    let invalid = |problems| TaskError::Invalid { problems };
    let file = path.join(FILE);
    let text = compose::load(&file, &file).map_err(|problem| invalid(vec![*problem]))?;
    let mut source = Source::new(&text);
    let fields = fields::fields(&mut source).map_err(|problem| invalid(vec![*problem]))?;
    let Source {
        mut problems,
        mut warnings,
        ..
    } = source;
    let id = name(&dir, &mut problems);
    let place = place::place(&dir, path, &id, &mut problems, &mut warnings);
    let shared = fields.as_ref().is_some_and(|fields| fields.same_shell);
    let solution = solution(&dir, path, shared, &mut problems, &mut warnings);
    if !dir.join(RUN_TESTS).is_file() {
        let message = format!(
            "nothing verifies the task: there is no {}",
            path.join(RUN_TESTS).display()
        );
        problems.push(Problem::new(message));
    }
    let (Some(fields), Some(place), true) = (fields, place, problems.is_empty()) else {
        problems.sort_by_key(|problem| (whole(problem), problem.place()));
        return Err(invalid(problems));
    };
    Ok(Task {
        id: TaskId::new(&id),
        source: path.display().to_string(),
        digest: digest::digest(&dir, &entries)?,
        instruction: without_canary(&fields.instruction).to_owned(),
        description: String::new(),
        agent: AgentRules {
            timeout: Some(fields.agent_timeout),
            user: None,
        },
        repo: None,
        verification: verification(&dir, &fields, place.services.is_none()),
        environment: place,
        tools: ToolRules::default(),
        scenario: Scenario {
            name: Some(fields.category),
            cluster: None,
            difficulty: Some(fields.difficulty),
            tags: fields.tags,
        },
        format: Format::TerminalBench,
        steps: Vec::new(),
        reward_strategy: Strategy::Mean,
        artifacts: Vec::new(),
        solution,
        solution_env: BTreeMap::new(),
        official: None,
        warnings,
        dir,
    })
}

/// The folder's name, dots and all.
fn name(dir: &Path, problems: &mut Vec<Problem>) -> String {
    let folder = dir.file_name().unwrap_or_default();
    match folder.to_str() {
        Some(name) if !name.is_empty() && !name.chars().any(char::is_control) => name.to_owned(),
        _ => {
            let message = format!("the folder's name {folder:?} cannot be a task's name");
            problems.push(Problem::new(message).note("rename the folder"));
            String::new()
        }
    }
}

/// What verifies a task. `alone`: no compose file says which variables tests find.
fn verification(dir: &Path, fields: &Fields, alone: bool) -> Verification {
    let mut hidden = vec![dir.join(RUN_TESTS)];
    hidden.extend(Some(dir.join(TESTS)).filter(|tests| tests.is_dir()));
    let mut env = place::told();
    if alone {
        // As the format's own template for compose files has it.
        env.insert("TEST_DIR".to_owned(), TEST_DIR.to_owned());
    }
    Verification {
        sees: Sees::Files,
        carry: Vec::new(),
        include_ignored: false,
        may_change: Vec::new(),
        hold: true,
        fixed: false,
        services: Vec::new(),
        answers: Vec::new(),
        runner: Runner::TerminalBench(fields.parser),
        enter: None,
        targets: Vec::new(),
        names: None,
        build: None,
        command: None,
        hidden: Hidden::Overlay(hidden),
        altered: None,
        fail_to_pass: Vec::new(),
        pass_to_pass: Vec::new(),
        resolved_at: 1.0,
        user: Some(TESTER.to_owned()),
        network: Network::Full,
        timeout: fields.test_timeout,
        env,
        separate: None,
        collect: Vec::new(),
        same_shell: fields.same_shell,
    }
}

/// The file of the solution, where there is one. `shared`: tests run in the agent's shell.
fn solution(
    dir: &Path,
    shown: &Path,
    shared: bool,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<String>,
) -> Option<PathBuf> {
    let found = SOLUTIONS.iter().find(|name| dir.join(name).is_file());
    let Some(name) = found else {
        warnings.push(format!(
            "{}: there is no {}, so the task has no reference solution",
            shown.display(),
            SOLUTIONS.join(" and no ")
        ));
        return None;
    };
    let path = dir.join(name);
    if *name == "solution.yaml" {
        match commands::read(&path, &shown.join(name)) {
            Ok((commands, told)) => {
                warnings.extend(told);
                if shared && !commands.iter().all(Command::ends) {
                    warnings.push(format!(
                        "{}: it types what nobody waits for, so it gets a terminal of its own: tests in the agent's shell do not find what it sets",
                        shown.join(name).display()
                    ));
                }
            }
            Err(found) => problems.extend(found),
        }
    }
    Some(path)
}

/// Files and folders of a task that are never shown to an agent, by name.
pub(super) const SECRET: [&str; 5] = [RUN_TESTS, TESTS, "solution.sh", "solution.yaml", FILE];
