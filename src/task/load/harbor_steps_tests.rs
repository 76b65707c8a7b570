//! Facts about tasks with steps: what each says, and what it takes from the task.

use insta::assert_snapshot;

use super::tests::Folder;
use crate::record::Strategy;
use crate::task::{Hidden, Step};

/// A task with steps `a` and `b`, whose tables are these.
fn stepped(before: &str, a: &str, b: &str) -> Folder {
    let toml = format!("{before}[[steps]]\nname = \"a\"\n{a}[[steps]]\nname = \"b\"\n{b}");
    Folder::new(&toml)
        .without("instruction.md")
        .file("steps/a/instruction.md", "# canary\n\nFirst.\n")
        .file("steps/b/instruction.md", "Second.\n")
}

fn steps(folder: &Folder) -> Vec<Step> {
    folder.load().unwrap().steps
}

#[test]
fn a_step_says_what_is_told_and_tested() {
    let folder = stepped("", "", "")
        .file("steps/b/tests/test.sh", "")
        .file("steps/b/workdir/setup.sh", "")
        .file("steps/b/solution/solve.sh", "");
    let task = folder.load().unwrap();
    let [a, b] = task.steps.as_slice() else {
        panic!("{:?}", task.steps)
    };
    assert_eq!((a.name.as_str(), b.name.as_str()), ("a", "b"));
    assert_eq!(task.instruction, "First.\n");
    assert_eq!(b.instruction, "Second.\n");
    let dir = &task.dir;
    // The task's tests first, the step's over them.
    let both = vec![dir.join("tests"), dir.join("steps/b/tests")];
    assert_eq!(
        a.verification.hidden,
        Hidden::Overlay(vec![dir.join("tests")])
    );
    assert_eq!(b.verification.hidden, Hidden::Overlay(both));
    assert_eq!(
        (&a.workdir, &b.workdir),
        (&None, &Some(dir.join("steps/b/workdir")))
    );
    assert_eq!(a.solution, Some(dir.join("solution")));
    assert_eq!(b.solution, Some(dir.join("steps/b/solution")));
    assert_eq!(task.reward_strategy, Strategy::Mean);
    assert_eq!(folder.warnings(), "");
}

#[test]
fn what_a_step_does_not_say_is_the_tasks_but_for_the_verifiers_time() {
    let before = "\
[agent]
timeout_sec = 100
user = \"worker\"
[verifier]
timeout_sec = 900
user = \"judge\"
env = { A = \"task\", B = \"task\" }
[[verifier.collect]]
command = \"first\"
";
    let b = "\
[steps.agent]
timeout_sec = 5
user = 0
[steps.verifier]
timeout_sec = 7
user = \"root\"
env = { B = \"step\" }
[[steps.verifier.collect]]
command = \"second\"
";
    let steps = steps(&stepped(before, "", b));
    let agent = |step: &Step| {
        (
            step.agent.timeout.unwrap().as_secs(),
            step.agent.user.clone().unwrap(),
        )
    };
    assert_eq!(agent(&steps[0]), (100, "worker".into()));
    assert_eq!(agent(&steps[1]), (5, "0".into()));
    let verifier = |step: &Step| {
        let verification = &step.verification;
        let env: Vec<&str> = verification.env.values().map(String::as_str).collect();
        let commands: Vec<&str> = verification
            .collect
            .iter()
            .map(|collect| collect.command.as_str())
            .collect();
        let seconds = verification.timeout.as_secs();
        (
            seconds,
            verification.user.clone().unwrap(),
            env.join(" "),
            commands.join(" "),
        )
    };
    assert_eq!(
        verifier(&steps[0]),
        (600, "judge".into(), "task task".into(), "first".into())
    );
    assert_eq!(
        verifier(&steps[1]),
        (7, "root".into(), "task step".into(), "first second".into())
    );
}

#[test]
fn a_least_reward_is_a_number_or_a_map() {
    let least = |line: &str| {
        let steps = steps(&stepped("", line, ""));
        steps[0].min_reward.clone().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(least(""), []);
    assert_eq!(least("min_reward = 1\n"), [("reward".to_owned(), 1.0)]);
    assert_eq!(least("min_reward = 0.5\n"), [("reward".to_owned(), 0.5)]);
    assert_eq!(
        least("min_reward = { reward = 1, style = 0.5 }\n"),
        [("reward".to_owned(), 1.0), ("style".to_owned(), 0.5)]
    );
    let odd = stepped("", "min_reward = nan\n", "").heads();
    assert_eq!(odd, "`min_reward` must be finite");
    let wrong = stepped("", "min_reward = \"high\"\n", "").error();
    assert!(wrong.contains("a number, or a table of numbers"), "{wrong}");
}

#[test]
fn a_step_has_artifacts_and_a_health_check_of_its_own() {
    let a = "artifacts = [\"/of-a\"]\n[steps.healthcheck]\ncommand = \"up\"\n";
    let folder = stepped("artifacts = [\"/of-all\"]\n", a, "");
    let task = folder.load().unwrap();
    assert_eq!(task.steps[0].health.as_ref().unwrap().command, "up");
    assert_eq!(task.steps[1].health, None);
    let of = |step: usize| {
        let artifacts = task.of_step(&task.steps[step]).artifacts;
        let sources: Vec<String> = artifacts.into_iter().map(|one| one.source).collect();
        sources.join(" ")
    };
    assert_eq!((of(0), of(1)), ("/of-all /of-a".into(), "/of-all".into()));
}

#[test]
fn strategies_are_two() {
    let of = |word: &str| {
        let before = format!("multi_step_reward_strategy = \"{word}\"\n");
        let folder = stepped(&before, "", "");
        folder
            .load()
            .map(|task| task.reward_strategy)
            .map_err(|_| folder.error())
    };
    assert_eq!(of("mean"), Ok(Strategy::Mean));
    assert_eq!(of("final"), Ok(Strategy::Final));
    let wrong = of("median").unwrap_err();
    assert!(wrong.contains("\"mean\", \"final\""), "{wrong}");
    let alone = Folder::new("multi_step_reward_strategy = \"final\"\nsteps = []\n");
    assert_snapshot!(alone.warnings(), @"tasks/task/task.toml:1:1: `multi_step_reward_strategy` says nothing, since the task has no [[steps]]");
}

#[test]
fn a_step_is_called_like_a_folder_of_every_system() {
    let named = |name: &str| {
        let folder = Folder::new(&format!("[[steps]]\nname = \"{name}\"\n"))
            .file("steps/x/instruction.md", "X.\n");
        folder.heads()
    };
    for name in [
        "", " ", ".", "..", "a/b", "a\\\\b", "a:b", "a?", "end.", "end ", "a\\u007f",
    ] {
        let heads = named(name);
        assert!(
            heads.contains("cannot be the name of a step"),
            "{name}: {heads}"
        );
    }
    let long = "é".repeat(128);
    assert!(named(&long).contains("cannot be the name of a step"));
    for name in ["a b", ".hidden", "Größe-1", &"é".repeat(127)] {
        let folder = Folder::new(&format!("[[steps]]\nname = \"{name}\"\n"))
            .file(&format!("steps/{name}/instruction.md"), "X.\n");
        assert_eq!(steps(&folder)[0].name, name);
    }
    let none = Folder::new("[[steps]]\nmin_reward = 1\n").heads();
    assert!(none.contains("cannot be the name of a step"), "{none}");
}

#[test]
fn two_steps_differ_in_more_than_case() {
    let folder = Folder::new("[[steps]]\nname = \"Äa\"\n[[steps]]\nname = \"äA\"\n")
        .file("steps/Äa/instruction.md", "X.\n")
        .file("steps/äA/instruction.md", "X.\n");
    assert_eq!(folder.heads(), "two steps are called `äA`");
}

#[test]
fn a_step_needs_an_instruction_and_a_test() {
    let untold = stepped("", "", "").without("steps/b/instruction.md");
    assert_snapshot!(untold.error(), @"error: tasks/task/task.toml: step `b`: `tasks/task/steps/b` has no instruction.md, which is what the agent is told");
    let untested = stepped("", "", "")
        .without("tests")
        .file("steps/a/tests/test.sh", "");
    assert_snapshot!(untested.error(), @"error: tasks/task/task.toml: nothing verifies the step `b`: there is neither steps/b/tests/test.sh nor tests/test.sh");
}

#[test]
fn an_instruction_beside_steps_is_not_told() {
    for text in ["Nobody reads it.\n", ""] {
        let task = stepped("", "", "")
            .file("instruction.md", text)
            .load()
            .unwrap();
        assert_eq!(task.instruction, "First.\n");
    }
}

#[test]
fn a_step_has_the_network_of_the_task() {
    let same = "[steps.agent]\nnetwork_mode = \"public\"\n";
    assert!(stepped("", same, "").load().is_ok());
    let other = "[steps.agent]\nnetwork_mode = \"no-network\"\n";
    let heads = stepped("", other, "").heads();
    assert_eq!(
        heads,
        "another network for a step than for the task is not supported yet"
    );
    let verifier = "[steps.verifier]\nnetwork_mode = \"no-network\"\n";
    let steps = steps(&stepped("", "", verifier));
    let networks: Vec<_> = steps
        .iter()
        .map(|step| &step.verification.network)
        .collect();
    assert_eq!(
        networks,
        [&crate::task::Network::Full, &crate::task::Network::None]
    );
}
