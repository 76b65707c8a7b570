//! Facts about Harbor's verifiers: shared and separate ones and their images, commands
//! that collect, artifacts.

use insta::assert_snapshot;

use super::tests::Folder;
use super::*;
use crate::task::{Artifact, Collect, Hidden, ImageSource, Network, Separate};

const SEPARATE: &str = "[verifier]\nenvironment_mode = \"separate\"\n";

/// The verifier's own environment, where it has one.
fn separate(folder: &Folder) -> Option<Separate> {
    folder.load().unwrap().verification.separate
}

#[test]
fn a_verifier_is_separate_where_that_is_said_or_implied() {
    assert!(separate(&Folder::new("")).is_none());
    let shared = "[verifier]\nenvironment_mode = \"shared\"\n";
    assert!(separate(&Folder::new(shared)).is_none());
    assert!(separate(&Folder::new(SEPARATE)).is_some());
    let implied = "[verifier.environment]\ncpus = 1\n";
    assert!(separate(&Folder::new(implied)).is_some());
    let conflict = format!("{shared}[verifier.environment]\ncpus = 1\n");
    assert_snapshot!(Folder::new(&conflict).error(), @r#"
    error: a verifier with an environment of its own is not "shared"
      ┌─ tasks/task/task.toml:2:20
      │
    2 │ environment_mode = "shared"
      │                    ^^^^^^^^ leave one of the two out
    "#);
    let unknown = Folder::new("[verifier]\nenvironment_mode = \"own\"\n").error();
    assert!(unknown.contains("\"shared\", \"separate\""), "{unknown}");
}

#[test]
fn what_is_wrong_with_the_tasks_verifier_is_told_once_however_many_steps_look_at_it() {
    let toml = "[verifier]\nenvironment_mode = \"separate\"\n[verifier.environment]\ncpus = -1\nenv = { A = \"${UNSET}\" }\n\
        [[steps]]\nname = \"a\"\n[[steps]]\nname = \"b\"\n";
    let folder = Folder::new(toml)
        .file("steps/a/instruction.md", "A.\n")
        .file("steps/b/instruction.md", "B.\n");
    assert_snapshot!(folder.heads(), @r"
    `cpus` must be more than 0
    the variable `UNSET` is not set
    ");
}

/// What a verifier's image is made from, and whether it holds the tests.
fn image(separate: Option<Separate>, dir: &Path) -> (String, bool) {
    let separate = separate.unwrap();
    let source = match separate.environment.image {
        ImageSource::Named(name) => name,
        ImageSource::Instance(_) => panic!("no instance of a data set"),
        ImageSource::Dockerfile(folder) => {
            let below = folder.strip_prefix(dir).unwrap();
            format!("{}/Dockerfile", below.display())
        }
        ImageSource::Build(build) => {
            let below = build.context.strip_prefix(dir).unwrap();
            format!("built from {}", below.display())
        }
    };
    (source, separate.has_tests)
}

#[test]
fn a_step_takes_the_first_of_five_images() {
    let of = |levels: &[&str]| {
        let has = |level: &str| levels.contains(&level);
        let named = |level: &str, table: &str, name: &str| match has(level) {
            true => format!("[{table}]\ndocker_image = \"{name}\"\n"),
            false => String::new(),
        };
        let toml = format!(
            "[verifier]\nenvironment_mode = \"separate\"\n{}[[steps]]\nname = \"a\"\n{}",
            named("task image", "verifier.environment", "of-task"),
            named("step image", "steps.verifier.environment", "of-step"),
        );
        let mut folder = Folder::new(&toml).file("steps/a/instruction.md", "A.\n");
        for (level, file) in [
            ("step tests", "steps/a/tests/Dockerfile"),
            ("task tests", "tests/Dockerfile"),
        ] {
            if has(level) {
                folder = folder.file(file, "FROM proofyard/base\n");
            }
        }
        let task = folder.load().unwrap();
        image(task.steps[0].verification.separate.clone(), &task.dir)
    };
    let all = ["step image", "step tests", "task image", "task tests"];
    assert_eq!(of(&all), ("of-step".into(), true));
    assert_eq!(of(&all[1..]), ("steps/a/tests/Dockerfile".into(), true));
    assert_eq!(of(&all[2..]), ("of-task".into(), true));
    assert_eq!(of(&all[3..]), ("tests/Dockerfile".into(), true));
    assert_eq!(of(&[]), ("environment/Dockerfile".into(), false));
}

#[test]
fn a_task_takes_the_first_of_three_images() {
    let named = "[verifier.environment]\ndocker_image = \"own\"\n";
    let of = |folder: &Folder| {
        let task = folder.load().unwrap();
        image(task.verification.separate, &task.dir)
    };
    let all = Folder::new(named).file("tests/Dockerfile", "FROM proofyard/base\n");
    assert_eq!(of(&all), ("own".into(), true));
    let empty = Folder::new("[verifier.environment]\ndocker_image = \"\"\n")
        .file("tests/Dockerfile", "FROM proofyard/base\n");
    assert_eq!(of(&empty), ("tests/Dockerfile".into(), true));
    // A compose file of the tests builds it too, but not one of another name.
    let compose = "services: { main: { build: . } }\n";
    let composed = Folder::new(SEPARATE)
        .file("tests/Dockerfile", "FROM proofyard/base\n")
        .file("tests/docker-compose.yaml", compose);
    assert_eq!(of(&composed), ("built from tests".into(), true));
    let other = Folder::new(SEPARATE).file("tests/compose.yaml", compose);
    assert_eq!(of(&other), ("environment/Dockerfile".into(), false));
    let agents = Folder::new(
        "[environment]\ndocker_image = \"agents\"\n[verifier]\nenvironment_mode = \"separate\"\n",
    );
    assert_eq!(of(&agents), ("agents".into(), false));
}

#[test]
fn tests_are_laid_where_the_image_does_not_hold_them() {
    let fresh = Folder::new(SEPARATE).load().unwrap();
    assert_eq!(
        fresh.verification.hidden,
        Hidden::Overlay(vec![fresh.dir.join("tests")])
    );
    // Nobody looks for a test.sh of an image's own.
    let held = Folder::new("[verifier.environment]\ndocker_image = \"own\"\n")
        .without("tests/test.sh")
        .load()
        .unwrap();
    assert_eq!(held.verification.hidden, Hidden::Overlay(Vec::new()));
    let missing = Folder::new(SEPARATE).without("tests/test.sh").heads();
    assert!(missing.contains("there is no tests/test.sh"), "{missing}");
}

#[test]
fn resources_and_networks_of_a_verifier_are_of_the_nearest_table() {
    let toml = "\
[environment]
cpus = 4
network_mode = \"no-network\"
[verifier]
network_mode = \"no-network\"
[verifier.environment]
cpus = 1
memory_mb = 256
env = { OWN = \"1\" }
[[steps]]
name = \"a\"
[steps.verifier.environment]
cpus = 2
[[steps]]
name = \"b\"
[steps.verifier]
network_mode = \"public\"
";
    let folder = Folder::new(toml)
        .file("steps/a/instruction.md", "A.\n")
        .file("steps/b/instruction.md", "B.\n");
    let task = folder.load().unwrap();
    let of = |step: usize| {
        let separate = task.steps[step].verification.separate.clone();
        let own = separate.unwrap().environment;
        (own.cpus, own.memory_bytes, own.network)
    };
    assert_eq!(of(0), (Some(2.0), None, Network::None));
    assert_eq!(of(1), (Some(1.0), Some(256 << 20), Network::Full));
    // A fresh environment is the agent's, and what is said of it.
    let fresh = Folder::new(&format!("[environment]\ncpus = 4\n{SEPARATE}"));
    let own = separate(&fresh).unwrap().environment;
    assert_eq!((own.cpus, own.network), (Some(4.0), Network::Full));
}

#[test]
fn a_steps_mode_stands_before_the_tasks() {
    let toml = "[verifier]\nenvironment_mode = \"separate\"\n[[steps]]\nname = \"a\"\n\
        [steps.verifier]\nenvironment_mode = \"shared\"\n[[steps]]\nname = \"b\"\n";
    let folder = Folder::new(toml)
        .file("steps/a/instruction.md", "A.\n")
        .file("steps/b/instruction.md", "B.\n");
    let steps = folder.load().unwrap().steps;
    let modes: Vec<bool> = steps
        .iter()
        .map(|step| step.verification.separate.is_some())
        .collect();
    assert_eq!(modes, [false, true]);
}

/// A task with a service `db`.
fn with_db(toml: &str) -> Folder {
    let compose = "services:\n  main: { build: . }\n  db: { image: postgres }\n";
    Folder::new(toml).file("environment/docker-compose.yaml", compose)
}

#[test]
fn commands_collect_in_a_service_or_in_the_agents_sandbox() {
    let toml = "\
[[verifier.collect]]
command = \"dump\"
[[verifier.collect]]
command = \"pg_dump\"
service = \"db\"
timeout_sec = 5
user = 70
[[verifier.collect]]
command = \"last\"
service = \"main\"
";
    let of = |command: &str, service: Option<&str>, seconds: u64, user: Option<&str>| Collect {
        command: command.to_owned(),
        service: service.map(str::to_owned),
        timeout: std::time::Duration::from_secs(seconds),
        user: user.map(str::to_owned),
    };
    assert_eq!(
        with_db(toml).load().unwrap().verification.collect,
        [
            of("dump", None, 60, None),
            of("pg_dump", Some("db"), 5, Some("70")),
            of("last", None, 60, None)
        ]
    );
    let without = Folder::new("[[verifier.collect]]\nservice = \"main\"\n").heads();
    assert_eq!(without, "[[verifier.collect]] needs a `command`");
}

#[test]
fn a_service_that_is_named_is_there() {
    let collect = "[[verifier.collect]]\ncommand = \"dump\"\nservice = \"cache\"\n";
    assert_snapshot!(Folder::new(collect).error(), @r#"
    error: there is no service `cache`
      ┌─ tasks/task/task.toml:3:11
      │
    3 │ service = "cache"
      │           ^^^^^^^ the task has no environment/docker-compose.yaml
    "#);
    assert_snapshot!(with_db(collect).warnings(), @"tasks/task/task.toml:3:1: there is no service `cache` in docker-compose.yaml");
    let artifact = "artifacts = [{ source = \"/dump\", service = \"cache\" }]\n";
    let heads = Folder::new(artifact).heads();
    assert_eq!(heads, "there is no service `cache`");
    assert!(with_db(artifact).warnings().contains("no service `cache`"));
}

#[test]
fn artifacts_are_paths_or_tables() {
    let toml = "artifacts = [\"/out\", \"rel/file\", { source = \"/var/log\", destination = \"logs/all\", exclude = [\"*.tmp\"] }, { source = \"/dump\", service = \"db\" }, { source = \"/x\", service = \"main\", destination = \"\" }]\n";
    let plain = |source: &str| Artifact {
        source: source.to_owned(),
        destination: None,
        exclude: Vec::new(),
        service: None,
    };
    let folder = with_db(toml);
    assert_eq!(
        folder.load().unwrap().artifacts,
        [
            plain("/out"),
            plain("rel/file"),
            Artifact {
                destination: Some("logs/all".into()),
                exclude: vec!["*.tmp".into()],
                ..plain("/var/log")
            },
            Artifact {
                service: Some("db".into()),
                ..plain("/dump")
            },
            plain("/x"),
        ]
    );
    assert_eq!(folder.warnings(), "");
}

#[test]
fn an_artifact_stays_in_its_place() {
    let of = |artifact: &str| with_db(&format!("artifacts = [{artifact}]\n")).heads();
    for source in ["\"/a/../b\"", "\"..\"", "\"\"", "{ destination = \"x\" }"] {
        assert_eq!(of(source), "an artifact needs a `source`", "{source}");
    }
    for to in [
        "/abs",
        "a/../b",
        "..",
        "a\\\\b",
        "manifest.json",
        "manifest.json/",
        ".",
        "./",
    ] {
        let heads = of(&format!("{{ source = \"/a\", destination = \"{to}\" }}"));
        assert!(
            heads.contains("is no place for an artifact"),
            "{to}: {heads}"
        );
    }
    for to in ["a", "a/b/", "sub/manifest.json"] {
        let toml = format!("artifacts = [{{ source = \"/a\", destination = \"{to}\" }}]\n");
        assert!(Folder::new(&toml).load().is_ok(), "{to}");
    }
    let relative = of("{ source = \"dump\", service = \"db\" }");
    assert_eq!(
        relative,
        "`dump` of the service `db` must be an absolute path"
    );
    let wrong = of("1");
    assert!(wrong.contains("cannot be read"), "{wrong}");
}
