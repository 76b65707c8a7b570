//! `[verifier]`: Harbor's side of verification, of the task and of each of its steps.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Checker;
use super::environment::{Described, environment, image_name, network_mode};
use super::servers::collects;
use crate::diagnose::KeyPath;
use crate::task::raw::{EnvironmentMode, EnvironmentTable, NetworkMode, VerifierTable};
use crate::task::{Environment, Hidden, Network, Runner, Separate, Verification, compose};

/// Harbor's default.
pub const TIMEOUT: Duration = Duration::from_secs(600);

/// The task's own tables, which stand in for what a step does not say.
#[derive(Clone, Copy)]
pub struct Tables<'a> {
    /// `[verifier]`.
    pub verifier: &'a VerifierTable,
    /// `[environment]`.
    pub environment: &'a EnvironmentTable,
    pub ours: bool,
}

/// What the verifications of all steps have in common.
pub struct Side<'a> {
    pub tables: Tables<'a>,
    /// The task's own verification, of which a step takes what its format does not say.
    pub base: &'a Verification,
    pub agent_network: Network,
}

impl Side<'_> {
    /// The verification of a step.
    pub fn of_step(
        &self,
        name: &str,
        table: Option<&VerifierTable>,
        at: &KeyPath,
        check: &mut Checker<'_>,
    ) -> Verification {
        let own = table.cloned().unwrap_or_default();
        let path = at.clone().key("verifier");
        let dir = check.dir().to_path_buf();
        let tests = [
            dir.join("tests"),
            dir.join("steps").join(name).join("tests"),
        ];
        let hosts = own.allowed_hosts.as_deref();
        let network = network_mode(path.clone(), own.network_mode, hosts, check);
        let separate = self.tables.separate(Some((&own, &path, &tests[1])), check);
        let hidden = match &separate {
            Some(separate) if separate.has_tests => Vec::new(),
            _ => step_tests(name, &tests, check),
        };
        // The step's over the task's.
        let mut env = self.base.env.clone();
        env.extend(check.env(path.clone().key("env"), own.env.clone()));
        let mut collect = self.base.collect.clone();
        let hooks = own.collect.as_deref();
        collect.extend(collects(hooks, path.clone().key("collect"), check));
        let user = check.user(path.clone().key("user"), own.user.as_ref());
        Verification {
            runner: Runner::Script,
            hidden: Hidden::Overlay(hidden),
            user: user.or_else(|| self.base.user.clone()),
            network: network.unwrap_or(self.base.network),
            // A step's time is its own: the task's does not stand in for it.
            timeout: check
                .seconds(path.key("timeout_sec"), own.timeout_sec)
                .unwrap_or(TIMEOUT),
            env,
            separate,
            collect,
            ..self.base.clone()
        }
    }
}

impl Tables<'_> {
    /// The verifier's own environment, where it has one: of a step, where one is given
    /// with the place of its table and its tests; else of the task.
    ///
    /// The image is the first of these: the step's by name, what its tests/ build, the
    /// task's by name, what the task's tests/ build, a fresh one of the agent's. All but
    /// the last hold /tests.
    pub fn separate(
        &self,
        step: Option<(&VerifierTable, &KeyPath, &Path)>,
        check: &mut Checker<'_>,
    ) -> Option<Separate> {
        let task_path = KeyPath::from("verifier");
        let of_task = mode(self.verifier, &task_path, check);
        let of_step = step.and_then(|(table, path, _)| mode(table, path, check));
        if of_step.or(of_task) != Some(EnvironmentMode::Separate) {
            return None;
        }
        let tests = check.dir().join("tests");
        let mut levels = vec![(self.verifier, task_path, tests.as_path())];
        levels.extend(step.map(|(table, path, tests)| (table, path.clone(), tests)));
        levels.reverse();
        // Resources, variables and the like: of the nearest table that has one.
        let described = levels
            .iter()
            .find_map(|(table, path, _)| Some((table.environment.as_ref()?, path)));
        let (table, path) = match described {
            Some((table, path)) => (table, path.clone().key("environment")),
            None => (self.environment, "environment".into()),
        };
        for (level, _, tests) in &levels {
            let named = level.environment.as_ref().and_then(image_name).cloned();
            let builds = tests.join("Dockerfile").is_file() || compose::of_harbor(tests).is_some();
            if named.is_none() && !builds {
                continue;
            }
            let table = EnvironmentTable {
                docker_image: named,
                ..table.clone()
            };
            let described = Described {
                table: path.clone(),
                folder: tests,
                uploads: false,
                ours: self.ours,
            };
            return Some(Separate {
                environment: self.of_phase(environment(&table, described, check), &levels),
                has_tests: true,
            });
        }
        let table = EnvironmentTable {
            docker_image: self.environment.docker_image.clone(),
            ..table.clone()
        };
        let folder = check.dir().join("environment");
        let described = Described {
            table: path.clone(),
            folder: &folder,
            uploads: true,
            ours: self.ours,
        };
        Some(Separate {
            environment: self.of_phase(environment(&table, described, check), &levels),
            has_tests: false,
        })
    }

    /// With the network that the verifier's own table asks for, where it does.
    fn of_phase(
        &self,
        environment: Environment,
        levels: &[(&VerifierTable, KeyPath, &Path)],
    ) -> Environment {
        let mode = levels.iter().find_map(|(level, ..)| level.network_mode);
        Environment {
            network: match mode {
                Some(NetworkMode::Public) => Network::Full,
                Some(NetworkMode::NoNetwork) => Network::None,
                Some(NetworkMode::Allowlist) | None => environment.network,
            },
            ..environment
        }
    }
}

/// What a table says of where its verifier runs.
fn mode(table: &VerifierTable, path: &KeyPath, check: &mut Checker<'_>) -> Option<EnvironmentMode> {
    let own = table.environment.is_some();
    if own && table.environment_mode == Some(EnvironmentMode::Shared) {
        check.wrong(
            path.clone().key("environment_mode"),
            "a verifier with an environment of its own is not \"shared\"",
            "leave one of the two out",
        );
    }
    let implied = own.then_some(EnvironmentMode::Separate);
    table.environment_mode.or(implied)
}

/// The tests that are there: the task's, and over them the step's.
fn step_tests(name: &str, tests: &[PathBuf; 2], check: &mut Checker<'_>) -> Vec<PathBuf> {
    let there = tests.iter().filter(|folder| folder.is_dir());
    let found: Vec<PathBuf> = there.cloned().collect();
    if !found.iter().any(|folder| folder.join("test.sh").is_file()) {
        check.file_problem(format!(
            "nothing verifies the step `{name}`: there is neither steps/{name}/tests/test.sh nor tests/test.sh"
        ));
    }
    found
}
