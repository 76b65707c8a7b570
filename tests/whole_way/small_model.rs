//! A true model: real tokens, real latency and a real stream through the loop.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::yard::Yard;

/// Ends with the value.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_true_model_plays_a_trial_to_its_end() {
    let Some(folder) = std::env::var_os("PROOFYARD_SMALL_MODEL").map(PathBuf::from) else {
        eprintln!("skipped: PROOFYARD_SMALL_MODEL is not set (./dev test --all fetches one)");
        return;
    };
    let serving = Command::new("node")
        .arg(folder.join("serve.mjs"))
        .arg(folder.join("SmolLM2-135M-Instruct.Q4_1.gguf"))
        .stdout(Stdio::piped())
        .spawn();
    let mut serving = Serving(serving.unwrap());
    let mut url = String::new();
    let out = serving.0.stdout.take().unwrap();
    BufReader::new(out).read_line(&mut url).unwrap();
    let yard = Yard::new();
    let base_url = format!("model.base_url={}", url.trim());
    // Weights of this size call no tool: they say something, and that is the end.
    let arguments = [
        "-m",
        "smollm2-135m",
        "--no-check",
        "--set",
        &base_url,
        "--set",
        "model.max_tokens=32",
        "--set",
        "model.temperature=0",
        "--set",
        "model.stall_sec=300",
    ];
    let (trials, code) = yard.run(&yard.answer("answer"), &arguments);
    let trial = &trials[0];
    assert_eq!(code, Some(0), "{trial:#}");
    assert_eq!(trial["outcome"], "unresolved");
    assert_eq!(trial["trajectory"]["end"], "done");
    assert!(trial["usage"]["input"].as_u64().unwrap() > 100, "{trial:#}");
    assert!(trial["usage"]["output"].as_u64().unwrap() > 0);
    assert!(trial["timing_ms"]["model"].as_u64().unwrap() > 0);
    let events = yard.events(trial);
    let said = events
        .iter()
        .rev()
        .find_map(|event| event.finish.as_ref().and(event.text.as_deref()));
    assert!(said.is_some_and(|said| !said.trim().is_empty()), "{said:?}");
}
