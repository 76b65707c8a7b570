//! Facts about a task's folder: its instruction, links, bounds, digest, discovery.

use std::os::unix::fs::{PermissionsExt, symlink};

use insta::assert_snapshot;

use super::tests::{Folder, REPO_TASK};
use super::*;

#[test]
fn canary_lines_are_not_told_to_the_agent() {
    let text = "<!-- some canary GUID 1 -->\n# another CANARY\n\n# Title\n\nText # canary\n";
    let task = Folder::new(REPO_TASK)
        .file("instruction.md", text)
        .load()
        .unwrap();
    assert_eq!(task.instruction, "# Title\n\nText # canary\n");
}

#[test]
fn an_instruction_that_is_not_utf8_names_byte_and_line() {
    let folder = Folder::new(REPO_TASK).file("instruction.md", b"Do\nthis \xff now\n");
    assert_snapshot!(folder.error(), @"error: `tasks/task/instruction.md` is not UTF-8: byte 8 (0xff), in line 2");
}

#[test]
fn an_instruction_that_is_missing_or_empty_is_an_error() {
    assert_snapshot!(Folder::new(REPO_TASK).without("instruction.md").error(), @"error: `tasks/task` has no instruction.md, which is what the agent is told");
    let folder = Folder::new(REPO_TASK).file("instruction.md", "<!-- canary -->\n\n");
    assert_snapshot!(folder.error(), @"error: `tasks/task/instruction.md` says nothing");
}

#[test]
fn a_folder_without_task_toml_says_how_to_begin() {
    assert_snapshot!(Folder::new("").without("task.toml").error(), @r#"
        error: `tasks/task` is not a task: it has no task.toml
          try: proofyard new tasks/new-task     a small task that works, to start from
        "#);
}

#[test]
fn a_link_that_leads_in_a_circle_is_named() {
    assert_snapshot!(Folder::new(REPO_TASK).link("tests/self", "self").error(), @r#"
        error: the link `tasks/task/tests/self` leads in a circle, to `self`
          a task is read as data: links stay inside its folder, and end
        "#);
    assert_snapshot!(Folder::new(REPO_TASK).link("tests/files/up", "..").error(), @r#"
        error: the link `tasks/task/tests/files/up` leads in a circle, to `tasks/task/tests`
          a task is read as data: links stay inside its folder, and end
        "#);
    let folder = Folder::new(REPO_TASK)
        .link("tests/a", "../repo")
        .link("repo/b", "../tests");
    let shown = folder.error();
    assert!(shown.contains("leads in a circle"), "{shown}");
}

#[test]
fn a_link_that_leaves_the_task_is_refused_also_when_it_leads_nowhere() {
    for target in ["/etc/passwd", "../../..", "../../nowhere", "/nowhere"] {
        let folder = Folder::new(REPO_TASK).link("tests/out", target);
        let error = folder.load().unwrap_err();
        assert!(
            matches!(error, TaskError::LinkLeaves { .. }),
            "{target}: {error}"
        );
    }
    let inside = Folder::new(REPO_TASK).link("tests/in", "../repo/none");
    assert!(inside.load().is_ok());
}

#[test]
fn a_pipe_in_a_task_is_refused_and_not_read() {
    let folder = Folder::new(REPO_TASK);
    let pipe = folder.path().join("tests/pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(matches!(folder.load(), Err(TaskError::SpecialFile { .. })));
}

#[test]
fn a_task_is_bounded_in_number_and_size() {
    let folder = Folder::new(REPO_TASK);
    let few = Bounds {
        files: 3,
        bytes: 1 << 20,
    };
    let small = Bounds {
        files: 100,
        bytes: 10,
    };
    let many = folder::scan(&folder.path(), few).unwrap_err();
    assert!(matches!(many, TaskError::TooManyFiles { limit: 3, .. }));
    let large = folder::scan(&folder.path(), small).unwrap_err();
    assert!(matches!(large, TaskError::TooLarge { limit: 10, .. }));
}

#[test]
fn the_digest_sees_content_modes_and_links_and_not_what_editors_leave() {
    let digest = |folder: &Folder| folder.load().unwrap().digest;
    let first = digest(&Folder::new(REPO_TASK));
    assert!(first.as_str().starts_with("sha256:") && first.as_str().len() == 71);
    let same = Folder::new(REPO_TASK)
        .file("instruction.md~", "old")
        .file("tests/__pycache__/x.pyc", "x")
        .file(".git/HEAD", "x")
        .file(".instruction.md.swp", "x");
    assert_eq!(digest(&same), first);
    let content = Folder::new(REPO_TASK).file("repo/mod.py", "x = 2\n");
    let link = Folder::new(REPO_TASK).link("tests/in", "test.sh");
    let mode = Folder::new(REPO_TASK);
    let script = mode.path().join("tests/test.sh");
    fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
    let all = [first, digest(&content), digest(&link), digest(&mode)];
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), 4);
}

/// Two suites with three tasks.
fn suites() -> (tempfile::TempDir, String) {
    let root = tempfile::tempdir().unwrap();
    for (path, name) in [
        ("b/two", "s/two"),
        ("a/deep/one", "s/one"),
        ("a/three", "s/three"),
    ] {
        let folder = Folder::new(&REPO_TASK.replace("repo/glob-star", name));
        let to = root.path().join(path);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(folder.path(), to).unwrap();
    }
    let path = root.path().display().to_string();
    (root, path)
}

#[test]
fn tasks_are_found_at_any_depth_in_order_and_loaded_once() {
    let (_root, path) = suites();
    let args = [path.clone(), format!("{path}/b/two")];
    let tasks = load_all(&args).unwrap();
    let names: Vec<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(names, ["s/one", "s/three", "s/two"]);
    assert_eq!(tasks[2].source, format!("{path}/b/two"));
}

#[test]
fn every_bad_task_is_told_and_two_of_one_name() {
    let (root, path) = suites();
    fs::write(
        root.path().join("b/two/task.toml"),
        REPO_TASK.replace("repo/glob-star", "s/one"),
    )
    .unwrap();
    fs::remove_file(root.path().join("a/three/task.toml")).unwrap();
    fs::create_dir(root.path().join("c")).unwrap();
    symlink("..", root.path().join("c/up")).unwrap();
    let args = [
        format!("{path}/a"),
        format!("{path}/b"),
        format!("{path}/c"),
        "nowhere".into(),
    ];
    let shown: Vec<String> = load_all(&args)
        .unwrap_err()
        .iter()
        .map(|error| error.render(false).replace(&path, "tasks"))
        .collect();
    assert_snapshot!(shown.join("\n"), @r#"
        error: `tasks/a/three` is not a task: it has no task.toml
          try: proofyard new tasks/a/new-task     a small task that works, to start from

        error: two tasks are called `s/one`: `tasks/a/deep/one` and `tasks/b/two`
          a task is called by `name` in [task], else like its folder

        error: the link `tasks/c/up/c/up` leads in a circle, to `tasks/c/up`
          a task is read as data: links stay inside its folder, and end

        error: there is no `nowhere`
        "#);
}

#[test]
fn where_answers_are_is_a_host_and_a_path() {
    let with = |answers: &str| {
        let declared = format!("[verification]\nanswers = [{answers}]");
        Folder::new(&REPO_TASK.replace("[verification]", &declared))
    };
    let task = with("\"forge.example/spans/pull\"").load().unwrap();
    assert_eq!(task.verification.answers, ["forge.example/spans/pull"]);
    for wrong in ["https://forge.example/x", "/x", "", "a b"] {
        let shown = with(&format!("\"{wrong}\"")).error();
        assert!(
            shown.contains("is not the beginning of an address"),
            "{shown}"
        );
    }
}

/// A task in Harbor's layout, with this `[verification]`.
fn contract(keys: &str) -> Folder {
    Folder::new(&format!("[verification]\n{keys}"))
}

#[test]
fn a_contract_of_another_format_is_kept_with_what_is_fixed() {
    use crate::record::Sees;
    use crate::task::{Format, Network};
    let task = contract("contract = \"harbor\"\nsees = \"live\"\nhidden = \"writable\"\n")
        .load()
        .unwrap();
    assert_eq!((task.format, task.ours()), (Format::Harbor, false));
    assert_eq!(task.verification.sees, Sees::Live);
    assert!(task.verification.fixed && !task.verification.hold);
    assert_eq!(task.environment.network, Network::Full, "the format's own");
    // Nothing is fixed: a way is looked for, as for any task of the format.
    let open = contract("contract = \"harbor\"\n").load().unwrap();
    assert!(!open.verification.fixed && !open.ours());
    let own = contract("hidden = \"writable\"\n").load().unwrap();
    assert!(own.ours() && !own.verification.fixed && !own.verification.hold);
}

#[test]
fn a_contract_that_cannot_be_kept_says_why() {
    let test = "contract = \"harbor\"\nfail_to_pass = [\"a\"]\n";
    assert_snapshot!(contract(test).error(), @r#"
        error: Harbor's contract is a tests/test.sh that writes a reward
          ┌─ tasks/task/task.toml:2:12
          │
        2 │ contract = "harbor"
          │            ^^^^^^^^ leave `contract` out to expect tests by name
        "#);
    let hidden = "contract = \"harbor\"\nhidden = \"held\"\n";
    assert_snapshot!(contract(hidden).error(), @r#"
        error: `hidden` says nothing here without `sees`
          ┌─ tasks/task/task.toml:3:10
          │
        3 │ hidden = "held"
          │          ^^^^^^ without `sees` the strongest way at which the solution passes is looked for
        "#);
    let repo = "contract = \"harbor\"\nsees = \"files\"\n[repo]\npath = \"repo\"\n";
    assert_snapshot!(contract(repo).error(), @r#"
        error: a task with a [repo] keeps to no other format's contract
          ┌─ tasks/task/task.toml:2:12
          │
        2 │ contract = "harbor"
          │            ^^^^^^^^ leave one of the two out
        "#);
    assert_snapshot!(contract("contract = \"harbour\"\n").error(), @r#"
        error: `contract` in [verification] cannot be read
          ┌─ tasks/task/task.toml:2:12
          │
        2 │ contract = "harbour"
          │            ^^^^^^^^^ did you mean "harbor"? it may be "harbor"
        "#);
}

#[test]
fn a_script_that_runs_unittest_is_named_in_plain_words() {
    let of = |command: &str| {
        let runner = format!("runner = \"unittest-script\"\n{command}\noverlay =");
        Folder::new(&REPO_TASK.replace("overlay =", &runner))
    };
    let task = of("command = \"./tests/runtests.py -v {targets}\"").load();
    assert_eq!(task.unwrap().verification.runner.name(), "unittest-script");
    let commands = [
        "\"./tests/run\"",
        "\"cd tests && ./run.py\"",
        "\"a 'b c.py'\"",
    ];
    let commands = commands.map(|command| format!("command = {command}"));
    for command in commands.iter().map(String::as_str).chain([""]) {
        let shown = of(command).error();
        assert!(
            shown.contains("names a Python script"),
            "{command}: {shown}"
        );
    }
}
