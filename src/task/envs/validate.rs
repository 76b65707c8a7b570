//! From a table as written to an environment: what of it is right, and what it means.

mod software;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use globset::GlobBuilder;

use super::check::Checker;
use super::raw::{EnvironmentTable, HistoryName, NetworkName, OneOrMore};
use super::{Environment, Place, RepoPattern, SourceText as SourceKey, Versions};
use crate::diagnose::{KeyPath, SourceText, nearest};
use crate::swebench::grade::EvalType;
use crate::task::{History, Network};

/// Most entries of a list.
const MOST_ENTRIES: usize = 2000;
/// Most bytes of what one step of a build is told: a system takes 128 KiB.
const MOST_TEXT: usize = 64 << 10;
/// Longest limit of time: a year, seconds.
const LONGEST: f64 = 366.0 * 86_400.0;
const MOST_CPUS: f64 = 4096.0;
/// Least and most memory, MiB.
const MEMORY: std::ops::RangeInclusive<u64> = 16..=(16 << 20);

/// Where a work tree cannot lie: what a sandbox lays something over.
const TAKEN: [&str; 6] = ["/dev", "/proc", "/run", "/sys", "/tmp", "/opt/proofyard"];
const SCHEMES: [&str; 4] = ["https://", "http://", "ssh://", "git://"];

/// The environment that a table means; what is wrong is told to `check`, and whoever
/// has heard something wrong does not use it.
pub fn environment(
    table: EnvironmentTable,
    at: &KeyPath,
    text: &SourceText,
    folder: &Path,
    parsers: &[&str],
    check: &mut Checker<'_>,
) -> Option<Environment> {
    let mut one = Table { at, check };
    let repos = one.repos(&table)?;
    let interpreter = one.interpreter(&table);
    let packages = one.packages(&table, interpreter.as_ref());
    let requirements = one.requirements(&table, interpreter.as_ref(), folder);
    let written = packages.iter().chain(&requirements);
    if written.map(|line| line.len() + 8).sum::<usize>() > MOST_TEXT {
        one.wrong("packages", "packages of more than 64 KiB together", "");
    }
    let install = [
        one.commands("pre_install", &table.pre_install),
        one.commands("install", &table.install),
        one.commands("build", &table.build),
    ];
    let lines = install.iter().flatten();
    if lines.map(|command| command.len() + 8).sum::<usize>() > MOST_TEXT {
        one.wrong("install", "commands of more than 64 KiB together", "");
    }
    let [pre_install, install, build] = install;
    let source = one.source(&table, &repos, folder);
    Some(Environment {
        at: Place {
            file: text.name.clone(),
            line: one.check.line(at),
        },
        versions: one.versions(&table),
        base: one.base(&table),
        apt: one.apt(&table),
        env: one.env(table.env.clone().unwrap_or_default()),
        test: one.commands("test", &table.test),
        eval_commands: one.commands("eval_commands", &table.eval_commands),
        parser: one.parser(&table, parsers),
        workdir: one.workdir(&table),
        cpus: one.cpus(&table),
        memory_bytes: one.memory(&table),
        timeout: one.timeout(&table),
        history: match table.history {
            Some(HistoryName::None) => History::None,
            Some(HistoryName::Ancestors) | None => History::Ancestors,
        },
        eval_type: table.eval_type.unwrap_or(EvalType::PassAndFail),
        network: table.network.map(|network| match network {
            NetworkName::None => Network::None,
            NetworkName::Full => Network::Full,
        }),
        repos,
        interpreter,
        packages,
        requirements,
        source,
        pre_install,
        install,
        build,
    })
}

/// A table under reading.
struct Table<'c, 't> {
    at: &'c KeyPath,
    check: &'c mut Checker<'t>,
}

impl Table<'_, '_> {
    fn key(&self, key: &str) -> KeyPath {
        self.at.clone().key(key)
    }

    fn wrong(&mut self, key: &str, message: impl Into<String>, label: impl Into<String>) {
        let path = self.key(key);
        self.check.wrong(&path, message, label);
    }

    /// The table itself lacks something.
    fn lacks(&mut self, message: &str, label: &str) {
        self.check.wrong(self.at, message, label);
    }

    fn repos(&mut self, table: &EnvironmentTable) -> Option<Vec<RepoPattern>> {
        let (key, written) = match (&table.repo, &table.repos) {
            (Some(repo), None) => ("repo", vec![repo.clone()]),
            (None, Some(repos)) if !repos.is_empty() => ("repos", repos.clone()),
            (Some(_), Some(_)) => {
                self.wrong(
                    "repos",
                    "an environment has a `repo` or `repos`, not both",
                    "",
                );
                return None;
            }
            _ => {
                self.lacks(
                    "[[environment]] does not say for which repo it is",
                    "it needs `repo = \"owner/name\"`, or `repos`",
                );
                return None;
            }
        };
        if written.len() > MOST_ENTRIES {
            self.wrong(key, format!("more than {MOST_ENTRIES} repos"), "");
            return None;
        }
        let patterns = written.iter().enumerate().map(|(index, repo)| {
            let path = match key {
                "repos" => self.key(key).index(index),
                _ => self.key(key),
            };
            self.repo(&path, repo)
        });
        // All are looked at, so that all that is wrong is told.
        let patterns: Vec<Option<RepoPattern>> = patterns.collect();
        patterns.into_iter().collect()
    }

    fn repo(&mut self, path: &KeyPath, repo: &str) -> Option<RepoPattern> {
        if is_repo(repo) {
            return Some(RepoPattern::Name(repo.to_owned()));
        }
        if !repo.contains(['*', '?', '[', '{']) || repo.len() > 200 {
            let message = format!("`{repo}` is not a repo");
            self.check.wrong(path, message, "\"owner/name\", or a glob");
            return None;
        }
        let glob = GlobBuilder::new(repo)
            .literal_separator(true)
            .case_insensitive(true)
            .build();
        match glob {
            Ok(glob) => Some(RepoPattern::Glob(glob.compile_matcher())),
            Err(error) => {
                let why = error.kind().to_string();
                self.check
                    .wrong(path, format!("`{repo}` is not a glob"), why);
                None
            }
        }
    }

    fn versions(&mut self, table: &EnvironmentTable) -> Versions {
        match &table.versions {
            None => Versions::All,
            Some(OneOrMore::More(listed)) => {
                if listed.is_empty() || listed.len() > MOST_ENTRIES {
                    let label = "leave `versions` out for all of them";
                    self.wrong("versions", "a list of no version, or of too many", label);
                }
                Versions::Listed(listed.clone())
            }
            Some(OneOrMore::One(text)) => Versions::parse(text).unwrap_or_else(|label| {
                self.wrong("versions", "`versions` cannot be read", label);
                Versions::All
            }),
        }
    }

    fn base(&mut self, table: &EnvironmentTable) -> String {
        let Some(base) = &table.base else {
            self.lacks(
                "[[environment]] does not say from which image it starts",
                "it needs a `base`, such as \"debian:bookworm-slim\" or \"proofyard/python\"",
            );
            return String::new();
        };
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte);
        let plain = base.bytes().all(inner)
            && base
                .bytes()
                .next()
                .is_some_and(|first| first.is_ascii_alphanumeric())
            && base.len() <= 512;
        if !plain || base == "scratch" {
            let message = format!("`{base}` is not an image to start from");
            self.wrong("base", message, "\"name:tag\", or \"name@sha256:…\"");
        }
        base.clone()
    }

    fn source(
        &mut self,
        table: &EnvironmentTable,
        repos: &[RepoPattern],
        folder: &Path,
    ) -> SourceKey {
        let Some(source) = &table.source else {
            return SourceKey::Default;
        };
        let path = self.key("source");
        if !self.check.word(&path, "a source", source) {
            return SourceKey::Default;
        }
        let one = matches!(repos, [RepoPattern::Name(_)]);
        if !one && !source.contains("{repo}") && !source.contains("{name}") {
            let label = "`{repo}` stands for owner/name, `{name}` for the name";
            let message = "several repos would be brought from the same place";
            self.check.wrong(&path, message, label);
        }
        if SCHEMES.iter().any(|scheme| source.starts_with(scheme)) {
            return SourceKey::Url(source.clone());
        }
        // `ext::…` and the like run programs.
        if source.contains("://") || source.contains("::") {
            let message = format!("`{source}` is neither a url nor a path");
            let label = format!("a url begins with {}", SCHEMES.join(", "));
            self.check.wrong(&path, message, label);
        }
        SourceKey::Path {
            folder: folder.to_owned(),
            path: source.clone(),
        }
    }

    fn commands(&mut self, key: &str, value: &Option<OneOrMore>) -> Vec<String> {
        let texts = value.as_ref().map(OneOrMore::texts).unwrap_or_default();
        self.bounded(key, texts.len());
        for (index, text) in texts.iter().enumerate() {
            let path = match value {
                Some(OneOrMore::More(_)) => self.key(key).index(index),
                _ => self.key(key),
            };
            self.check.command(&path, text);
        }
        texts.to_vec()
    }

    fn parser(&mut self, table: &EnvironmentTable, parsers: &[&str]) -> Option<String> {
        let parser = table.parser.as_ref()?;
        if !parsers.is_empty() && !parsers.contains(&parser.as_str()) {
            let label = match nearest(parser, parsers.iter().copied()) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => format!("it may be \"{}\"", parsers.join("\", \"")),
            };
            self.wrong(
                "parser",
                format!("there is no log parser `{parser}`"),
                label,
            );
        }
        Some(parser.clone())
    }

    fn workdir(&mut self, table: &EnvironmentTable) -> String {
        let Some(workdir) = &table.workdir else {
            return "/testbed".to_owned();
        };
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
        let below = |taken: &str| Path::new(workdir).starts_with(taken);
        let good = workdir.starts_with('/')
            && workdir.len() > 1
            && workdir.len() <= 200
            && workdir.bytes().all(inner)
            && !workdir.split('/').any(|part| part == "." || part == "..");
        if !good || workdir.ends_with('/') || workdir.contains("//") {
            let message = format!("`{workdir}` is no folder for a work tree");
            self.wrong(
                "workdir",
                message,
                "an absolute path of plain letters, \"/testbed\"",
            );
        } else if TAKEN.iter().any(|taken| below(taken)) {
            let message = format!("a work tree cannot lie in `{workdir}`");
            self.wrong(
                "workdir",
                message,
                "a sandbox lays something of its own there",
            );
        }
        workdir.clone()
    }

    fn env(&mut self, env: BTreeMap<String, String>) -> BTreeMap<String, String> {
        self.bounded("env", env.len());
        for (name, value) in &env {
            let path = self.key("env").key(name);
            let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            let first = name
                .bytes()
                .next()
                .is_some_and(|byte| !byte.is_ascii_digit());
            if !first || !name.bytes().all(inner) || name.len() > 200 {
                self.check
                    .wrong(&path, format!("`{name}` is no variable's name"), "");
            } else if name == "PATH" {
                let label = "the environment's own programs are found by it";
                self.check.wrong(&path, "`PATH` is not to be set", label);
            }
            if value.chars().any(char::is_control) || value.len() > MOST_TEXT / 2 {
                let message =
                    format!("the value of `{name}` has a control character, or is too long");
                self.check.wrong(&path, message, "");
            }
        }
        env
    }

    fn cpus(&mut self, table: &EnvironmentTable) -> Option<f64> {
        let cpus = table.cpus?;
        if !(cpus > 0.0 && cpus <= MOST_CPUS) {
            self.wrong(
                "cpus",
                format!("{cpus} processors"),
                "more than 0, at most 4096",
            );
        }
        Some(cpus)
    }

    fn memory(&mut self, table: &EnvironmentTable) -> Option<u64> {
        let memory = table.memory_mb?;
        if !MEMORY.contains(&memory) {
            let label = format!("{} to {}", MEMORY.start(), MEMORY.end());
            self.wrong("memory_mb", format!("{memory} MiB of memory"), label);
        }
        Some(memory.saturating_mul(1 << 20))
    }

    fn timeout(&mut self, table: &EnvironmentTable) -> Option<Duration> {
        let seconds = table.timeout_sec?;
        if !(seconds > 0.0 && seconds <= LONGEST) {
            self.wrong(
                "timeout_sec",
                format!("a limit of {seconds} s"),
                "more than 0, at most a year",
            );
            return None;
        }
        Some(Duration::from_secs_f64(seconds))
    }

    fn bounded(&mut self, key: &str, entries: usize) {
        if entries > MOST_ENTRIES {
            self.wrong(key, format!("more than {MOST_ENTRIES} entries"), "");
        }
    }
}

/// Whether a text is `owner/name` in plain letters.
pub fn is_repo(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let part = |part: &str| {
        !part.is_empty()
            && part.len() <= 100
            && part != "."
            && part != ".."
            && !part.starts_with('-')
            && part.bytes().all(inner)
    };
    matches!(text.split_once('/'), Some((owner, name)) if part(owner) && part(name))
}
