//! Trials of the trivial task: the binary as users start it, watched.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place::Place;
use crate::{Outcome, PROOFYARD, timed, told};

/// Rounds of so many trials, each followed by as many floors.
const ROUNDS: usize = 5;
const TRIALS: usize = 3;

/// What a run of the binary was.
#[derive(Default)]
pub struct Ran {
    pub wall: Duration,
    /// Of each trial, what it took once it had its turn.
    trials: Vec<Duration>,
    pub image: Option<String>,
    /// Most trials between their start and their end at one moment.
    pub at_once: usize,
    pub peak_bytes: u64,
    /// Processor time of the program itself.
    pub processor: Duration,
}

/// Figure: a trivial trial against two containers by hand.
pub fn against_containers(place: &Place) -> Outcome<()> {
    let (mut inside, mut walls, mut floors) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let ran = run(place, TRIALS, 1, &[])?;
        inside.extend(ran.trials);
        walls.push(ran.wall / TRIALS as u32);
        for _ in 0..TRIALS {
            let began = Instant::now();
            for _ in 0..2 {
                let arguments = ["run", "--rm", "--network", "none", &place.image, "true"];
                timed(place.docker().args(arguments))?;
            }
            floors.push(began.elapsed());
        }
    }
    let (trials, floor) = (inside.len(), told::median(floors));
    let value = told::median(inside);
    told::at_most(
        "trivial trial / 2 docker run",
        value,
        floor,
        Some(1.3),
        trials,
    );
    let (rounds, value) = (walls.len(), told::median(walls));
    told::at_most(
        "  of a run of 3, with its start",
        value,
        floor,
        None,
        rounds,
    );
    Ok(())
}

/// Figure: the peak memory of the program itself.
pub fn memory(place: &Place) -> Outcome<()> {
    let small = ["limits.cpus=0.25", "limits.memory_mb=256"];
    let ran = run(place, 16, 4, &small)?;
    let mib = ran.peak_bytes as f64 / f64::from(1 << 20);
    let name = format!("memory, 16 trials, {} at once", ran.at_once);
    told::absolute(&name, &format!("{mib:.1} MiB"), "≤ 60 MiB", mib <= 60.0, 1);
    Ok(())
}

/// Runs the trivial task by doing nothing, and watches.
pub fn run(place: &Place, trials: usize, jobs: usize, set: &[&str]) -> Outcome<Ran> {
    run_by(place, &["-a", "nop"], trials, jobs, set)
}

/// Runs the trivial task by whom the flags name, and watches.
pub fn run_by(
    place: &Place,
    who: &[&str],
    trials: usize,
    jobs: usize,
    set: &[&str],
) -> Outcome<Ran> {
    let began = Instant::now();
    let mut child = Command::new(PROOFYARD)
        .arg("run")
        .arg(place.task())
        .args(who)
        .args(["--no-check", "--json", "--progress", "none"])
        .args(["-n", &trials.to_string(), "-j", &jobs.to_string()])
        .args(set.iter().flat_map(|setting| ["--set", setting]))
        .arg("--out")
        .arg(place.runs())
        .stdout(Stdio::piped())
        .spawn()?;
    let out = child.stdout.take().ok_or("the program has no output")?;
    let reading = std::thread::spawn(move || read_events(BufReader::new(out)));
    let status = format!("/proc/{}/status", child.id());
    let stat = format!("/proc/{}/stat", child.id());
    let (mut peak, mut processor) = (0, Duration::ZERO);
    // The kernel keeps the peak: what comes after the last look is all that is missed.
    let code = loop {
        peak = peak.max(peak_bytes(&status));
        processor = processor.max(processor_time(&stat));
        if let Some(code) = child.try_wait()? {
            break code;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let wall = began.elapsed();
    let mut ran = reading.join().map_err(|_| "the reader of events ended")??;
    if !code.success() || ran.trials.len() != trials {
        let done = ran.trials.len();
        return Err(format!("the run ended with {code} after {done} of {trials} trials").into());
    }
    ran.wall = wall;
    ran.peak_bytes = peak;
    ran.processor = processor;
    Ok(ran)
}

fn read_events(out: impl BufRead) -> Result<Ran, String> {
    let mut ran = Ran::default();
    let mut going = 0;
    for text in out.lines() {
        let text = text.map_err(|error| error.to_string())?;
        let event: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        match event["event"].as_str() {
            Some("trial_started") => {
                going += 1;
                ran.at_once = ran.at_once.max(going);
            }
            Some("trial_finished") => {
                going = going.saturating_sub(1);
                let trial = &event["trial"];
                if !trial["error"].is_null() {
                    return Err(format!("a trial ended in an error: {}", trial["error"]));
                }
                let timing = |key: &str| trial["timing_ms"][key].as_u64().unwrap_or(0);
                let own = timing("total").saturating_sub(timing("queue"));
                ran.trials.push(Duration::from_millis(own));
                ran.image = trial["provenance"]["image"].as_str().map(str::to_owned);
            }
            _ => {}
        }
    }
    Ok(ran)
}

/// User and system time of proc_pid_stat(5); nothing once the process is gone. Its
/// ticks are hundredths of a second on Linux.
fn processor_time(stat: &str) -> Duration {
    let text = fs::read_to_string(stat).unwrap_or_default();
    // After the name in parentheses, which may hold anything.
    let after = text.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks = after.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// `VmHWM` of proc_pid_status(5), in bytes; 0 once the process is gone.
fn peak_bytes(status: &str) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let kib = text.lines().find_map(|line| {
        let rest = line.strip_prefix("VmHWM:")?;
        rest.split_whitespace().next()?.parse::<u64>().ok()
    });
    kib.unwrap_or(0) * 1024
}
