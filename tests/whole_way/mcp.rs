//! Servers of tools and skills of a task, offered to agents that use them.

use serde_json::{Value, json};

use crate::harbor::{Harbor, test};
use crate::yard::{Yard, bash, call};

const SERVER: &str = include_str!("mcp.py");

fn of(toml: &str) -> String {
    format!("[environment]\nnetwork_mode = \"no-network\"\n{toml}")
}

/// A server of the sandbox itself that stores in a file of `/app`.
fn stdio(name: &str, file: &str) -> String {
    format!(
        "[[environment.mcp_servers]]\nname = \"{name}\"\ntransport = \"stdio\"\n\
         command = \"python3\"\nargs = [\"/srv/mcp.py\", \"stdio\", \"{file}\"]\n"
    )
}

fn task<'a>(yard: &'a Yard, toml: &str) -> Harbor<'a> {
    Harbor::new(yard, &of(toml))
        .file(
            "environment/Dockerfile",
            "FROM proofyard/python\nWORKDIR /app\nCOPY mcp.py /srv/mcp.py\n",
        )
        .file("environment/mcp.py", SERVER)
}

fn run(yard: &Yard, task: &Harbor<'_>, arguments: &[&str]) -> Value {
    let all = [arguments, &["--no-check"]].concat();
    let (mut trials, _) = yard.run(&task.path, &all);
    assert_eq!(yard.left(), Vec::<String>::new());
    trials.remove(0)
}

fn scripted(yard: &Yard, task: &Harbor<'_>, calls: &[Value], more: &[&str]) -> Value {
    let script = yard.script("calls.jsonl", calls);
    run(yard, task, &[&["-a", &script], more].concat())
}

fn model(yard: &Yard, text: &str) -> String {
    let path = yard.path("model.toml");
    std::fs::write(&path, format!("model = \"demo\"\n{text}")).unwrap();
    format!("scripted:{}", path.display())
}

fn put(tool: &str) -> Value {
    call(tool, json!({"text": "42"}))
}

#[test]
fn a_model_calls_a_program_of_the_sandbox() {
    let yard = Yard::new();
    let task = task(&yard, &stdio("the store", "answer"));
    let model = model(
        &yard,
        "[[turn]]\nwhen = { turn = 1, tools = [\"mcp__the_store__put\"] }\n\
         calls = [{ tool = \"mcp__the_store__put\", arguments = { text = 42 } }]\n\
         then = [{ calls = [{ tool = \"mcp__the_store__put\", arguments = { text = \"42\" } }] },\n\
         { calls = [{ tool = \"mcp__the_store__fail\", arguments = {} }] }]\n",
    );
    let trial = run(&yard, &task, &["-m", &model]);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    let events = yard.events(&trial);
    let tools = events[0].tools.as_ref().unwrap().as_array().unwrap();
    assert_eq!(tools.len(), 8 + 4);
    assert!(!events[0].text.as_ref().unwrap().contains("Skills"));
    let invalid = events
        .iter()
        .find_map(|event| event.invalid.clone())
        .unwrap();
    assert!(invalid.contains("`text`: 42 is not of type"), "{invalid}");
    let results = yard.results(&trial);
    assert_eq!(results[1].output.as_deref(), Some("stored 42"));
    assert_eq!(results[2].ok, Some(false));
    assert_eq!(results[2].output.as_deref(), Some("no such luck"));
    assert_eq!(trial["trajectory"]["tool_calls"], 3);
    assert_eq!(
        trial["tool_use"]["validity"].as_f64().map(|v| v < 1.0),
        Some(true)
    );
}

#[test]
fn tools_of_one_name_are_told_apart_by_their_servers() {
    let yard = Yard::new();
    let servers = stdio("one", "wrong") + &stdio("two", "answer");
    let trial = scripted(&yard, &task(&yard, &servers), &[put("mcp__two__put")], &[]);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
}

/// A service that serves over HTTP and takes no request without its key.
fn service<'a>(yard: &'a Yard, mode: &str, url: &str, transport: &str) -> Harbor<'a> {
    let toml = format!(
        "[[environment.mcp_servers]]\nname = \"store\"\ntransport = \"{transport}\"\n\
         url = \"{url}\"\nheaders = {{ X-Key = \"topsecret\" }}\n"
    );
    let compose = format!(
        "services:\n  main: {{}}\n  store:\n    image: ${{MAIN_IMAGE_NAME}}\n    environment: {{ KEY: topsecret }}\n    \
         command: sh -c 'sleep 2; exec python3 /srv/mcp.py {mode} /value'\n"
    );
    task(yard, &toml)
        .file("environment/docker-compose.yaml", &compose)
        .file(
            "tests/test.sh",
            &test("python3 -c \"import urllib.request as r; print(r.urlopen('http://store:8000/value').read().decode())\" | grep -qx 42"),
        )
}

fn of_a_service(mode: &str, url: &str, transport: &str) {
    let yard = Yard::new();
    let task = service(&yard, mode, url, transport);
    let calls = [put("mcp__store__put"), call("mcp__store__fail", json!({}))];
    let trial = scripted(&yard, &task, &calls, &[]);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    assert_eq!(yard.results(&trial)[1].ok, Some(false));
    for file in walkdir::WalkDir::new(yard.stored(&trial)) {
        let file = file.unwrap();
        if file.file_type().is_file() {
            let kept = std::fs::read(file.path()).unwrap();
            let kept = String::from_utf8_lossy(&kept).into_owned();
            assert!(!kept.contains("topsecret"), "{}", file.path().display());
        }
    }
}

#[test]
fn a_service_is_reached_over_streamable_http_as_it_comes_up() {
    of_a_service("http", "http://store:8000/mcp", "streamable-http");
}

#[test]
fn a_service_is_reached_over_events_as_it_comes_up() {
    of_a_service("sse", "http://store:8000/sse", "sse");
}

#[test]
fn a_server_in_the_sandbox_is_reached_by_its_address() {
    let yard = Yard::new();
    let toml = "[[environment.mcp_servers]]\nname = \"own\"\ntransport = \"http\"\n\
        url = \"http://localhost:8000/\"\n";
    let task = task(&yard, toml).file(
        "environment/Dockerfile",
        "FROM proofyard/python\nWORKDIR /app\nCOPY mcp.py /srv/mcp.py\n\
         ENTRYPOINT [\"sh\", \"-c\", \"python3 /srv/mcp.py http /app/answer & exec \\\"$@\\\"\", \"sh\"]\n",
    );
    let trial = scripted(&yard, &task, &[put("mcp__own__put")], &[]);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
}

#[test]
fn what_is_large_crosses_both_ways() {
    for transport in ["socket", "stream"] {
        let yard = Yard::new();
        let text = "0123456789".repeat(300_000);
        let calls = [
            call("mcp__store__put", json!({"text": text})),
            bash("wc -c < big; echo 42 > answer"),
        ];
        let task = task(&yard, &stdio("store", "big"));
        let transport = format!("engine.transport={transport}");
        let trial = scripted(&yard, &task, &calls, &["--set", &transport]);
        assert_eq!(trial["outcome"], "resolved", "{trial:#}");
        let results = yard.results(&trial);
        let output = results[0].output.as_ref().unwrap();
        assert!(output.starts_with("stored 0123"), "{}", &output[..80]);
        assert!(output.contains("bytes cut …]") && output.len() < 200_000);
        assert_eq!(results[1].output.as_deref(), Some("3000001\n"));
    }
}

#[test]
fn a_server_that_dies_fails_its_calls_and_nothing_else() {
    let yard = Yard::new();
    let calls = [
        call("mcp__store__die", json!({})),
        put("mcp__store__put"),
        bash("echo 42 > answer; pgrep -f mcp.py; true"),
    ];
    let trial = scripted(&yard, &task(&yard, &stdio("store", "answer")), &calls, &[]);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    let results = yard.results(&trial);
    for result in &results[..2] {
        let error = result.error.as_ref().unwrap();
        assert!(
            error.contains("the server `store` did not answer"),
            "{error}"
        );
        assert!(error.ends_with("(status 3): I had enough"), "{error}");
    }
    assert_eq!(results[2].ok, Some(true));
}

#[test]
fn a_call_that_is_never_answered_ends_at_its_limit() {
    let yard = Yard::new();
    let calls = [
        call("mcp__store__hang", json!({})),
        bash("echo 42 > answer"),
    ];
    let task = task(&yard, &stdio("store", "answer"));
    let limit = ["--set", "limits.call_timeout_sec=1"];
    let trial = scripted(&yard, &task, &calls, &limit);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    let error = yard.results(&trial)[0].error.clone().unwrap();
    assert_eq!(error, "the limit of 1 s on one call fired");
}

/// What is said of a server that cannot be used.
fn unusable(toml: &str) -> String {
    let yard = Yard::new();
    let task = task(&yard, toml);
    let trial = scripted(&yard, &task, &[], &["--timeout-multiplier", "0.1"]);
    assert_eq!(trial["outcome"], "error", "{trial:#}");
    assert_eq!(trial["error"]["class"], "task");
    // Who calls nothing needs no server.
    let trial = run(&yard, &task, &["-a", "nop"]);
    assert_eq!(trial["outcome"], "unresolved", "{trial:#}");
    let script = yard.script("calls.jsonl", &[]);
    let trial = run(
        &yard,
        &task,
        &["-a", &script, "--timeout-multiplier", "0.1"],
    );
    trial["error"]["message"].as_str().unwrap().to_owned()
}

fn program(script: &str) -> String {
    format!(
        "[[environment.mcp_servers]]\nname = \"odd\"\ntransport = \"stdio\"\n\
         command = \"sh\"\nargs = [\"-c\", \"{script}\"]\n"
    )
}

#[test]
fn a_server_that_cannot_be_used_is_a_fault_of_the_task_with_its_last_words() {
    let said = unusable(&program("echo out of stock >&2; exit 7"));
    assert!(
        said.contains("the server of tools `odd` cannot be used"),
        "{said}"
    );
    assert!(said.ends_with("(status 7): out of stock"), "{said}");
}

#[test]
fn a_server_that_never_answers_is_a_fault_of_the_task() {
    let said = unusable(&program("echo thinking >&2; sleep 1000"));
    assert!(said.contains("does not answer within 3 s"), "{said}");
    assert!(said.ends_with("thinking"), "{said}");
}

#[test]
fn a_server_that_nobody_runs_is_a_fault_of_the_task() {
    let url = |url: &str| format!("[[environment.mcp_servers]]\nname = \"far\"\nurl = \"{url}\"\n");
    let said = unusable(&url("http://127.0.0.1:9/sse"));
    assert!(said.contains("127.0.0.1:9: Connection refused"), "{said}");
}

#[test]
fn every_step_has_its_servers() {
    let yard = Yard::new();
    let steps = "[[steps]]\nname = \"first\"\n[[steps]]\nname = \"second\"\n";
    let mut task = task(&yard, &format!("{}{steps}", stdio("store", "answer")));
    for (name, lines) in [("first", 1), ("second", 2)] {
        let check = test(&format!("test $(grep -cx 42 answer) = {lines}"));
        task = task
            .file(&format!("steps/{name}/instruction.md"), "Store 42.\n")
            .file(&format!("steps/{name}/tests/test.sh"), &check);
    }
    let trial = scripted(&yard, &task, &[put("mcp__store__put")], &[]);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    assert_eq!(trial["steps"][1]["reward"], 1.0);
}

#[test]
fn a_model_is_told_of_skills_and_reads_them() {
    let yard = Yard::new();
    let skill = "---\nname: numbers\ndescription: Which number to write.\n---\nAlways 42.\n";
    let task = Harbor::new(&yard, &of("skills_dir = \"/skills\"\n"))
        .file(
            "environment/Dockerfile",
            "FROM proofyard/base\nWORKDIR /app\nCOPY skills /skills\n",
        )
        .file("environment/skills/numbers/SKILL.md", skill)
        .file("environment/skills/broken/SKILL.md", "no front matter\n");
    let model = model(
        &yard,
        "[[turn]]\nwhen = { turn = 1, system = 'numbers: Which number to write. \\(/skills/numbers/SKILL.md\\)' }\n\
         calls = [{ tool = \"read\", arguments = { path = \"/skills/numbers/SKILL.md\" } }]\n\
         [[turn]]\nwhen = { last_tool = \"read\", last = 'Always (?<number>\\d+)' }\n\
         calls = [{ tool = \"write\", arguments = { path = \"answer\", content = \"{{number}}\\n\" } }]\n",
    );
    let trial = run(&yard, &task, &["-m", &model]);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    let told = trial["warnings"].to_string();
    assert!(
        told.contains("/skills/broken/SKILL.md is not told of"),
        "{told}"
    );
}

#[test]
fn a_folder_of_skills_that_is_not_there_is_a_warning() {
    let yard = Yard::new();
    let task = task(&yard, "skills_dir = \"/skills\"\n");
    let trial = scripted(&yard, &task, &[bash("echo 42 > answer")], &[]);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    let told = trial["warnings"].to_string();
    assert!(
        told.contains("the folder of skills /skills: is not there"),
        "{told}"
    );
}
