//! What is the verifier's, and what crosses.

use super::*;
use crate::task::fixture::task;

fn rules(excused: &[&str]) -> Rules {
    let mut task = task("a");
    task.verification.fail_to_pass = vec!["tests/unit/test_new.py::a".into()];
    task.verification.pass_to_pass = vec!["pkg/test_old.py::b".into()];
    task.verification.may_change = vec!["tests/data/**".into()];
    let excused = excused.iter().map(|path| (*path).to_owned()).collect();
    let hidden = [
        "tests/unit/test_new.py".to_owned(),
        "tests/unit/data.json".to_owned(),
    ];
    Rules::new(&task, Some("/test/repo"), "/test/repo", &hidden, excused)
}

fn owned(path: &str) -> bool {
    matches!(rules(&[]).claim(path, false), Claim::Owned(_))
}

#[test]
fn tests_and_what_serves_them_are_the_verifiers() {
    for path in [
        "/test/repo/tests/unit/test_new.py",
        "/test/repo/tests/unit/test_new.py/below",
        "/test/repo/pkg/test_old.py",
        "/test/repo/tests/unit/data.json",
        "/test/repo/tests/unit/conftest.py",
        "/test/repo/tests/helper.py",
        "/test/repo/tests/other/test_more.py",
        "/test/repo/conftest.py",
        "/conftest.py",
        "/test/repo/pytest.ini",
        "/test/repo/pkg/.pytest.toml",
        // A link or file where a folder of tests was.
        "/test/repo/tests",
        "/test/repo/tests/unit",
        "/test/repo",
    ] {
        assert!(owned(path), "{path}");
    }
}

#[test]
fn what_is_the_agents_to_change_crosses() {
    for path in [
        "/test/repo/pkg/new.py",
        "/test/repo/pkg/__init__.py",
        "/test/repo/pkg/test_other.py",
        "/test/repo/docs/conftest.py",
        "/test/repo/testing/x.py",
        "/test/repo/setup.py",
        "/test/repo/tests/data/fresh.json",
        "/test/other/x.py",
        "/usr/local/lib/python3.11/dist-packages/requests/api.py",
        "/usr/local/lib/python3.11/dist-packages/pythonic/x.py",
        "/usr/lib/x86_64-linux-gnu/libpq.so.5",
        "/usr/local/bin/mytool",
        "/etc/nginx/nginx.conf",
        "/home/ada/notes/.bashrc",
        "/opt/python/x.txt",
        "/srv/lib/python_notes.txt",
    ] {
        assert_eq!(rules(&[]).claim(path, false), Claim::None, "{path}");
    }
    assert_eq!(rules(&[]).claim("/test/repo/tests/unit", true), Claim::None);
    assert_eq!(rules(&[]).claim("/usr/local/lib", true), Claim::None);
}

#[test]
fn what_starts_before_a_test_is_the_verifiers() {
    for path in [
        "/usr/local/lib/python3.11/dist-packages/sitecustomize.py",
        "/test/repo/usercustomize/__init__.py",
        "/etc/python3.11/sitecustomize.py",
        "/usr/local/lib/python3.11/dist-packages/_pytest/reports.py",
        "/usr/local/lib/python3.11/dist-packages/pytest-8.0.dist-info/METADATA",
        "/usr/local/lib/python3.11/dist-packages/pytest_evil.py",
        "/usr/local/lib/python3.11/dist-packages/pluggy/_hooks.py",
        "/usr/local/lib/python3.11/dist-packages/py.py",
        "/opt/venv/lib/python3.12/site-packages/iniconfig-2.0.0.dist-info/RECORD",
        "/usr/lib/python3.11/json/__init__.py",
        "/usr/lib/python3.11/lib-dynload/_json.so",
        "/usr/local/sbin/pytest",
        "/usr/local/bin/python3",
        "/usr/bin/python3.11",
        "/opt/venv/bin/python",
        "/usr/local/sbin/bash",
        "/bin",
        "/usr/local/lib/python3.11/dist-packages",
        "/etc/ld.so.preload",
        "/usr/lib/x86_64-linux-gnu/libc.so.6",
        "/usr/local/lib/libpython3.11.so.1.0",
        "/root/.bashrc",
        "/home/ada/.profile",
        "/etc/profile.d/zz.sh",
        "/root/.gitconfig",
        "/opt/venv/pyvenv.cfg",
    ] {
        assert!(owned(path), "{path}");
    }
}

#[test]
fn what_the_reference_solution_changes_too_crosses() {
    let rules = rules(&["/root/.bashrc"]);
    assert_eq!(rules.claim("/root/.bashrc", false), Claim::None);
    assert_ne!(rules.claim("/root/.profile", false), Claim::None);
}

fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o640);
        builder
            .append_data(&mut header, path, content.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap()
}

fn contents(tar: &[u8]) -> Vec<(String, String)> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().unwrap();
    entries
        .map(|entry| {
            let mut entry = entry.unwrap();
            assert_eq!(entry.header().mode().unwrap(), 0o640);
            let path = entry.path().unwrap().display().to_string();
            let mut content = String::new();
            std::io::Read::read_to_string(&mut entry, &mut content).unwrap();
            (path, content)
        })
        .collect()
}

#[test]
fn a_change_is_parted_byte_for_byte() {
    let long = format!("pkg/{}/new.py", "deep/".repeat(60).trim_end_matches('/'));
    let changed = tar(&[
        ("conftest.py", "import evil\n"),
        (&long, "x = 1\n"),
        (
            "pyproject.toml",
            "[project]\nname = 'b'\n[tool.pytest.ini_options]\naddopts = '-p evil'\n",
        ),
        ("pkg/__pycache__/a.cpython-311.pyc", "stale"),
        ("a.pth", "import evil\n"),
        ("b.pth", "# mine\npkg\n/test/repo/src\n"),
        ("a.dist-info/entry_points.txt", "[pytest11]\nx = evil\n"),
        ("b.dist-info/entry_points.txt", "[console_scripts]\nx = y\n"),
        ("pkg/old.py", "y = 2\n"),
    ]);
    let deleted = [
        b"/test/repo/tests/unit/test_new.py".to_vec(),
        b"/test/repo/gone.py".to_vec(),
    ];
    let change = Change {
        root: "/test/repo",
        deleted: &deleted,
        tar: &changed,
    };
    let rules = rules(&[]);
    assert_eq!(sections(&rules, change), ["/test/repo/pyproject.toml"]);
    let before = b"[project]\nname = 'a'\n".to_vec();
    let pristine = Pristine::from([("/test/repo/pyproject.toml".to_owned(), before)]);
    let kept = keep(&rules, change, &pristine);
    assert_eq!(kept.deleted, [b"/test/repo/gone.py".to_vec()]);
    let got = contents(&kept.tar);
    let names: Vec<&str> = got.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        names,
        [
            &long,
            "b.pth",
            "b.dist-info/entry_points.txt",
            "pkg/old.py",
            "pyproject.toml"
        ]
    );
    assert_eq!(got[3].1, "y = 2\n");
    assert_eq!(got[4].1, "[project]\nname = \"b\"\n\n[tool]\n");
    let named: Vec<String> = kept
        .withheld
        .iter()
        .map(|own| format!("{}: {}", own.path, own.what))
        .collect();
    assert_eq!(
        named,
        [
            "tests/unit/test_new.py: test file",
            "conftest.py: pytest's conftest",
            "pyproject.toml: runner configuration",
            "a.pth: start of the interpreter",
            "a.dist-info/entry_points.txt: a plug-in of the runner",
        ]
    );
}

proptest::proptest! {
    #[test]
    fn any_stream_is_parted_without_a_panic(tar in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..3000)) {
        let change = Change { root: "/", deleted: &[], tar: &tar };
        let _ = keep(&rules(&[]), change, &Pristine::new());
    }

    #[test]
    fn what_is_nobodys_crosses_whole(files in proptest::collection::btree_map("src/[a-z]{1,120}\\.c", ".{0,700}", 0..12)) {
        let files: Vec<(&str, &str)> = files.iter().map(|(path, content)| (path.as_str(), content.as_str())).collect();
        let tar = tar(&files);
        let change = Change { root: "/test/repo", deleted: &[], tar: &tar };
        let kept = keep(&rules(&[]), change, &Pristine::new());
        proptest::prop_assert_eq!(contents(&kept.tar), contents(&tar));
        proptest::prop_assert!(kept.withheld.is_empty());
    }
}
