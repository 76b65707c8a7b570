//! The loop against the scripted endpoint, over the real wire, in real sandboxes.

use std::path::Path;

use proofyard::trajectory::{Event, EventKind};
use serde_json::{Value, json};

use crate::yard::Yard;

const PRICES: &str =
    "[prices]\ndate = \"2026-11-01\"\n[prices.models.demo]\ninput = 1000.0\noutput = 1000.0\n";

/// A scripted model of the yard's, as `-m` takes it.
fn model(yard: &Yard, name: &str, text: &str) -> String {
    let path = yard.path(name);
    std::fs::write(&path, format!("model = \"demo\"\n{text}")).unwrap();
    format!("scripted:{}", path.display())
}

/// Solves the task of [`Yard::answer`] in one call, then ends.
const SOLVES: &str = "[[turn]]\nwhen = { turn = 1 }\n\
    calls = [{ tool = \"bash\", arguments = { command = \"echo 42 > /answer\" } }]\n\
    then = [{ say = \"written\" }]\n";

fn trial(yard: &Yard, task: &Path, model: &str, more: &[&str]) -> Value {
    let mut all = vec!["-m", model, "--no-check"];
    all.extend(more);
    yard.run(task, &all).0.remove(0)
}

fn end(trial: &Value) -> &str {
    trial["trajectory"]["end"].as_str().unwrap()
}

#[test]
fn a_model_solves_a_task_by_its_calls_and_all_of_it_is_on_record() {
    let yard = Yard::new();
    std::fs::write(yard.path("harness.toml"), PRICES).unwrap();
    let model = model(
        &yard,
        "m.toml",
        &format!("{SOLVES}usage = {{ input = 900, cached = 100, output = 20, reasoning = 30 }}\n"),
    );
    let config = yard.path("harness.toml").display().to_string();
    let trial = trial(
        &yard,
        &yard.answer("answer"),
        &model,
        &["--config", &config, "--set", "images.dir=images"],
    );
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    assert_eq!(end(&trial), "done");
    assert_eq!(trial["trajectory"]["turns"], 2);
    assert_eq!(trial["model"]["provider"], "scripted");
    assert_eq!(trial["usage"]["cache_read"], 100);
    assert!(
        trial["cost_microusd"].as_i64().unwrap() > 950_000,
        "{trial:#}"
    );
    assert_eq!(trial["setup"]["prompt"], "loop/1");
    assert!(trial["setup"]["prices_digest"].is_string());
    assert!(trial["timing_ms"]["model"].as_u64().unwrap() > 0);
    let events = yard.events(&trial);
    assert_eq!(events[0].kind, EventKind::System);
    let tools = events[0].tools.as_ref().unwrap().as_array().unwrap();
    assert_eq!(tools.len(), 8);
    assert_eq!(events[1].text.as_deref(), Some("Write 42 to /answer.\n"));
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn a_call_that_is_malformed_is_told_so_and_mended() {
    let yard = Yard::new();
    let text = "[[turn]]\nwhen = { turn = 1 }\ncalls = [{ tool = \"bash\", raw = '{\"command\": ' }]\n\
        [[turn]]\nwhen = { last = 'no JSON object' }\n\
        calls = [{ tool = \"write\", arguments = { path = \"/answer\", content = \"42\\n\" } }, { tool = \"submit\", arguments = { message = \"done\" } }]\n";
    let model = model(&yard, "m.toml", text);
    let trial = trial(&yard, &yard.answer("answer"), &model, &[]);
    assert_eq!(
        (&trial["outcome"], end(&trial)),
        (&json!("resolved"), "submitted")
    );
    let invalid: Vec<Event> = yard
        .events(&trial)
        .into_iter()
        .filter(|event| event.invalid.is_some())
        .collect();
    assert_eq!(invalid[0].raw.as_deref(), Some("{\"command\": "));
    assert_eq!(
        trial["tool_use"]["recovery"], 0.0,
        "another tool was taken: {trial:#}"
    );
    assert_eq!(trial["tool_use"]["validity"], 0.5);
}

#[test]
fn each_limit_is_an_end_of_its_own_and_what_is_there_is_verified() {
    let yard = Yard::new();
    std::fs::write(yard.path("harness.toml"), PRICES).unwrap();
    let config = yard.path("harness.toml").display().to_string();
    // Solves it at once, and then goes on for ever.
    let endless = "[[turn]]\nwhen = { turn = 1 }\n\
        calls = [{ tool = \"bash\", arguments = { command = \"echo 42 > /answer\" } }]\nusage = { input = 100, output = 10 }\n\
        [[turn]]\ncalls = [{ tool = \"bash\", arguments = { command = \"date +%s%N\" } }]\nusage = { input = 100, output = 10 }\n";
    let model_of = model(&yard, "endless.toml", endless);
    let task = yard.answer("answer");
    for (flags, expected, told) in [
        (
            &["--max-steps", "3"][..],
            "max_steps",
            "the limit of 3 turns",
        ),
        (
            &["--max-tokens", "300"],
            "max_tokens",
            "330 tokens are spent",
        ),
        (
            &["--max-trial-cost", "6"],
            "max_cost",
            "more than the $6.0000 of a trial",
        ),
        (
            &["--max-cost", "6"],
            "max_cost",
            "what is left of the run's budget",
        ),
        (
            // More turns than any machine comes to in that time.
            &["--max-steps", "1000000"],
            "timeout",
            "the agent's time limit of 2 s",
        ),
    ] {
        let mut more = vec!["--config", &config, "--set", "images.dir=images"];
        more.extend(flags);
        let timed = yard.path("tasks/timed");
        let task = match expected {
            "timeout" => {
                yard.answer("timed");
                let text = "[verification]\nrunner = \"script\"\n[agent]\ntimeout_sec = 2\n";
                std::fs::write(timed.join("task.toml"), text).unwrap();
                &timed
            }
            _ => &task,
        };
        let trial = trial(&yard, task, &model_of, &more);
        assert_eq!(end(&trial), expected, "{trial:#}");
        assert_eq!(trial["outcome"], "resolved", "{flags:?}");
        let limit = yard.told(&trial, "limit");
        assert!(limit.contains(told), "{limit}");
    }
    // The same call with the same result, an overflow, a refusal, nothing at all.
    let looping = format!(
        "{SOLVES}[[turn]]\ncalls = [{{ tool = \"bash\", arguments = {{ command = \"true\" }} }}]\n"
    );
    let looping = looping.replace("then = [{ say = \"written\" }]\n", "");
    for (name, text, expected) in [
        ("loop.toml", looping.as_str(), "loop"),
        ("overflow.toml", "context_tokens = 10\n", "context_overflow"),
        (
            "refusal.toml",
            "[[turn]]\nrefusal = \"I will not\"\n",
            "refused",
        ),
        ("empty.toml", "[[turn]]\nsay = \"\"\n", "stalled"),
    ] {
        let model = model(&yard, name, text);
        let trial = trial(&yard, &task, &model, &[]);
        assert_eq!(end(&trial), expected, "{trial:#}");
        assert!(trial["error"].is_null());
    }
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn faults_that_pass_cost_the_agent_no_time_and_are_on_record() {
    let yard = Yard::new();
    let text = format!(
        "{SOLVES}fault = {{ kind = \"status\", status = 429, retry_after = 2, times = 2 }}\n"
    );
    let model = model(&yard, "m.toml", &text);
    let task = yard.answer("answer");
    let toml = "[verification]\nrunner = \"script\"\n[agent]\ntimeout_sec = 3\n";
    std::fs::write(task.join("task.toml"), toml).unwrap();
    let trial = trial(&yard, &task, &model, &[]);
    // Four seconds and more were waited, of a time limit of three.
    assert_eq!(
        (&trial["outcome"], end(&trial)),
        (&json!("resolved"), "done"),
        "{trial:#}"
    );
    assert!(
        trial["timing_ms"]["model_wait"].as_u64().unwrap() >= 4000,
        "{trial:#}"
    );
    let faults = yard.events(&trial).into_iter();
    let faults = faults.filter(|event| event.event.as_deref() == Some("model_fault"));
    assert_eq!(faults.count(), 2);
}

#[test]
fn an_endpoint_that_dies_later_is_an_error_and_not_the_agents() {
    let yard = Yard::new();
    let text = "[[turn]]\nwhen = { turn = 1 }\ncalls = [{ tool = \"bash\", arguments = { command = \"true\" } }]\n\
        [[turn]]\nfault = { kind = \"reset\", times = \"always\" }\n";
    let model = model(&yard, "m.toml", text);
    let mut all = vec!["-m", &model, "--no-check"];
    all.extend(["--set", "model.tries=2", "--set", "model.pause_sec=0.01"]);
    let (trials, code) = yard.run(&yard.answer("answer"), &all);
    assert_eq!(code, Some(1));
    let trial = &trials[0];
    assert_eq!(
        (&trial["outcome"], end(trial)),
        (&json!("error"), "model_error")
    );
    assert_eq!(trial["error"]["class"], "model", "{trial:#}");
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn an_endpoint_that_never_answers_ends_the_run_with_one_line() {
    let yard = Yard::new();
    let task = yard.answer("answer");
    let run = |model: &str, more: &[&str]| {
        let mut all = vec!["run", task.to_str().unwrap(), "--no-check", "-m", model];
        all.extend(more);
        let output = yard.proofyard(&all);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let errors = said.lines().filter(|line| line.starts_with("error: "));
        assert_eq!(errors.count(), 1, "{said}");
        (output.status.code(), said)
    };
    // Nobody there: nothing is made.
    let nowhere = ["--set", "model.base_url=http://127.0.0.1:9/v1"];
    let (code, said) = run("demo", &nowhere);
    assert_eq!(code, Some(4), "{said}");
    assert!(
        said.contains("127.0.0.1:9") && said.contains("refused"),
        "{said}"
    );
    assert!(!yard.path("runs").exists());
    // A model for nobody.
    let idle = yard.proofyard(&["run", task.to_str().unwrap(), "-a", "nop", "-m", "demo"]);
    assert_eq!(idle.status.code(), Some(2));
    let said = String::from_utf8_lossy(&idle.stderr).into_owned();
    assert!(said.contains("none of the agents talks to one"), "{said}");
    // There, and without that model: the first trial to ask ends the run.
    let text = "[[turn]]\nfault = { kind = \"status\", status = 404, times = \"always\" }\n";
    let absent = model(&yard, "m.toml", text);
    let (code, said) = run(&absent, &["-n", "4"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("knows no such model"), "{said}");
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn two_trials_of_one_script_and_seed_are_equal_but_for_times() {
    let yard = Yard::new();
    let text = "seed = 5\n[faults]\nserver_error = 0.3\nreset = 0.2\ninvalid_json = 0.2\n\
        [[turn]]\nwhen = { turn = 1 }\nsay = \"first\"\ncalls = [{ tool = \"bash\", arguments = { command = \"echo a; echo b >&2; false\" } }, { tool = \"list\", arguments = { path = \"/etc/apt\" } }]\n\
        [[turn]]\nwhen = { turn = { to = 6 } }\npick = [{ calls = [{ tool = \"python\", raw = \"{\" }] }, { calls = [{ tool = \"read\", arguments = { path = \"/etc/hostnam\" } }] }, { calls = [{ tool = \"bash\", arguments = { command = \"sleep 5\", timeout_sec = 0.2 } }] }]\n\
        [[turn]]\ncalls = [{ tool = \"submit\", arguments = {} }]\n";
    let model = model(&yard, "m.toml", text);
    let all = [
        "-m",
        &model,
        "--no-check",
        "-n",
        "2",
        "-j",
        "2",
        "--set",
        "model.pause_sec=0.01",
        "--set",
        "loop.repeats=0",
    ];
    let (trials, _) = yard.run(&yard.answer("answer"), &all);
    let timeless = |trial: &Value| -> Vec<Event> {
        let mut events = yard.events(trial);
        for event in &mut events {
            (event.t_ms, event.ms, event.prev) = (0, None, None);
        }
        events
    };
    let (first, second) = (timeless(&trials[0]), timeless(&trials[1]));
    assert!(
        first
            .iter()
            .any(|event| event.event.as_deref() == Some("model_fault")),
        "{first:#?}"
    );
    assert!(first.len() > 15, "{first:#?}");
    assert_eq!(first, second);
}

#[test]
fn a_run_is_not_resumed_with_another_script_under_the_old_name() {
    let yard = Yard::new();
    let played = model(&yard, "m.toml", SOLVES);
    let first = trial(&yard, &yard.answer("answer"), &played, &["--run-id", "one"]);
    assert!(
        first["model"]["digest"]
            .as_str()
            .unwrap()
            .starts_with("sha256:"),
        "{first:#}"
    );
    assert!(yard.proofyard(&["resume", "one"]).status.success());
    model(&yard, "m.toml", &SOLVES.replace("42", "43"));
    let output = yard.proofyard(&["resume", "one"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("m.toml` is no longer what was planned"),
        "{said}"
    );
}
