//! Facts about Harbor's fields: each as its format means it, with its default.

use insta::assert_snapshot;

use super::tests::Folder;
use crate::record::{Sees, Strategy};
use crate::task::{Format, ImageSource, Network};

#[test]
fn a_task_that_says_nothing_has_the_defaults_of_its_format() {
    let task = Folder::new("").load().unwrap();
    assert_eq!(task.format, Format::Harbor);
    assert_eq!(task.id.as_str(), "task");
    assert_eq!(task.agent.timeout, None, "there is no limit");
    assert_eq!(task.agent.user, None);
    let (verification, environment) = (&task.verification, &task.environment);
    assert_eq!(verification.timeout.as_secs(), 600);
    assert_eq!(environment.build_timeout.as_secs(), 600);
    assert_eq!(verification.sees, Sees::Files);
    assert!(verification.hold && !verification.fixed && verification.separate.is_none());
    assert_eq!(environment.network, Network::Full);
    assert_eq!(verification.network, Network::Full);
    assert!(!environment.network_is_said);
    assert_eq!((environment.cpus, environment.memory_bytes), (None, None));
    assert_eq!(environment.storage_bytes, None);
    assert_eq!(task.reward_strategy, Strategy::Mean);
    assert!(task.steps.is_empty() && task.artifacts.is_empty());
    assert_eq!(task.warnings, Vec::<String>::new());
}

#[test]
fn versions_up_to_the_newest_are_read_by_either_name() {
    for key in ["schema_version", "version"] {
        for minor in 0..=4 {
            let folder = Folder::new(&format!("{key} = \"1.{minor}\"\n"));
            assert_eq!(folder.warnings(), "");
        }
    }
    let later = Folder::new("version = \"2.0\"\n").warnings();
    assert_snapshot!(later, @"tasks/task/task.toml:1:1: schema version 2.0 is not known; read as 1.4");
    let number = Folder::new("schema_version = 1.4\n").error();
    assert!(
        number.contains("this should be a string, and is the floating point `1.4`"),
        "{number}"
    );
}

#[test]
fn what_is_for_people_is_kept_or_harms_nothing() {
    let toml = "\
source = \"https://example.org/tasks\"
[task]
name = \"org.x/a_task-1\"
version = \"3.1\"
description = \"One line.\"
authors = [{ name = \"A\", email = \"a@example.org\" }, { name = \"B\" }]
keywords = [\"shell\"]
[metadata]
author_name = \"A\"
difficulty = \"medium\"
category = \"files\"
expert_time_estimate_min = 5.5
nested = { deep = [1, 2] }
";
    let folder = Folder::new(toml);
    let task = folder.load().unwrap();
    assert_eq!(folder.warnings(), "");
    assert_eq!(task.id.as_str(), "org.x/a_task-1");
    assert_eq!(task.description, "One line.");
    assert_eq!(task.scenario.difficulty.as_deref(), Some("medium"));
    assert_eq!(task.scenario.tags, ["shell"]);
}

#[test]
fn a_name_is_an_organisation_and_a_task() {
    for name in ["task", "a/b/c", "/b", "a/", "a/.b", "a/b..c", "a b/c", ""] {
        let shown = Folder::new(&format!("[task]\nname = \"{name}\"\n")).heads();
        assert!(
            shown.contains("is not the name of a task"),
            "{name}: {shown}"
        );
    }
    let unnamed = Folder::new("[task]\ndescription = \"x\"\n").load();
    assert_eq!(unnamed.unwrap().id.as_str(), "task");
}

#[test]
fn numbers_are_taken_however_they_are_written() {
    let toml = "\
[agent]
timeout_sec = \"90\"
user = 1000
[verifier]
timeout_sec = 60
user = \"1000:1000\"
[environment]
cpus = 0.5
memory_mb = 2048.0
storage_mb = \"10240\"
gpus = 0
allow_internet = \"no\"
build_timeout_sec = 1.5e3
[environment.healthcheck]
command = \"true\"
retries = 2.0
interval_sec = 1
";
    let folder = Folder::new(toml);
    let task = folder.load().unwrap();
    let environment = &task.environment;
    assert_eq!(task.agent.timeout.unwrap().as_secs(), 90);
    assert_eq!(task.agent.user.as_deref(), Some("1000"));
    assert_eq!(task.verification.timeout.as_secs(), 60);
    assert_eq!(task.verification.user.as_deref(), Some("1000:1000"));
    assert_eq!(environment.cpus, Some(0.5));
    assert_eq!(environment.memory_bytes, Some(2 << 30));
    assert_eq!(environment.storage_bytes, Some(10 << 30));
    assert_eq!(environment.network, Network::None);
    assert_eq!(environment.build_timeout.as_secs(), 1500);
    assert_eq!(environment.health.as_ref().unwrap().retries, 2);
    assert_eq!(folder.warnings(), "");
}

#[test]
fn numbers_that_are_none_are_told_in_words() {
    let of = |line: &str| {
        let shown = Folder::new(&format!("[environment]\n{line}\n")).error();
        let label = shown.lines().find(|line| line.contains('^'));
        label
            .unwrap_or(&shown)
            .trim_matches([' ', '│', '^'])
            .to_owned()
    };
    assert_snapshot!(of("memory_mb = 2048.5"), @"this should be a whole number, 0 or more, and is the floating point `2048.5`");
    assert_snapshot!(of("memory_mb = -1"), @"this should be a whole number, 0 or more, and is the integer `-1`");
    assert_snapshot!(of("memory_mb = \"2G\""), @r#"this should be a whole number, 0 or more, and is the string "2G""#);
    assert_snapshot!(of("cpus = true"), @"this should be a number, and is the boolean `true`");
    assert_snapshot!(of("cpus = 0"), @"a number of processors");
    assert_snapshot!(of("cpus = nan"), @"a number of processors");
    assert_snapshot!(of("build_timeout_sec = inf"), @"at most a year");
    assert_snapshot!(of("allow_internet = \"maybe\""), @r#"this should be true or false, and is the string "maybe""#);
    assert_snapshot!(of("memory_mb = 99999999999999999999"), @"this should be a whole number, 0 or more, and is the integer `99999999999999999999`");
}

#[test]
fn older_sizes_have_a_unit_and_agree_with_newer_ones() {
    let memory = |lines: &str| {
        let folder = Folder::new(&format!("[environment]\n{lines}\n"));
        let task = folder.load().map_err(|_| folder.error())?;
        Ok::<_, String>(task.environment.memory_bytes)
    };
    assert_eq!(memory("memory = \"512M\""), Ok(Some(512 << 20)));
    assert_eq!(memory("memory = \" 1.5g \""), Ok(Some(1536 << 20)));
    assert_eq!(memory("memory = \"8192K\""), Ok(Some(8 << 20)));
    assert_eq!(
        memory("memory = \"2G\"\nmemory_mb = 2048"),
        Ok(Some(2 << 30))
    );
    let conflict = memory("memory = \"2G\"\nmemory_mb = 1024").unwrap_err();
    assert!(conflict.contains("say different sizes"), "{conflict}");
    let bare = memory("memory = \"2048\"").unwrap_err();
    assert!(bare.contains("`memory` is not a size"), "{bare}");
    // Harbor drops it without a word.
    let folder = Folder::new("[environment]\nmemory = 2048\n");
    assert_eq!(folder.load().unwrap().environment.memory_bytes, None);
    assert_snapshot!(folder.warnings(), @r#"tasks/task/task.toml:2:1: `memory` says nothing but as a text, like "2G"; use `memory_mb`"#);
}

#[test]
fn networks_are_of_the_environment_or_of_a_phase() {
    use Network::{Full, None};
    let of = |toml: &str| {
        let task = Folder::new(toml).load().unwrap();
        let said = task.environment.network_is_said;
        (task.environment.network, task.verification.network, said)
    };
    let closed = "[environment]\nnetwork_mode = \"no-network\"\n";
    assert_eq!(of(closed), (None, None, true));
    assert_eq!(
        of("[environment]\nnetwork_mode = \"public\"\n"),
        (Full, Full, true)
    );
    assert_eq!(
        of("[environment]\nallow_internet = false\n"),
        (None, None, true)
    );
    // The newer key counts.
    let both = "[environment]\nallow_internet = false\nnetwork_mode = \"public\"\n";
    assert_eq!(of(both), (Full, Full, true));
    let agent = "[agent]\nnetwork_mode = \"no-network\"\n";
    assert_eq!(of(agent), (None, Full, true));
    let verifier = format!("{closed}[verifier]\nnetwork_mode = \"public\"\n");
    assert_eq!(of(&verifier), (None, Full, true));
}

#[test]
fn an_allowlist_is_an_error_of_any_table() {
    for table in ["environment", "agent", "verifier"] {
        let mode = "network_mode = \"allowlist\"\nallowed_hosts = [\"example.org\"]\n";
        let shown = Folder::new(&format!("[{table}]\n{mode}")).heads();
        assert_eq!(
            shown,
            "a network of named hosts (\"allowlist\") is not supported yet"
        );
        let alone = Folder::new(&format!("[{table}]\nallowed_hosts = [\"a.b\"]\n")).heads();
        assert!(alone.contains("is only for"), "{alone}");
    }
    let unknown = Folder::new("[agent]\nnetwork_mode = \"none\"\n").error();
    assert!(unknown.contains("\"no-network\""), "{unknown}");
}

#[test]
fn systems_and_accelerators_that_are_not_here_are_errors() {
    let of = |line: &str| {
        let folder = Folder::new(&format!("[environment]\n{line}\n"));
        folder.load().map(drop).map_err(|_| folder.heads())
    };
    assert_eq!(of("os = \"Linux\""), Ok(()));
    assert_eq!(of("gpus = 0\ngpu_types = [\"H100\"]"), Ok(()));
    assert_snapshot!(of("os = \"windows\"").unwrap_err(), @"a task for Windows is not supported yet");
    assert_snapshot!(of("os = \"plan9\"").unwrap_err(), @"`plan9` is no system that a task may ask for");
    assert_snapshot!(of("gpus = 2").unwrap_err(), @"a task that needs a GPU is not supported yet");
    assert_snapshot!(of("tpu = { type = \"v6e\", topology = \"2x4\" }").unwrap_err(), @"a task that needs a TPU is not supported yet");
}

#[test]
fn variables_are_filled_in_where_they_are_the_whole_value() {
    let toml = "\
[environment.env]
A = \"${SET}\"
B = \"${UNSET:-}\"
C = \"${SET:-else}\"
D = \"${SET} and more\"
[verifier.env]
KEY = \"${SET}\"
[solution.env]
HINT = \"${UNSET:-${SET}}\"
";
    let task = Folder::new(toml).with_env("SET", "yes").load().unwrap();
    let env: Vec<_> = task.environment.env.into_iter().collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        env,
        [
            pair("A", "yes"),
            pair("B", ""),
            pair("C", "yes"),
            pair("D", "${SET} and more")
        ]
    );
    assert_eq!(task.verification.env["KEY"], "yes");
    assert_eq!(task.solution_env["HINT"], "${SET}");
    for table in ["environment", "verifier", "solution"] {
        let shown = Folder::new(&format!("[{table}.env]\nKEY = \"${{UNSET}}\"\n")).error();
        assert!(shown.contains("the variable `UNSET` is not set"), "{shown}");
        assert!(shown.contains("task.toml:2:7"), "{shown}");
    }
    let number = Folder::new("[environment.env]\nPORT = 80\n").error();
    assert!(number.contains("this should be a string"), "{number}");
}

#[test]
fn paths_of_the_sandbox_are_absolute() {
    for key in ["workdir", "skills_dir"] {
        for path in ["app", "", "/a/../b", "~/x"] {
            let shown = Folder::new(&format!("[environment]\n{key} = \"{path}\"\n")).heads();
            assert!(
                shown.contains("is not a path of the sandbox"),
                "{path}: {shown}"
            );
        }
    }
    let toml = "[environment]\nworkdir = \"/srv/app\"\nskills_dir = \"/skills\"\n";
    let environment = Folder::new(toml).load().unwrap().environment;
    assert_eq!(environment.workdir.as_deref(), Some("/srv/app"));
    assert_eq!(environment.skills.as_deref(), Some("/skills"));
}

#[test]
fn an_image_is_named_or_built() {
    let dockerfile = Folder::new("[environment]\ndocker_image = \"\"\n");
    let image = dockerfile.load().unwrap().environment.image;
    assert!(matches!(image, ImageSource::Dockerfile(_)), "{image:?}");
    let named = Folder::new("[environment]\ndocker_image = \"debian:bookworm\"\n");
    let task = named.load().unwrap();
    assert_eq!(
        task.environment.image,
        ImageSource::Named("debian:bookworm".into())
    );
    assert_eq!(task.environment.upload, None, "the folder has a Dockerfile");
    let files = named
        .without("environment/Dockerfile")
        .file("environment/data/x", "");
    let dir = files.load().unwrap().dir;
    assert_eq!(
        files.load().unwrap().environment.upload,
        Some(dir.join("environment"))
    );
    let nothing = files.without("environment");
    assert_eq!(nothing.load().unwrap().environment.upload, None);
    let none = Folder::new("").without("environment");
    assert_snapshot!(none.error(), @"error: tasks/task/task.toml: the task has no image: it needs an environment/Dockerfile, or `docker_image` in [environment]");
    let odd = Folder::new("[environment]\ndocker_image = \"--privileged\"\n").error();
    assert!(odd.contains("is not the name of an image"), "{odd}");
}

#[test]
fn a_solution_may_be_missing() {
    let none = Folder::new("").without("solution");
    assert_eq!(
        (none.load().unwrap().solution, none.warnings().len()),
        (None, 0)
    );
}

#[test]
fn keys_that_nobody_knows_are_warnings_with_the_nearest_key() {
    let toml = "\
schema_versoin = \"1.4\"
[agent]
timeout = 5
[verifier]
timout_sec = 5
[environment]
memroy_mb = 512
[environment.healthcheck]
command = \"true\"
intervall_sec = 1
[[environment.mcp_servers]]
name = \"a\"
url = \"http://a\"
uri = \"http://a\"
[[verifier.collect]]
command = \"true\"
usr = \"a\"
";
    assert_snapshot!(Folder::new(toml).warnings(), @"
    tasks/task/task.toml:1:1: unknown key `schema_versoin`; did you mean `schema_version`?; left out
    tasks/task/task.toml:3:1: unknown key `timeout` in [agent]; did you mean `timeout_sec`?; left out
    tasks/task/task.toml:5:1: unknown key `timout_sec` in [verifier]; did you mean `timeout_sec`?; left out
    tasks/task/task.toml:7:1: unknown key `memroy_mb` in [environment]; did you mean `memory_mb`?; left out
    tasks/task/task.toml:10:1: unknown key `intervall_sec` in [environment.healthcheck]; did you mean `interval_sec`?; left out
    tasks/task/task.toml:14:1: unknown key `uri` in [[environment.mcp_servers]]; did you mean `url`?; left out
    tasks/task/task.toml:17:1: unknown key `usr` in [[verifier.collect]]; did you mean `user`?; left out
    ");
}

#[test]
fn canary_lines_are_stripped_as_the_format_strips_them() {
    let told = |text: &str| {
        let task = Folder::new("").file("instruction.md", text).load().unwrap();
        task.instruction
    };
    assert_eq!(
        told("<!-- Canary 1 -->\n# the CANARY\n \n\nDo it.\n"),
        "Do it.\n"
    );
    assert_eq!(told("\n\n# A canary\n\nDo it.\n"), "# A canary\n\nDo it.\n");
    assert_eq!(told("# canary\n\n# A canary\nDo it."), "# A canary\nDo it.");
    assert_eq!(
        told("<!-- canary\n-->\nDo it.\n"),
        "<!-- canary\n-->\nDo it.\n"
    );
    let nothing = Folder::new("").file("instruction.md", "# canary").heads();
    assert_eq!(nothing, "`tasks/task/instruction.md` says nothing");
}
