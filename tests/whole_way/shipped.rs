//! The tasks that come with the program.

use crate::yard::Yard;

#[test]
fn the_shipped_tasks_load_without_a_warning_and_have_a_solution() {
    let tasks = proofyard::task::load_all(&["tasks".to_owned()]).unwrap();
    assert!(tasks.len() >= 21, "{}", tasks.len());
    for task in &tasks {
        assert_eq!(task.warnings, Vec::<String>::new(), "{}", task.id);
        assert!(task.solution.is_some(), "{}", task.id);
        // Each suite has a folder of its own.
        assert!(
            task.source.starts_with("tasks/repo/") == task.repo.is_some(),
            "{}",
            task.id
        );
    }
}

#[test]
fn the_shipped_tasks_are_resolved_by_their_solution_and_not_by_doing_nothing() {
    if std::env::var_os("PROOFYARD_SLOW").is_none() {
        eprintln!("skipped: PROOFYARD_SLOW is not set");
        return;
    }
    let yard = Yard::new();
    let (trials, code) = yard.run("tasks".as_ref(), &["-a", "oracle", "-a", "nop"]);
    assert_eq!(code, Some(0));
    assert!(trials.len() >= 42, "{}", trials.len());
    for trial in &trials {
        let expected = match trial["agent"]["name"] == "oracle" {
            true => "resolved",
            false => "unresolved",
        };
        assert_eq!(trial["outcome"], expected, "{trial:#}");
    }
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn the_examples_in_harbors_format_give_what_harbor_gives() {
    if std::env::var_os("PROOFYARD_SLOW").is_none() {
        eprintln!("skipped: PROOFYARD_SLOW is not set");
        return;
    }
    let yard = Yard::new();
    let (trials, code) = yard.run("examples/harbor".as_ref(), &["-a", "oracle", "-a", "nop"]);
    assert_eq!(code, Some(0));
    assert!(trials.len() >= 30, "{}", trials.len());
    for trial in &trials {
        let reward = match trial["agent"]["name"] == "oracle" {
            true => 1.0,
            false => 0.0,
        };
        assert_eq!(trial["reward"], reward, "{trial:#}");
    }
    let run = trials[0]["run"].as_str().unwrap();
    let audit = yard.proofyard(&["audit", run]);
    assert!(
        audit.status.success(),
        "{}",
        String::from_utf8_lossy(&audit.stdout)
    );
    assert_eq!(yard.left(), Vec::<String>::new());
}
