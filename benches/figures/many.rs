//! Many trials at a time against a model that takes a second: what the harness
//! itself needs of the machine.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::place::Place;
use crate::{Outcome, PROOFYARD, told, trials};

const TRIALS: usize = 64;
const SCRIPT: &str = "latency_ms = 1000\n[[turn]]\nwhen = { turn = { to = 30 } }\n\
                      calls = [{ tool = \"bash\", arguments = { command = \"date +%N\" } }]\n\
                      [[turn]]\ncalls = [{ tool = \"submit\", arguments = {} }]\n";

/// Figures: processor time and peak memory of the program, 64 trials at a time.
pub fn at_once(place: &Place) -> Outcome<()> {
    let script = place.runs().with_file_name("many.toml");
    std::fs::write(&script, SCRIPT)?;
    // Another process, so that the endpoint's own time is not the harness's.
    let mut serving = Serving(
        Command::new(PROOFYARD)
            .arg("serve-model")
            .arg(&script)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?,
    );
    let out = serving.0.stdout.take().ok_or("the endpoint says nothing")?;
    let mut url = String::new();
    BufReader::new(out).read_line(&mut url)?;
    let base_url = format!("model.base_url={}", url.trim());
    let set = [
        base_url.as_str(),
        "limits.memory_mb=128",
        "limits.disk_mb=64",
        "loop.repeats=0",
    ];
    let ran = trials::run_by(place, &["-m", "bench"], TRIALS, TRIALS, &set)?;
    let share = ran.processor.as_secs_f64() / ran.wall.as_secs_f64() * 100.0;
    let mib = ran.peak_bytes as f64 / f64::from(1 << 20);
    let name = format!("loop, {} at once, processor", ran.at_once);
    let told = format!("{share:.1} %");
    told::absolute(&name, &told, "≤ 10 %", share <= 10.0, TRIALS);
    let told = format!("{mib:.1} MiB");
    told::absolute("  memory", &told, "≤ 150 MiB", mib <= 150.0, TRIALS);
    Ok(())
}

/// Ends with the value.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
