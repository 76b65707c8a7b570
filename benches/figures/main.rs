//! The figures of this project, each against its floor in the same run.
//!
//! Owns what is measured, and in what order: medians, what is compared taken in
//! turns (A B A B), the machine's load beside it. It judges nothing: figures of a
//! busy machine are no test, so the exit code is always 0. `cargo bench` runs it, and
//! `cargo bench --bench figures -- WORD` the figures with that word in their names.

mod calls;
mod grade;
mod harbor;
mod many;
mod place;
mod rows;
mod told;
mod trials;
mod turns;
mod verify;

use std::error::Error;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use place::Place;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The binary under measurement, and the helper of its sandboxes.
const PROOFYARD: &str = env!("CARGO_BIN_EXE_proofyard");
const STARTS: usize = 20;

fn main() {
    // Without this flag it is a test runner that starts all there is.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("figures: measured by `cargo bench`");
        return;
    }
    told::head();
    attempt("proofyard --help", start_of_help);
    match Place::make() {
        Ok(place) => {
            attempt("trivial trial", || trials::against_containers(&place));
            attempt("verification", || verify::against_tests(&place));
            attempt("calls", || calls::against_exec(&place));
            attempt("trivial Harbor task", || harbor::against_harbor(&place));
            attempt("10,000 task folders", || harbor::folders(&place));
            attempt("10,000 rows", || rows::read(&place));
            attempt("grading", || grade::against_tests(&place));
            attempt("memory", || trials::memory(&place));
            attempt("turns of the loop", || turns::overhead(&place));
            attempt("many trials of the loop", || many::at_once(&place));
        }
        Err(error) => told::missed("all with an engine", error.as_ref()),
    }
    println!("load at the end {}", told::load());
}

/// Takes a figure, where it is meant: all are, or those whose names have a word that the
/// command line gives.
fn attempt(figure: &str, measure: impl FnOnce() -> Outcome<()>) {
    let mut words = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'));
    let meant = match words.next() {
        None => true,
        Some(first) => std::iter::once(first)
            .chain(words)
            .any(|word| figure.contains(&word)),
    };
    if meant && let Err(error) = measure() {
        told::missed(figure, error.as_ref());
    }
}

fn start_of_help() -> Outcome<()> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        times.push(timed(Command::new(PROOFYARD).arg("--help"))?);
    }
    let value = told::median(times);
    let holds = value <= Duration::from_millis(20);
    told::absolute(
        "proofyard --help",
        &told::millis(value),
        "≤ 20 ms",
        holds,
        STARTS,
    );
    Ok(())
}

/// How long a program takes that must end well.
fn timed(command: &mut Command) -> Outcome<Duration> {
    let began = Instant::now();
    let out = command.stdin(Stdio::null()).output();
    let elapsed = began.elapsed();
    let name = command.get_program().to_string_lossy();
    let out = out.map_err(|error| format!("run {name}: {error}"))?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr);
        return Err(format!("{name} ended with {}: {}", out.status, said.trim()).into());
    }
    Ok(elapsed)
}
