//! The figures of this project, each against its floor in the same run.
//!
//! Owns what is measured and how it is told: medians, what is compared taken in
//! turns (A B A B), the machine's load beside it. It judges nothing: figures of a
//! busy machine are no test, so the exit code is always 0. `cargo bench` runs it.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use proofyard::config::{Settings, Sources};
use proofyard::record::Limits;
use proofyard::sandbox::docker::{DockerSandbox, Engine};
use proofyard::sandbox::{
    MainProcess, NetworkMode, Role, Sandbox, SandboxSpec, ShellCommand, User,
};
use serde_json::Value;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The binary under measurement, and the helper of its sandboxes.
const PROOFYARD: &str = env!("CARGO_BIN_EXE_proofyard");
const HELPER: &str = "PROOFYARD_HELPER";

/// The trivial trial: rounds of so many trials, each followed by as many floors.
const ROUNDS: usize = 5;
const TRIALS: usize = 3;
/// Pairs of a call and its `docker exec`.
const CALLS: usize = 30;
const STARTS: usize = 20;
const FILE: &str = "/tmp/ten-kilobytes";
const FILE_BYTES: usize = 10 * 1024;

fn main() {
    // Without this flag it is a test runner that starts all there is.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("figures: measured by `cargo bench`");
        return;
    }
    if std::env::var_os(HELPER).is_none() {
        let error = again_with_helper();
        println!("figures: start again with {HELPER}: {error}");
        return;
    }
    println!("{}", machine());
    line(["figure", "value", "floor", "ratio", "target", "holds", "n"].map(String::from));
    if let Err(error) = start_of_help().and_then(|()| with_engine()) {
        println!("not measured from here: {error}");
    }
    println!("load at the end {}", load());
}

/// An engine keeps the current program as its helper unless told otherwise, and
/// this one is none. Returns only where it failed.
fn again_with_helper() -> std::io::Error {
    match std::env::current_exe() {
        Ok(this) => Command::new(this)
            .args(std::env::args_os().skip(1))
            .env(HELPER, PROOFYARD)
            .exec(),
        Err(error) => error,
    }
}

// ── what is measured ────────────────────────────────────────────────────────

fn start_of_help() -> Outcome<()> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        times.push(timed_command(Command::new(PROOFYARD).arg("--help"))?);
    }
    let value = median(times);
    let holds = value <= Duration::from_millis(20);
    absolute("proofyard --help", &millis(value), "≤ 20 ms", holds, STARTS);
    Ok(())
}

fn with_engine() -> Outcome<()> {
    let settings = proofyard::config::load(&Sources::of_process(None, Vec::new())?)?.settings;
    let scratch = tempfile::tempdir()?;
    let bench = Bench {
        docker: settings.engine.host.clone(),
        scratch: scratch.path(),
    };
    write_task(&scratch.path().join("trivial"))?;
    let first = bench.run(1, 1, &[])?;
    let image = first.image.ok_or("the first trial reached no image")?;
    let measured = bench.trials(&image).and_then(|()| {
        tokio::runtime::Runtime::new()?.block_on(bench.calls(&settings, &image))?;
        bench.memory()
    });
    bench.forget(&image);
    measured
}

/// Where it all runs.
struct Bench<'a> {
    /// The engine as the `docker` program is told of it; none: as it knows itself.
    docker: Option<String>,
    scratch: &'a Path,
}

/// What a run of the binary was.
#[derive(Default)]
struct Ran {
    wall: Duration,
    /// Of each trial, what it took once it had its turn.
    trials: Vec<Duration>,
    image: Option<String>,
    /// Most trials between their start and their end at one moment.
    at_once: usize,
    peak_bytes: u64,
}

impl Bench<'_> {
    /// Figure: a trivial trial against two containers by hand.
    fn trials(&self, image: &str) -> Outcome<()> {
        let (mut inside, mut walls, mut floors) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let ran = self.run(TRIALS, 1, &[])?;
            inside.extend(ran.trials);
            walls.push(ran.wall / TRIALS as u32);
            for _ in 0..TRIALS {
                let began = Instant::now();
                for _ in 0..2 {
                    let docker = &mut self.docker();
                    let run = ["run", "--rm", "--network", "none", image, "true"];
                    timed_command(docker.args(run))?;
                }
                floors.push(began.elapsed());
            }
        }
        let (value, floor) = (median(inside), median(floors));
        let n = ROUNDS * TRIALS;
        at_most("trivial trial / 2 docker run", value, floor, Some(1.3), n);
        at_most("  with the program's start", median(walls), floor, None, n);
        Ok(())
    }

    /// Figures: calls in a sandbox against `docker exec` in the same container.
    async fn calls(&self, settings: &Settings, image: &str) -> Outcome<()> {
        let engine = Engine::open(&settings.engine, &settings.host).await?;
        let run = format!("bench-{}", std::process::id());
        let sandbox = DockerSandbox::start(&engine, &spec(settings, image, &run)).await?;
        let measured = self.calls_in(&sandbox, &run).await;
        sandbox.stop().await?;
        measured
    }

    async fn calls_in(&self, sandbox: &DockerSandbox, run: &str) -> Outcome<()> {
        let container = self.container(run)?;
        let content = vec![b'x'; FILE_BYTES];
        sandbox.write(FILE, &content, None, &User::Default).await?;
        let (mut shells, mut shell_floors) = (Vec::new(), Vec::new());
        let (mut reads, mut read_floors) = (Vec::new(), Vec::new());
        // The first of each starts what the others find.
        for round in 0..=CALLS {
            let began = Instant::now();
            let ended = sandbox.shell(command("true")).await?.ended;
            let shell = began.elapsed();
            if !ended.success() {
                return Err(format!("`true` in the shell: {ended:?}").into());
            }
            let shell_floor = self.exec(&container, &["true"])?;
            let began = Instant::now();
            let read = sandbox.read(FILE, 0, 1 << 20, &User::Default).await?;
            let elapsed = began.elapsed();
            if read.content != content {
                return Err("the file reads otherwise than it was written".into());
            }
            let read_floor = self.exec(&container, &["cat", FILE])?;
            if round > 0 {
                shells.push(shell);
                shell_floors.push(shell_floor);
                reads.push(elapsed);
                read_floors.push(read_floor);
            }
        }
        faster("bash `true` / docker exec", shells, shell_floors, 25.0);
        faster("read 10 KB / docker exec cat", reads, read_floors, 100.0);
        Ok(())
    }

    /// Figure: the peak memory of the program itself.
    fn memory(&self) -> Outcome<()> {
        let small = ["limits.cpus=0.25", "limits.memory_mb=256"];
        let ran = self.run(16, 4, &small)?;
        let mib = ran.peak_bytes as f64 / f64::from(1 << 20);
        let name = format!("memory, 16 trials, {} at once", ran.at_once);
        absolute(&name, &format!("{mib:.1} MiB"), "≤ 60 MiB", mib <= 60.0, 1);
        Ok(())
    }

    /// Runs the trivial task, and watches.
    fn run(&self, trials: usize, jobs: usize, set: &[&str]) -> Outcome<Ran> {
        let began = Instant::now();
        let mut child = Command::new(PROOFYARD)
            .arg("run")
            .arg(self.scratch.join("trivial"))
            .args(["-a", "nop", "--no-check", "--json", "--progress", "none"])
            .args(["-n", &trials.to_string(), "-j", &jobs.to_string()])
            .args(set.iter().flat_map(|setting| ["--set", setting]))
            .arg("--out")
            .arg(self.scratch.join("runs"))
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().ok_or("the program has no output")?;
        let reading = std::thread::spawn(move || read_events(BufReader::new(out)));
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        // The kernel keeps the peak: what comes after the last look is all that is missed.
        let code = loop {
            peak = peak.max(peak_bytes(&status));
            if let Some(code) = child.try_wait()? {
                break code;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let wall = began.elapsed();
        let mut ran = reading.join().map_err(|_| "the reader of events ended")??;
        if !code.success() || ran.trials.len() != trials {
            let done = ran.trials.len();
            return Err(
                format!("the run ended with {code} after {done} of {trials} trials").into(),
            );
        }
        ran.wall = wall;
        ran.peak_bytes = peak;
        Ok(ran)
    }

    fn docker(&self) -> Command {
        let mut docker = Command::new("docker");
        docker.args(self.docker.iter().flat_map(|host| ["--host", host]));
        docker
    }

    fn exec(&self, container: &str, argv: &[&str]) -> Outcome<Duration> {
        timed_command(self.docker().args(["exec", container]).args(argv))
    }

    fn container(&self, run: &str) -> Outcome<String> {
        let filter = format!("label=proofyard.run={run}");
        let out = self
            .docker()
            .args(["ps", "-q", "--filter", &filter])
            .output()?;
        let ids = String::from_utf8(out.stdout)?;
        let id = ids
            .lines()
            .next()
            .ok_or("docker ps does not know the sandbox")?;
        Ok(id.to_owned())
    }

    /// Takes the image of the trivial task away, by each name that it has.
    fn forget(&self, image: &str) {
        let names = [
            "image",
            "inspect",
            "--format",
            "{{join .RepoTags \" \"}}",
            image,
        ];
        let Ok(out) = self.docker().args(names).output() else {
            return;
        };
        for name in String::from_utf8_lossy(&out.stdout).split_whitespace() {
            let mut removal = self.docker();
            if let Err(error) = timed_command(removal.args(["image", "rm", name])) {
                println!("left behind: image {name}: {error}");
            }
        }
    }
}

// ── what it is measured with ────────────────────────────────────────────────

/// A task whose image is its own, so that it can be taken away, and adds no layer.
fn write_task(folder: &Path) -> Outcome<()> {
    let own = format!(
        "FROM proofyard/base\nLABEL proofyard.bench={}\n",
        std::process::id()
    );
    let check = "[ -f /answer ] && reward=1 || reward=0\n\
                 echo \"$reward\" > /logs/verifier/reward.txt\n";
    let files = [
        ("instruction.md", "Make the file /answer.\n"),
        (
            "task.toml",
            "schema_version = \"1.4\"\n\n[verification]\nrunner = \"script\"\n",
        ),
        ("environment/Dockerfile", &own),
        ("tests/test.sh", check),
    ];
    for (name, content) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, content)?;
    }
    Ok(())
}

fn spec(settings: &Settings, image: &str, run: &str) -> SandboxSpec {
    let limits = &settings.limits;
    SandboxSpec {
        image: image.to_owned(),
        run: run.to_owned(),
        trial: "bench".to_owned(),
        role: Role::Agent,
        limits: Limits {
            cpus: limits.cpus,
            memory_bytes: limits.memory_mb << 20,
            pids: limits.pids,
            open_files: limits.open_files,
            disk_bytes: limits.disk_mb << 20,
        },
        network: NetworkMode::None,
        env: Default::default(),
        workdir: None,
        user: None,
        work_tree: None,
        main: MainProcess::None,
    }
}

fn command(text: &str) -> ShellCommand {
    ShellCommand {
        command: text.to_owned(),
        user: User::Default,
        timeout: Duration::from_secs(60),
        output_bytes: 1 << 20,
    }
}

fn timed_command(command: &mut Command) -> Outcome<Duration> {
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

/// `VmHWM` of proc_pid_status(5), in bytes; 0 once the process is gone.
fn peak_bytes(status: &str) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let kib = text.lines().find_map(|line| {
        let rest = line.strip_prefix("VmHWM:")?;
        rest.split_whitespace().next()?.parse::<u64>().ok()
    });
    kib.unwrap_or(0) * 1024
}

// ── how it is told ──────────────────────────────────────────────────────────

fn machine() -> String {
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let build = match cfg!(debug_assertions) {
        true => "debug build, whose figures say little",
        false => "release build",
    };
    format!("{cpus} processors, load {}, {build}; medians", load())
}

/// Averages of 1, 5 and 15 minutes.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}

fn at_most(name: &str, value: Duration, floor: Duration, target: Option<f64>, n: usize) {
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

fn faster(name: &str, values: Vec<Duration>, floors: Vec<Duration>, target: f64) {
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

fn absolute(name: &str, value: &str, target: &str, holds: bool, n: usize) {
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

fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1000.0;
    let digits = if millis < 10.0 { 3 } else { 1 };
    format!("{millis:.digits$} ms")
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    let middle = times.len() / 2;
    match times.len() % 2 {
        0 if middle > 0 => (times[middle - 1] + times[middle]) / 2,
        _ => times.get(middle).copied().unwrap_or_default(),
    }
}
