//! How figures are told: medians, a line each, the machine's load beside them.

use std::fs;
use std::time::Duration;

pub fn head() {
    println!("{}", machine());
    line(["figure", "value", "floor", "ratio", "target", "holds", "n"].map(String::from));
}

/// A figure that could not be taken, and why; the others go on.
pub fn missed(figure: &str, error: &dyn std::error::Error) {
    println!("{figure:<32} not measured: {error}");
}

fn machine() -> String {
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let build = match cfg!(debug_assertions) {
        true => "debug build, whose figures say little",
        false => "release build",
    };
    format!("{cpus} processors, load {}, {build}; medians", load())
}

/// Averages of 1, 5 and 15 minutes.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}

pub fn at_most(name: &str, value: Duration, floor: Duration, target: Option<f64>, n: usize) {
    let ratio = value.as_secs_f64() / floor.as_secs_f64();
    line([
        name.to_owned(),
        millis(value),
        millis(floor),
        format!("{ratio:.2}"),
        target.map_or("–".to_owned(), |target| format!("≤ {target}")),
        target.map_or("–".to_owned(), |target| yes(ratio <= target)),
        n.to_string(),
    ]);
}

pub fn faster(name: &str, values: Vec<Duration>, floors: Vec<Duration>, target: f64) {
    let n = values.len();
    let (value, floor) = (median(values), median(floors));
    let ratio = floor.as_secs_f64() / value.as_secs_f64();
    line([
        name.to_owned(),
        millis(value),
        millis(floor),
        format!("{ratio:.0} ×"),
        format!("≥ {target} ×"),
        yes(ratio >= target),
        n.to_string(),
    ]);
}

pub fn absolute(name: &str, value: &str, target: &str, holds: bool, n: usize) {
    let none = || "–".to_owned();
    let (name, value, target) = (name.to_owned(), value.to_owned(), target.to_owned());
    line([
        name,
        value,
        none(),
        none(),
        target,
        yes(holds),
        n.to_string(),
    ]);
}

fn line([name, value, floor, ratio, target, holds, n]: [String; 7]) {
    println!("{name:<32} {value:>11} {floor:>11} {ratio:>8}  {target:<9} {holds:<6} {n:>3}");
}

fn yes(holds: bool) -> String {
    if holds { "yes" } else { "no" }.to_owned()
}

pub fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1000.0;
    let digits = if millis < 10.0 { 3 } else { 1 };
    format!("{millis:.digits$} ms")
}

pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    let middle = times.len() / 2;
    match times.len() % 2 {
        0 if middle > 0 => (times[middle - 1] + times[middle]) / 2,
        _ => times.get(middle).copied().unwrap_or_default(),
    }
}
