//! Settings as their sources give them; knows only its own room.

use std::collections::BTreeMap;
use std::fs;

use insta::assert_snapshot;

use super::*;
use crate::diagnose::Step;
use crate::diagnose::toml::known_keys;
use crate::swebench::{Rules, Under};

/// A project's folder with a `harness.toml`, and an environment.
struct Project {
    root: tempfile::TempDir,
    sources: Sources,
}

impl Project {
    fn new(harness: Option<&str>) -> Self {
        let root = tempfile::tempdir().unwrap();
        if let Some(text) = harness {
            fs::write(root.path().join("harness.toml"), text).unwrap();
        }
        let sources = Sources {
            cwd: root.path().to_path_buf(),
            config: None,
            env: BTreeMap::from([("HOME".to_string(), "/home/some".to_string())]),
            flags: Vec::new(),
        };
        Self { root, sources }
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.sources.env.insert(name.into(), value.into());
        self
    }

    fn flag(mut self, flag: Flag) -> Self {
        self.sources.flags.push(flag);
        self
    }

    fn set(self, text: &str) -> Self {
        self.flag(text.parse().unwrap())
    }

    fn below(mut self, folder: &str) -> Self {
        self.sources.cwd = self.root.path().join(folder);
        fs::create_dir_all(&self.sources.cwd).unwrap();
        self
    }

    fn load(&self) -> Loaded {
        load(&self.sources).unwrap_or_else(|error| panic!("{}", error.render(false)))
    }

    fn error(&self) -> String {
        let shown = load(&self.sources).unwrap_err().render(false);
        shown.replace(&self.root.path().display().to_string(), "project")
    }
}

fn origin(loaded: &Loaded, key: &str) -> String {
    let value = loaded.values.iter().find(|value| value.key == key);
    value.unwrap().origin.to_string()
}

#[test]
fn without_a_file_the_defaults_are_in_force() {
    let Settings {
        file,
        run,
        limits,
        engine,
        images,
        host,
        built_in,
        model,
        models,
        prices,
        swebench,
        datasets,
    } = Project::new(None).load().settings;
    assert_eq!(file, None);
    assert!(datasets.is_empty());
    assert_eq!(
        (swebench.rules, swebench.version, swebench.timeout.as_secs()),
        (Under::Both, Rules::V5_0, 1800)
    );
    assert_eq!(
        (run.tasks, run.agents),
        (vec!["tasks".to_string()], Vec::new())
    );
    assert_eq!(
        (run.attempts, run.jobs, run.retry_errors, run.check),
        (1, None, 0, true)
    );
    assert_eq!((run.out, run.network), (PathBuf::from("runs"), None));
    assert_eq!(
        (limits.memory_mb, limits.pids, limits.open_files),
        (2048, 512, 4096)
    );
    assert_eq!(
        (limits.call_timeout.as_secs(), limits.output_bytes),
        (120, 32768)
    );
    assert_eq!((engine.host, engine.transport), (None, Transport::Auto));
    assert_eq!((images.dir, images.pull, images.budget), (None, true, None));
    assert_eq!((limits.max_steps, limits.max_tokens), (Some(200), None));
    assert_eq!((built_in.prompt, built_in.repeats), (None, Some(4)));
    assert_eq!(model.base_url, "https://api.openai.com/v1");
    assert_eq!((model.temperature, model.tries), (None, 6));
    assert!(models.is_empty() && prices.models.is_empty());
    assert_eq!(host.ca_bundle, None);
    assert_eq!(host.pass_env.len(), 10);
    assert_eq!(
        host.state,
        PathBuf::from("/home/some/.local/state/proofyard")
    );
}

#[test]
fn every_key_of_the_schema_has_a_default_and_the_other_way_round() {
    let schema = schemars::schema_for!(raw::HarnessToml).to_value();
    let mut known: Vec<String> = known_keys(&schema, &[])
        .iter()
        .flat_map(|table| {
            known_keys(&schema, &[Step::Key(table.clone())])
                .into_iter()
                .map(move |key| format!("{table}.{key}"))
        })
        .collect();
    let mut given: Vec<String> = Project::new(None)
        .load()
        .values
        .into_iter()
        .map(|value| value.key)
        .collect();
    assert_eq!(given.first().map(String::as_str), Some("run.tasks"));
    // Tables by names of the user's own have no defaults.
    known.retain(|key| !key.starts_with("prices."));
    known.sort();
    given.sort();
    assert_eq!(known, given);
}

#[test]
fn the_projects_own_file_says_every_key() {
    let text = include_str!("../../harness.toml");
    let loaded = Project::new(Some(text)).load();
    let silent: Vec<&str> = loaded
        .values
        .iter()
        .filter(|value| value.origin == Origin::Default)
        .map(|value| value.key.as_str())
        .collect();
    assert_eq!(silent, Vec::<&str>::new());
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let project = || Project::new(Some("# mine\n[run]\njobs = 2\nattempts = 2\n"));
    let loaded = project().load();
    assert_eq!(
        (loaded.settings.run.jobs, loaded.settings.run.attempts),
        (Some(2), 2)
    );
    assert_eq!(origin(&loaded, "run.jobs"), "harness.toml:3");
    assert_eq!(origin(&loaded, "run.check"), "default");

    let loaded = project().env("PROOFYARD_RUN_JOBS", "3").load();
    assert_eq!(loaded.settings.run.jobs, Some(3));
    assert_eq!(
        origin(&loaded, "run.jobs"),
        "environment, PROOFYARD_RUN_JOBS"
    );

    let loaded = project()
        .env("PROOFYARD_RUN_JOBS", "3")
        .set("run.jobs=auto")
        .flag(Flag::named("--attempts", "run.attempts", ["5"]))
        .load();
    assert_eq!(
        (loaded.settings.run.jobs, loaded.settings.run.attempts),
        (None, 5)
    );
    assert_eq!(origin(&loaded, "run.jobs"), "flag --set");
    assert_eq!(origin(&loaded, "run.attempts"), "flag --attempts");
}

#[test]
fn lists_have_commas_in_the_environment_and_are_repeated_as_flags() {
    let loaded = Project::new(None)
        .env("PROOFYARD_RUN_AGENTS", "oracle, nop")
        .load();
    assert_eq!(loaded.settings.run.agents, ["oracle", "nop"]);
    let flag = Flag::named("--agent", "run.agents", ["script:a,b.jsonl", "nop"]);
    let loaded = Project::new(None).flag(flag).load();
    assert_eq!(loaded.settings.run.agents, ["script:a,b.jsonl", "nop"]);
    let loaded = Project::new(None)
        .set("run.check=false")
        .set("limits.cpus=0.5")
        .load();
    assert!(!loaded.settings.run.check);
    assert_eq!(loaded.settings.limits.cpus, 0.5);
}

#[test]
fn paths_of_the_file_begin_at_its_folder_and_those_of_flags_at_the_current_one() {
    let text = "[run]\ntasks = [\"mine\"]\nagents = [\"script:a.jsonl\", \"nop\"]\n[images]\ndir = \"images\"\n";
    let project = Project::new(Some(text))
        .below("deep/er")
        .set("host.state=state");
    fs::create_dir(project.root.path().join("images")).unwrap();
    let settings = project.load().settings;
    let root = project.root.path();
    assert_eq!(settings.file, Some(root.join("harness.toml")));
    assert_eq!(
        settings.run.tasks,
        [root.join("mine").display().to_string()]
    );
    let script = format!("script:{}", root.join("a.jsonl").display());
    assert_eq!(settings.run.agents, [script.as_str(), "nop"]);
    assert_eq!(settings.run.out, root.join("runs"));
    assert_eq!(settings.images.dir, Some(root.join("images")));
    assert_eq!(settings.host.state, root.join("deep/er/state"));
}

#[test]
fn the_ca_bundle_is_the_one_that_the_environment_names_if_it_exists() {
    let project = Project::new(None)
        .env("SSL_CERT_FILE", "/nowhere")
        .env("CURL_CA_BUNDLE", "ca.pem");
    fs::write(project.root.path().join("ca.pem"), "x").unwrap();
    assert_eq!(
        project.load().settings.host.ca_bundle,
        Some(project.root.path().join("ca.pem"))
    );
    let none = project.set("host.ca_bundle=");
    assert_eq!(none.load().settings.host.ca_bundle, None);
}

#[test]
fn an_unknown_key_of_the_file_is_shown_with_its_line() {
    let text = "[run]\njob = 2\n\n[limit]\ncpus = 1\n";
    assert_snapshot!(Project::new(Some(text)).error(), @r#"
        error: unknown key `job` in [run]
          ┌─ harness.toml:2:1
          │
        2 │ job = 2
          │ ^^^ did you mean `jobs`?

        error: unknown key `limit`
          ┌─ harness.toml:4:2
          │
        4 │ [limit]
          │  ^^^^^ did you mean `limits`?
        "#);
}

#[test]
fn an_unknown_key_of_environment_or_flag_names_the_nearest() {
    assert_snapshot!(Project::new(None).env("PROOFYARD_RUN_JOB", "2").error(), @r#"
        error: unknown setting `PROOFYARD_RUN_JOB`
          did you mean `PROOFYARD_RUN_JOBS`?
        "#);
    assert_snapshot!(Project::new(None).set("limits.memory=2").error(), @r#"
        error: unknown setting `limits.memory`
          did you mean `limits.memory_mb`?
        "#);
    let other = Project::new(None).env("PROOFYARD_LOG", "debug");
    assert_eq!(other.load().settings.run.attempts, 1);
    assert_snapshot!("run.jobs".parse::<Flag>().unwrap_err().render(false), @r#"
        error: `run.jobs` is not a setting
          a setting is written `--set table.key=value`, like run.jobs=4
        "#);
}

#[test]
fn a_wrong_value_says_where_it_came_from() {
    assert_snapshot!(Project::new(Some("[run]\nattempts = 0\n")).error(), @r#"
        error: `run.attempts` must be from 1 to 10000
          ┌─ harness.toml:2:12
          │
        2 │ attempts = 0
          │            ^
        "#);
    assert_snapshot!(Project::new(None).env("PROOFYARD_LIMITS_PIDS", "1").error(), @"error: `limits.pids` must be from 8 to 4194304 (environment, PROOFYARD_LIMITS_PIDS)");
    assert_snapshot!(Project::new(None).set("run.jobs=many").error(), @r#"error: `run.jobs` cannot be `many` (flag --set): this should be a whole number or "auto", and is the string "many""#);
    assert_snapshot!(Project::new(Some("[run]\nnetwork = \"ful\"\n")).error(), @r#"
        error: `network` in [run] cannot be read
          ┌─ harness.toml:2:11
          │
        2 │ network = "ful"
          │           ^^^^^ did you mean "full"? it may be "task", "none", "full"
        "#);
    assert_snapshot!(Project::new(Some("[limits]\ncpus = nan\n")).error(), @r#"
        error: `limits.cpus` must be more than 0, and at most 4096
          ┌─ harness.toml:2:8
          │
        2 │ cpus = nan
          │        ^^^
        "#);
}

#[test]
fn a_file_that_is_named_and_missing_is_an_error() {
    let mut project = Project::new(None);
    project.sources.config = Some("other.toml".into());
    assert_snapshot!(project.error(), @"error: `project/other.toml` cannot be read: No such file or directory (os error 2)");
}
