//! From raw tables to settings: ranges, paths, and what "auto" is here.

mod models;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::layers::{Found, Origin, Sources, Value};
use super::raw::{HarnessToml, HistoryWord, Jobs, NetworkWord};
use super::{
    ConfigError, DatasetPlace, DatasetSettings, EngineSettings, HostSettings, ImageSettings,
    LimitSettings, NetworkSetting, RunSettings, Settings, SweBenchSettings, Transport, WorkTreeWay,
};
use crate::diagnose::{KeyPath, Problem, place};
use crate::swebench::Rules;

/// Variables that name a CA bundle, the first that is set and exists wins.
const CA_VARIABLES: [&str; 3] = ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"];
/// The longest call, seconds: a year.
const LONGEST: f64 = 366.0 * 86_400.0;

/// The settings that raw tables say. Every key has a value by now: its default.
pub fn settings(
    raw: HarnessToml,
    values: &[Value],
    file: Option<&Found>,
    sources: &Sources,
) -> Result<Settings, ConfigError> {
    let mut check = Checker {
        values,
        file,
        sources,
        problems: Vec::new(),
    };
    let settings = Settings {
        file: file.map(|file| file.path.clone()),
        run: run(raw.run.unwrap_or_default(), &mut check),
        limits: limits(raw.limits.unwrap_or_default(), &mut check),
        engine: engine(raw.engine.unwrap_or_default(), &mut check),
        images: images(raw.images.unwrap_or_default(), &mut check),
        swebench: swebench(raw.swebench.unwrap_or_default(), &mut check),
        host: host(raw.host.unwrap_or_default(), &mut check),
        built_in: models::built_in(raw.built_in.unwrap_or_default(), &mut check),
        models: models::named(
            raw.models.unwrap_or_default(),
            raw.model.as_ref(),
            &mut check,
        ),
        model: models::model(raw.model.unwrap_or_default(), "model", &mut check),
        prices: models::prices(raw.prices.unwrap_or_default(), &mut check),
        datasets: datasets(raw.datasets.unwrap_or_default(), &mut check),
    };
    if check.problems.is_empty() {
        Ok(settings)
    } else {
        let problems = check.problems;
        Err(ConfigError::Invalid { problems })
    }
}

struct Checker<'a> {
    values: &'a [Value],
    file: Option<&'a Found>,
    sources: &'a Sources,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn origin(&self, key: &str) -> &Origin {
        let value = self.values.iter().find(|value| value.key == key);
        value.map_or(&Origin::Default, |value| &value.origin)
    }

    /// A value is wrong: told with its line, else with where it came from.
    fn wrong(&mut self, key: &str, message: &str) {
        let origin = self.origin(key);
        let problem = match (origin, self.file) {
            (Origin::File { .. }, Some(file)) => {
                let span = place(&file.text.text, &KeyPath::from(key));
                let span = span.map_or(0..0, |(_, value)| value);
                Problem::new(format!("`{key}` {message}")).at(file.text.spot(span, ""))
            }
            // A table by a name of the user's own: only the file can have it.
            (Origin::Default, Some(file)) if !self.values.iter().any(|value| value.key == key) => {
                let place = place(&file.text.text, &KeyPath::from(key));
                let problem = Problem::new(format!("`{key}` {message}"));
                match place {
                    Some((_, value)) => problem.at(file.text.spot(value, "")),
                    None => Problem::new(format!("`{key}` {message} ({})", file.text.name)),
                }
            }
            _ => Problem::new(format!("`{key}` {message} ({origin})")),
        };
        self.problems.push(problem);
    }

    /// A number within bounds; what is out of them is told and replaced.
    fn number<T: PartialOrd + Copy + std::fmt::Display>(
        &mut self,
        key: &str,
        value: Option<T>,
        least: T,
        most: T,
    ) -> T {
        match value {
            Some(value) if value >= least && value <= most => value,
            _ => {
                self.wrong(key, &format!("must be from {least} to {most}"));
                least
            }
        }
    }

    /// A number that is more than 0.
    fn positive(&mut self, key: &str, value: Option<f64>, most: f64) -> f64 {
        match value {
            Some(value) if value > 0.0 && value <= most => value,
            _ => {
                self.wrong(key, &format!("must be more than 0, and at most {most}"));
                1.0
            }
        }
    }

    /// The folder that a key's relative paths begin at: of `harness.toml` and
    /// the defaults beside it the file's, else the current one.
    fn base(&self, key: &str) -> &Path {
        match (self.origin(key), self.file) {
            (Origin::File { .. } | Origin::Default, Some(file)) => {
                file.path.parent().unwrap_or(&self.sources.cwd)
            }
            _ => &self.sources.cwd,
        }
    }

    /// A path as a user of the current folder would write it.
    fn path(&self, key: &str, text: &str) -> PathBuf {
        let home = self.sources.env.get("HOME");
        let text = match (text.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => Path::new(home).join(rest),
            _ => PathBuf::from(text),
        };
        let base = self.base(key);
        if base == self.sources.cwd {
            text
        } else {
            base.join(text)
        }
    }

    fn absolute(&self, key: &str, text: &str) -> PathBuf {
        self.sources.cwd.join(self.path(key, text))
    }
}

fn run(raw: super::raw::RunTable, check: &mut Checker<'_>) -> RunSettings {
    let said = |entries: Option<Vec<String>>, key: &str, check: &mut Checker<'_>| {
        let entries = entries.unwrap_or_default();
        if entries.iter().any(|entry| entry.trim().is_empty()) {
            check.wrong(key, "has an entry that says nothing");
        }
        entries
    };
    let tasks = said(raw.tasks, "run.tasks", check);
    let tasks = tasks
        .iter()
        .map(|task| check.path("run.tasks", task).display().to_string())
        .collect();
    let agents = said(raw.agents, "run.agents", check);
    let agents = agents
        .into_iter()
        .map(|agent| match agent.strip_prefix("script:") {
            Some(file) => format!("script:{}", check.path("run.agents", file).display()),
            None => agent,
        })
        .collect();
    let out = raw.out.unwrap_or_default();
    if out.is_empty() {
        check.wrong("run.out", "must name a folder");
    }
    RunSettings {
        tasks,
        agents,
        models: said(raw.models, "run.models", check),
        attempts: check.number("run.attempts", raw.attempts, 1, 10_000),
        jobs: match raw.jobs {
            Some(Jobs::Number(jobs)) => {
                Some(check.number("run.jobs", Some(jobs), 1, 4096) as usize)
            }
            _ => None,
        },
        out: check.path("run.out", &out),
        retry_errors: check.number("run.retry_errors", raw.retry_errors, 0, 100),
        check: raw.check.unwrap_or(true),
        timeout_multiplier: check.positive("run.timeout_multiplier", raw.timeout_multiplier, 1e4),
        network: match raw.network {
            Some(NetworkWord::None) => Some(NetworkSetting::None),
            Some(NetworkWord::Full) => Some(NetworkSetting::Full),
            _ => None,
        },
        max_cost: models::dollars("run.max_cost", raw.max_cost, check),
        sign_key: raw
            .sign_key
            .filter(|path| !path.is_empty())
            .map(|path| check.absolute("run.sign_key", &path)),
    }
}

fn datasets(
    raw: BTreeMap<String, super::raw::DatasetTable>,
    check: &mut Checker<'_>,
) -> BTreeMap<String, DatasetSettings> {
    let mut datasets = BTreeMap::new();
    for (name, table) in raw {
        let key = format!("datasets.{name}");
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        let is_url = |text: &str| text.starts_with("https://") || text.starts_with("http://");
        let place = match (said(table.path), said(table.url)) {
            (None, Some(url)) if is_url(&url) => DatasetPlace::Url(url),
            (None, Some(_)) => {
                let key = format!("{key}.url");
                check.wrong(&key, "must begin with `https://` or `http://`");
                continue;
            }
            (Some(path), None) if is_url(&path) => {
                let key = format!("{key}.path");
                check.wrong(&key, "is a URL: say it as `url`, with a `digest`");
                continue;
            }
            (Some(path), None) => DatasetPlace::Path(check.path(&key, &path)),
            (Some(_), Some(_)) => {
                check.wrong(&key, "must say a `path` or a `url`, not both");
                continue;
            }
            (None, None) => {
                check.wrong(&key, "must say a `path` or a `url`");
                continue;
            }
        };
        let settings = DatasetSettings {
            place,
            digest: table
                .digest
                .map(|digest| digest.trim_start_matches("sha256:").to_owned()),
            quarantine: table.quarantine.map(|list| check.path(&key, &list)),
        };
        datasets.insert(name, settings);
    }
    datasets
}

fn swebench(raw: super::raw::SweBenchTable, check: &mut Checker<'_>) -> SweBenchSettings {
    let envs = raw.envs.unwrap_or_default();
    let specs = raw.specs.filter(|path| !path.is_empty());
    let timeout = check.positive("swebench.timeout_sec", raw.timeout_sec, LONGEST);
    SweBenchSettings {
        rules: raw.rules.unwrap_or_default(),
        version: raw.version.unwrap_or(Rules::V5_0),
        envs: envs
            .iter()
            .map(|path| check.path("swebench.envs", path))
            .collect(),
        specs: specs.map(|path| check.path("swebench.specs", &path)),
        history: raw.history.unwrap_or(HistoryWord::Ancestors),
        timeout: Duration::from_secs_f64(timeout),
    }
}

fn limits(raw: super::raw::LimitsTable, check: &mut Checker<'_>) -> LimitSettings {
    const MOST_MB: u64 = 1 << 30;
    let call_timeout = check.positive("limits.call_timeout_sec", raw.call_timeout_sec, LONGEST);
    LimitSettings {
        cpus: check.positive("limits.cpus", raw.cpus, 4096.0),
        // The least that the engine takes.
        memory_mb: check.number("limits.memory_mb", raw.memory_mb, 6, MOST_MB),
        // The helper, a shell and what they start.
        pids: check.number("limits.pids", raw.pids, 8, 1 << 22),
        open_files: check.number("limits.open_files", raw.open_files, 64, 1 << 20),
        disk_mb: check.number("limits.disk_mb", raw.disk_mb, 1, MOST_MB),
        call_timeout: Duration::from_secs_f64(call_timeout),
        output_bytes: check.number("limits.output_bytes", raw.output_bytes, 256, 1 << 30),
        change_mb: check.number("limits.change_mb", raw.change_mb, 1, MOST_MB),
        max_steps: raw.max_steps.filter(|steps| *steps > 0),
        max_tokens: raw.max_tokens.filter(|tokens| *tokens > 0),
        max_trial_cost: models::dollars("limits.max_trial_cost", raw.max_trial_cost, check),
    }
}

fn engine(raw: super::raw::EngineTable, check: &mut Checker<'_>) -> EngineSettings {
    let host = raw.host.unwrap_or_default();
    if host.is_empty() {
        check.wrong("engine.host", "must be an address, or \"auto\"");
    }
    EngineSettings {
        host: Some(host).filter(|host| host != "auto"),
        transport: raw.transport.unwrap_or(Transport::Auto),
        work_tree: raw.work_tree.unwrap_or(WorkTreeWay::Auto),
    }
}

fn images(raw: super::raw::ImagesTable, check: &mut Checker<'_>) -> ImageSettings {
    let dir = match raw.dir.as_deref() {
        None | Some("") => None,
        Some("auto") => {
            let root = check.file.and_then(|file| file.path.parent());
            let dir = root.unwrap_or(&check.sources.cwd).join("images");
            Some(dir).filter(|dir| dir.is_dir())
        }
        Some(text) => {
            let dir = check.absolute("images.dir", text);
            if !dir.is_dir() {
                check.wrong("images.dir", "must be a folder that exists");
            }
            Some(dir)
        }
    };
    ImageSettings {
        dir,
        pull: raw.pull.unwrap_or(true),
        budget: budget(raw.budget_gb, check),
    }
}

fn budget(gigabytes: Option<f64>, check: &mut Checker<'_>) -> Option<u64> {
    const MOST_GB: f64 = 1e9;
    match gigabytes {
        None => None,
        Some(gigabytes) if (0.0..=MOST_GB).contains(&gigabytes) => {
            Some((gigabytes * 1e9).round() as u64).filter(|budget| *budget > 0)
        }
        Some(_) => {
            check.wrong("images.budget_gb", "must be gigabytes, 0 or more");
            None
        }
    }
}

fn host(raw: super::raw::HostTable, check: &mut Checker<'_>) -> HostSettings {
    let env = &check.sources.env;
    let ca_bundle = match raw.ca_bundle.as_deref() {
        None | Some("") => None,
        Some("auto") => CA_VARIABLES
            .iter()
            .filter_map(|name| env.get(*name))
            .filter(|path| !path.is_empty())
            .map(|path| check.sources.cwd.join(path))
            .find(|path| path.is_file()),
        Some(text) => {
            let path = check.absolute("host.ca_bundle", text);
            if !path.is_file() {
                check.wrong("host.ca_bundle", "must be a file that exists");
            }
            Some(path)
        }
    };
    let state = match raw.state.as_deref() {
        None | Some("" | "auto") => default_state(check),
        Some(text) => check.absolute("host.state", text),
    };
    let pass_env = raw.pass_env.unwrap_or_default();
    if pass_env
        .iter()
        .any(|name| name.is_empty() || name.contains('='))
    {
        check.wrong("host.pass_env", "must be a list of names of variables");
    }
    HostSettings {
        ca_bundle,
        pass_env,
        state,
    }
}

/// `$XDG_STATE_HOME/proofyard`, else `~/.local/state/proofyard`; a relative
/// `XDG_STATE_HOME` says nothing, by the XDG base directory specification.
fn default_state(check: &mut Checker<'_>) -> PathBuf {
    let folder = |name: &str| {
        let path = check.sources.env.get(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")));
    match state {
        Some(state) => state.join("proofyard"),
        None => {
            check.wrong(
                "host.state",
                "must be set where neither HOME nor XDG_STATE_HOME is",
            );
            PathBuf::new()
        }
    }
}
