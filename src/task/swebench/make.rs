//! From a row to an instance's folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::InstanceError;
use super::file::{
    Built, FILE, HistoryName, InstanceFile, NetworkName, RepoPlace, SCHEMA, StrictRun,
};
use super::strict;
use crate::swebench::Rules;
use crate::swebench::log::Parser;
use crate::swebench::names::is_artefact;
use crate::swebench::row::Row;
use crate::swebench::script::{self, Instance, parts};
use crate::swebench::specs::{Commands, Directives, Kind, Table};
use crate::task::envs::{Environment, Environments, Interpreter, Source};
use crate::task::{History, Network};

/// Where the work tree lies in official images.
const WORKDIR: &str = "/testbed";
/// What activates their environment in a shell that is not asked to.
const BASH_ENV: (&str, &str) = ("BASH_ENV", "/root/.bashrc");

/// What rows are made tasks by.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// Where instances' folders are made.
    pub cache: &'a Path,
    pub environments: &'a Environments,
    /// What an official harness says, where its table was imported.
    pub table: Option<&'a Table>,
    pub history: History,
    /// Of an eval script.
    pub timeout: Duration,
}

/// Makes the folder of a row, or finds it made.
///
/// # Errors
/// A row whose tests nothing says how to run; specifications that contradict each other;
/// a folder that cannot be written.
pub fn lay_out(row: &Row, ground: &Ground<'_>) -> Result<PathBuf, InstanceError> {
    let made = Made::of(row, ground)?;
    let home = ground.cache.join(made.digest()).join(&row.instance_id);
    if home.join(FILE).is_file() {
        return Ok(home);
    }
    let write = |path: &Path, source| InstanceError::Write {
        path: path.to_owned(),
        source,
    };
    let above = home.parent().unwrap_or(ground.cache);
    fs::create_dir_all(above).map_err(|source| write(above, source))?;
    let part = tempfile::Builder::new()
        .prefix(".partial-")
        .tempdir_in(above)
        .map_err(|source| write(above, source))?;
    for (name, mode, content) in made.files() {
        let path = part.path().join(name);
        let folder = path.parent().unwrap_or(part.path());
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, content))
            .and_then(|()| set_mode(&path, mode))
            .map_err(|source| write(&path, source))?;
    }
    set_mode(part.path(), 0o755).map_err(|source| write(part.path(), source))?;
    let part = part.keep();
    match fs::rename(&part, &home) {
        Ok(()) => {}
        // Somebody else was faster, and made the same.
        Err(_) if home.join(FILE).is_file() => {
            let _ = fs::remove_dir_all(&part);
        }
        Err(source) => {
            let _ = fs::remove_dir_all(&part);
            return Err(write(&home, source));
        }
    }
    Ok(home)
}

fn set_mode(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// An instance, and the files beside it.
struct Made<'a> {
    row: &'a Row,
    file: InstanceFile,
    script: String,
}

impl<'a> Made<'a> {
    fn of(row: &'a Row, ground: &Ground<'_>) -> Result<Self, InstanceError> {
        let version = row.version.clone().unwrap_or_default();
        let environment = ground.environments.of(&row.repo, &version)?;
        let mut warnings = Vec::new();
        let script = match &row.eval_script {
            Some(script) => script.clone(),
            None => {
                let commands = commands(row, environment, ground)?;
                let instance = Instance {
                    base_commit: row.base_commit.as_deref().unwrap_or("HEAD"),
                    test_patch: &row.test_patch,
                    assets: &[],
                };
                let made = script::eval_script(&instance, &commands);
                let made = made.map_err(|source| InstanceError::Script {
                    instance: row.instance_id.clone(),
                    source,
                })?;
                warnings.extend(made.warnings.iter().map(ToString::to_string));
                made.text
            }
        };
        let parser = parser(row, environment, ground)?;
        let strict: Option<StrictRun> = parts(&script).map(|parts| strict::strict(&parser, &parts));
        if strict.is_none() {
            warnings.push(
                "its eval script is not one of the official ones and cannot be taken apart: only the official rules can judge it"
                    .to_owned(),
            );
        }
        let artefacts = row.fail_to_pass.iter().chain(&row.pass_to_pass);
        let artefacts = artefacts.filter(|id| is_artefact(&parser, id)).count();
        if artefacts > 0 {
            warnings.push(format!(
                "{artefacts} of its expected ids name no test but what a runner shows of its progress; only the official rules ask for them"
            ));
        }
        let workdir = environment.map_or(WORKDIR, |environment| &environment.workdir);
        let mut env: BTreeMap<String, String> = environment
            .map(|environment| environment.env.clone())
            .unwrap_or_default();
        if script.contains("conda activate ") {
            env.insert(BASH_ENV.0.to_owned(), BASH_ENV.1.to_owned());
        }
        let timeout = environment.and_then(|environment| environment.timeout);
        let history = match (row.reversed, environment.map(|one| one.history)) {
            // The parent of the bug is the answer.
            (true, _) | (_, Some(History::None)) => History::None,
            _ => ground.history,
        };
        Ok(Self {
            row,
            script,
            file: InstanceFile {
                schema: SCHEMA.to_owned(),
                instance_id: row.instance_id.clone(),
                repo: row.repo.clone(),
                version,
                base_commit: row.base_commit.clone(),
                history: match history {
                    History::Ancestors => HistoryName::Ancestors,
                    History::None => HistoryName::None,
                },
                difficulty: row.difficulty.clone(),
                images: row.official_images(),
                built: environment.map(|environment| built(environment, &row.repo)),
                reversed: row.reversed,
                workdir: workdir.to_owned(),
                log_parser: parser,
                eval_type: row
                    .eval_type
                    .clone()
                    .or_else(|| environment.map(|one| one.eval_type.name().to_owned())),
                fail_to_pass: row.fail_to_pass.clone(),
                pass_to_pass: row.pass_to_pass.clone(),
                timeout_sec: timeout.unwrap_or(ground.timeout).as_secs_f64(),
                network: match environment.and_then(|environment| environment.network) {
                    Some(Network::None) => NetworkName::None,
                    Some(Network::Full) | None => NetworkName::Full,
                },
                cpus: environment.and_then(|environment| environment.cpus),
                memory_bytes: environment.and_then(|environment| environment.memory_bytes),
                env,
                strict,
                warnings,
            },
        })
    }

    /// Of everything that lies in the folder.
    fn digest(&self) -> String {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        for (name, _, content) in self.files() {
            hash.update(format!("{} {} ", name, content.len()));
            hash.update(content);
        }
        crate::record::hex(&hash.finalize()[..8])
    }

    /// Name, mode and content of each file.
    fn files(&self) -> Vec<(&'static str, u32, Vec<u8>)> {
        let json = serde_json::to_vec_pretty(&self.file).unwrap_or_default();
        let mut files = vec![
            (FILE, 0o644, json),
            (
                "instruction.md",
                0o644,
                self.row.problem_statement.clone().into_bytes(),
            ),
            (
                "tests/test.patch",
                0o644,
                self.row.test_patch.clone().into_bytes(),
            ),
            ("tests/eval.sh", 0o644, self.script.clone().into_bytes()),
        ];
        if !self.row.patch.is_empty() {
            let back = if self.row.reversed { " --reverse" } else { "" };
            let solve = format!(
                "#!/bin/sh\n# The change of the data set.\nexec git apply --verbose{back} /solution/fix.patch\n"
            );
            files.push((
                "solution/fix.patch",
                0o644,
                self.row.patch.clone().into_bytes(),
            ));
            files.push(("solution/solve.sh", 0o755, solve.into_bytes()));
        }
        files
    }
}

/// The official log parser of a row.
fn parser(
    row: &Row,
    environment: Option<&Environment>,
    ground: &Ground<'_>,
) -> Result<String, InstanceError> {
    let instance = || row.instance_id.clone();
    if let Some(named) = &row.log_parser {
        if let Some(parser) = known(named) {
            return Ok(parser);
        }
        if named.contains('\n') || named.contains("def ") {
            return Err(InstanceError::Parser {
                instance: instance(),
                what: "a program",
            });
        }
    }
    let said = environment.and_then(|environment| environment.parser.as_deref());
    let of_repo = Parser::of_repo(Rules::V5_0, &row.repo).map(|parser| parser.name().to_owned());
    let of_table = || {
        let repo = ground.table?.repos.get(&row.repo)?;
        known(repo.parser.as_ref()?)
    };
    let found = said.and_then(known).or(of_repo).or_else(of_table);
    found.ok_or_else(|| match row.log_parser {
        Some(_) => InstanceError::Parser {
            instance: instance(),
            what: "none that is known",
        },
        None => InstanceError::NoParser {
            instance: instance(),
        },
    })
}

/// The name of a parser's function, by a name that rows, tables or people give it.
fn known(name: &str) -> Option<String> {
    let whole = format!("parse_log_{name}");
    let parser = Parser::named(Rules::V5_0, name).or_else(|| Parser::named(Rules::V5_0, &whole));
    parser.map(|parser| parser.name().to_owned())
}

/// The commands of an eval script that no row gives.
fn commands(
    row: &Row,
    environment: Option<&Environment>,
    ground: &Ground<'_>,
) -> Result<Commands, InstanceError> {
    if let Some(environment) = environment.filter(|environment| !environment.test.is_empty()) {
        return Ok(of_environment(environment, &row.repo));
    }
    if !row.test_cmds.is_empty() {
        return Ok(Commands {
            build: row.rebuild_cmds.clone(),
            test: [row.test_cmds.as_slice(), &row.print_cmds].concat(),
            no_env: true,
            ..Commands::new(Kind::Common, "")
        });
    }
    let version = row.version.clone().unwrap_or_default();
    let none = |table| InstanceError::NoCommands {
        instance: row.instance_id.clone(),
        repo: row.repo.clone(),
        version: version.clone(),
        table,
    };
    match ground.table {
        None => Err(none(None)),
        Some(table) => table
            .commands(&row.repo, &version)
            .map_err(|error| none(Some(Box::new(error)))),
    }
}

fn of_environment(environment: &Environment, repo: &str) -> Commands {
    let python = matches!(environment.interpreter, Some(Interpreter::Python(_)));
    let kind = if python { Kind::Python } else { Kind::Common };
    let said = environment.parser.as_deref().and_then(known);
    let of_repo = || Parser::of_repo(Rules::V5_0, repo).map(|parser| parser.name().to_owned());
    let parser = said.or_else(of_repo);
    Commands {
        kind,
        no_env: false,
        eval_commands: environment.eval_commands.clone(),
        install: (python && !environment.install.is_empty())
            .then(|| environment.install.join("\n")),
        build: environment.build.clone(),
        test: environment.test.clone(),
        directives: match (python, parser.as_deref()) {
            (true, Some("parse_log_django")) => Directives::Modules,
            (true, _) => Directives::Paths,
            (false, _) => Directives::None,
        },
    }
}

fn built(environment: &Environment, repo: &str) -> Built {
    let path = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let text = |found: &Path| path(found).display().to_string();
    Built {
        environment: environment.dockerfile(),
        instance: environment.instance_dockerfile(Built::FROM, Built::TREE),
        repo: match environment.source(repo) {
            Source::Url(url) => RepoPlace::Url(url),
            Source::Repository(found) => RepoPlace::Repository(text(&found)),
            Source::Bundle(found) => RepoPlace::Bundle(text(&found)),
        },
    }
}
