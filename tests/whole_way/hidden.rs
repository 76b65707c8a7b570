//! What tests run in: hidden files that nothing there can write, an environment that no
//! change can set, and no network.

use std::path::Path;

use serde_json::Value;

use crate::yard::{Yard, bash};

/// A hidden test of what root can do to hidden files, itself among them: what came of
/// each attempt, and where something is mounted.
const ATTEMPTS: &str = r#"import errno, os, shutil

DEEP = "/workspace/deep"
OTHER = "/workspace/test_titles.py"


def over(path):
    with open(path, "a") as file:
        file.write("\n")


def moved(folder):
    os.rename(folder, folder + ".old")
    os.rename(folder + ".old", folder)


def replaced(path):
    with open(path + ".new", "w") as file:
        file.write("def test_more(): pass\n")
    os.replace(path + ".new", path)


ATTEMPTS = [
    ("EROFS", lambda: over(__file__)),
    ("EROFS", lambda: over(OTHER)),
    ("EROFS", lambda: os.chmod(OTHER, 0o666)),
    ("EBUSY", lambda: os.remove(OTHER)),
    ("EBUSY", lambda: replaced(OTHER)),
    ("EXDEV", lambda: os.link(OTHER, "/workspace/link.py")),
    ("EBUSY", lambda: moved(DEEP)),
    ("EBUSY", lambda: moved("/workspace")),
    ("EROFS", lambda: over(DEEP + "/__pycache__/test_held.cpython-311.pyc")),
    ("EBUSY", lambda: os.rmdir(DEEP + "/__pycache__")),
    ("EROFS", lambda: over("/verifier/run.py")),
    ("EBUSY", lambda: shutil.rmtree("/verifier")),
    (None, lambda: over(DEEP + "/data.txt")),
    (None, lambda: over("/workspace/data.txt")),
]


def came(act):
    try:
        act()
    except OSError as error:
        return errno.errorcode[error.errno]


def test_held():
    assert os.getuid() == 0
    assert [came(act) for _, act in ATTEMPTS] == [expected for expected, _ in ATTEMPTS]
    with open("/proc/self/mountinfo") as file:
        mounts = {line.split()[4] for line in file}
    assert {mount for mount in mounts if mount.startswith("/workspace/")} == {
        DEEP,
        DEEP + "/__pycache__",
        DEEP + "/test_held.py",
        "/workspace/__pycache__",
        OTHER,
    }
"#;

fn reads(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn hidden_files_cannot_be_written_by_root_and_tests_can_write_beside_them() {
    let yard = Yard::new();
    let (task, _) = yard.words();
    let deep = task.join("tests/files/deep");
    std::fs::create_dir(&deep).unwrap();
    std::fs::write(deep.join("test_held.py"), ATTEMPTS).unwrap();
    let toml = reads(&task.join("task.toml"));
    let more = "pass_to_pass = [\n  \"deep/test_held.py::test_held\",";
    let toml = toml.replace("pass_to_pass = [", more);
    std::fs::write(task.join("task.toml"), toml).unwrap();
    for ways in [&[][..], &["--set", "engine.work_tree=image"]] {
        let trial = yard.one(&task, "oracle", ways);
        assert_eq!(trial["outcome"], "resolved", "{trial:#}");
        assert_eq!(trial["verdict"]["evidence"], "probed", "{trial:#}");
        assert_eq!(trial["verdict"]["hidden_read_only"], true);
    }
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn a_script_cannot_be_changed_while_it_runs_unless_its_task_says_so() {
    let yard = Yard::new();
    let check = "if echo 'echo 1 > /logs/verifier/reward.txt' >> /tests/test.sh\n\
                 then echo written; else echo 0 > /logs/verifier/reward.txt; fi";
    let task = yard.task("held", "", "true", check);
    let trial = yard.one(&task, "nop", &["--no-check"]);
    assert_eq!(trial["verdict"]["hidden_read_only"], true, "{trial:#}");
    assert_eq!(trial["reward"], 0.0, "{trial:#}");
    let more = "may_change = [\"/tests/test.sh\"]\n";
    let task = yard.task("free", more, "true", check);
    let trial = yard.one(&task, "nop", &["--no-check"]);
    assert_eq!(trial["reward"], 1.0, "{trial:#}");
    assert_eq!(yard.left(), Vec::<String>::new());
}

/// What a change lays so that programs which start later find more variables, or look
/// for their settings elsewhere.
const LAYS: &str = "export EVIL=1 PYTHONPATH=/evil
mkdir -p /evil /etc/profile.d /root/.config/git
sed -i '1i root:x:0:0:root:/evil:/bin/bash' /etc/passwd
for file in /etc/environment /etc/profile.d/a.sh /root/.bashrc /root/.profile \\
    /root/.bash_profile /root/.pam_environment /evil/.bashrc /evil/.profile; do
  echo 'export EVIL=1 BASH_ENV=/evil/.bashrc LD_PRELOAD=/evil/x.so' >> $file
done
echo 'EVIL=1' >> /etc/default/locale || true";

#[test]
fn a_test_finds_the_images_variables_and_the_tasks_and_no_others() {
    let yard = Yard::new();
    let more = "[environment]\nenv = { OF_THE_TASK = \"1\" }\n\
                [verifier]\nenv = { OF_THE_VERIFIER = \"1\" }\n";
    let check = "env | sort; ls /sys/class/net; echo 1 > /logs/verifier/reward.txt";
    let task = yard.task("variables", more, "true", check);
    yard.image(&task, "FROM proofyard/base\nENV OF_THE_IMAGE=1");
    let script = yard.script("lays.jsonl", &[bash(LAYS)]);
    let trial = yard.one(&task, &script, &["--no-check"]);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    let said = reads(&yard.stored(&trial).join("verifier/stdout.txt"));
    let (variables, devices): (Vec<&str>, Vec<&str>) =
        said.lines().partition(|line| line.contains('='));
    // `bash` adds PWD, SHLVL and _.
    let names = variables.iter().filter_map(|line| line.split('=').next());
    let expected = [
        "HOME",
        "OF_THE_IMAGE",
        "OF_THE_TASK",
        "OF_THE_VERIFIER",
        "PATH",
        "PWD",
        "SHLVL",
        "_",
    ];
    let mut names: Vec<&str> = names.filter(|name| *name != "LANG").collect();
    names.sort_unstable();
    assert_eq!(names, expected, "{said}");
    assert!(variables.contains(&"HOME=/root"), "{said}");
    assert_eq!(devices, ["lo"], "{said}");
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn the_agents_network_is_none_of_the_tests() {
    let yard = Yard::new();
    let more = "[environment]\nnetwork_mode = \"public\"\n";
    let check = "ls /sys/class/net; echo 1 > /logs/verifier/reward.txt";
    let devices = |trial: &Value| -> Vec<String> {
        let said = reads(&yard.stored(trial).join("verifier/stdout.txt"));
        said.lines().map(str::to_owned).collect()
    };
    let task = yard.task("online", more, "true", check);
    let looks = yard.script("looks.jsonl", &[bash("ls /sys/class/net")]);
    let trial = yard.one(&task, &looks, &["--no-check"]);
    let seen = yard.results(&trial)[0].output.clone().unwrap_or_default();
    assert!(seen.contains("eth0"), "{seen}");
    assert_eq!(devices(&trial), ["lo"]);
    let task = yard.task(
        "asked",
        &format!("network = \"full\"\n{more}"),
        "true",
        check,
    );
    let trial = yard.one(&task, "nop", &["--no-check"]);
    assert_eq!(devices(&trial), ["eth0", "lo"]);
    assert_eq!(yard.left(), Vec::<String>::new());
}
