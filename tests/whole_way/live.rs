//! Verification in the agent's own sandbox, of what runs there.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::yard::{Yard, bash, call};

const SERVER: &str = r#"import http.server

class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

http.server.HTTPServer(("127.0.0.1", 8080), Hello).serve_forever()
"#;

const TESTS: &str = r#"import urllib.request


def test_the_server_says_hello():
    assert urllib.request.urlopen("http://127.0.0.1:8080").read() == b"hello"


def test_python_is_there():
    assert 1 + 1 == 2
"#;

/// A task about a server that has to run; `services` is what it says of them.
fn task(yard: &Yard, services: &str) -> PathBuf {
    let task = yard.path("tasks/server");
    let write = |path: &str, text: &str| {
        let path = task.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "task.toml",
        &format!(
            "[verification]\nsees = \"live\"\nrunner = \"pytest\"\noverlay = \"tests/files\"\n{services}\n\
             fail_to_pass = [\"test_server.py::test_the_server_says_hello\"]\n\
             pass_to_pass = [\"test_server.py::test_python_is_there\"]\n"
        ),
    );
    write("instruction.md", "Let a server at port 8080 say hello.\n");
    write("environment/Dockerfile", "FROM proofyard/python\n");
    let start = "cd / && (setsid nohup python3 /srv/app.py >/dev/null 2>&1 &)\n\
        until (echo > /dev/tcp/127.0.0.1/8080) 2>/dev/null; do sleep 0.1; done";
    let solve = format!("cat > /srv/app.py <<'PY'\n{SERVER}PY\n{start}\n");
    write("solution/solve.sh", &format!("#!/bin/bash\n{solve}"));
    write("tests/files/test_server.py", TESTS);
    task
}

const SERVICE: &str = "services = [{ command = [\"python3\", \"/srv/app.py\"], port = 8080 }]";

fn of<'a>(trials: &'a [Value], name: &str) -> &'a Value {
    let named = |trial: &&Value| trial["agent"]["name"].as_str().unwrap().starts_with(name);
    trials.iter().find(named).unwrap()
}

#[test]
fn a_server_is_judged_where_it_runs() {
    let yard = Yard::new();
    let task = task(&yard, SERVICE);
    let (trials, code) = yard.run(&task, &["-a", "oracle", "-a", "nop"]);
    assert_eq!(code, Some(0), "{trials:#?}");
    let (oracle, nothing) = (of(&trials, "oracle"), of(&trials, "nop"));
    assert_eq!(oracle["outcome"], "resolved", "{oracle:#}");
    assert_eq!(oracle["verdict"]["evidence"], "records");
    assert_eq!(oracle["verdict"]["sees"], "live");
    assert_eq!(oracle["timing_ms"]["probes"], 0);
    assert_eq!(nothing["outcome"], "unresolved", "{nothing:#}");
    let services = yard.stored(oracle).join("verifier/services.txt");
    let services = std::fs::read_to_string(services).unwrap();
    assert!(
        services.starts_with("python3 /srv/app.py: listens on port 8080 after"),
        "{services}"
    );
    let checked = yard.proofyard(&["check", task.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn a_server_that_is_no_service_goes_on_as_it_is() {
    let yard = Yard::new();
    let trial = yard.one(&task(&yard, ""), "oracle", &[]);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
}

#[test]
fn a_process_that_lives_on_cannot_write_hidden_files() {
    let yard = Yard::new();
    let task = task(&yard, SERVICE);
    let forging = "cat > /tmp/forge.py <<'PY'\nimport glob, os\nforged = '''def test_the_server_says_hello():\n    pass\n\n\ndef test_python_is_there():\n    pass\n'''\nwhile True:\n    for path in glob.glob('/tests/*.py'):\n        for step in (lambda: open(path, 'w').write(forged), lambda: os.replace('/tmp/forged.py', path), lambda: os.rename('/tests', '/tested')):\n            try:\n                step()\n            except OSError:\n                pass\nPY\n(setsid nohup python3 /tmp/forge.py >/dev/null 2>&1 &)";
    let script = yard.script("forge.jsonl", &[bash(forging), call("submit", json!({}))]);
    let trial = yard.one(&task, &script, &[]);
    assert_eq!(trial["outcome"], "unresolved", "{trial:#}");
    assert_eq!(trial["verdict"]["reason"], "tests_failed", "{trial:#}");
}
