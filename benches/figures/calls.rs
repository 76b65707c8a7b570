//! Calls in a sandbox against `docker exec` in the same container.

use std::time::{Duration, Instant};

use proofyard::record::Limits;
use proofyard::sandbox::docker::{DockerSandbox, Engine};
use proofyard::sandbox::{
    MainProcess, NetworkMode, Role, Sandbox, SandboxSpec, ShellCommand, User,
};

use crate::place::Place;
use crate::{Outcome, PROOFYARD, timed, told};

/// Pairs of a call and its `docker exec`.
const CALLS: usize = 30;
const FILE: &str = "/tmp/ten-kilobytes";
const FILE_BYTES: usize = 10 * 1024;

/// Figures: `true` in the persistent shell, and a file of 10 KB read.
pub fn against_exec(place: &Place) -> Outcome<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let settings = &place.settings;
        let helper = PROOFYARD.as_ref();
        let engine = Engine::open_with_helper(&settings.engine, &settings.host, helper).await?;
        let run = format!("bench-{}", std::process::id());
        let sandbox = DockerSandbox::start(&engine, &spec(place, &run)).await?;
        let measured = in_sandbox(place, &sandbox, &run).await;
        sandbox.stop().await?;
        measured
    })
}

async fn in_sandbox(place: &Place, sandbox: &DockerSandbox, run: &str) -> Outcome<()> {
    let container = container(place, run)?;
    let exec = |argv: &[&str]| timed(place.docker().args(["exec", &container]).args(argv));
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
        let shell_floor = exec(&["true"])?;
        let began = Instant::now();
        let content_read = sandbox
            .read(FILE, 0, 1 << 20, &User::Default)
            .await?
            .content;
        let read = began.elapsed();
        if content_read != content {
            return Err("the file reads otherwise than it was written".into());
        }
        let read_floor = exec(&["cat", FILE])?;
        if round > 0 {
            shells.push(shell);
            shell_floors.push(shell_floor);
            reads.push(read);
            read_floors.push(read_floor);
        }
    }
    told::faster("bash `true` / docker exec", shells, shell_floors, 25.0);
    told::faster("read 10 KB / docker exec cat", reads, read_floors, 100.0);
    Ok(())
}

fn container(place: &Place, run: &str) -> Outcome<String> {
    let filter = format!("label=proofyard.run={run}");
    let out = place
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

/// A sandbox of the trivial task.
pub fn spec(place: &Place, run: &str) -> SandboxSpec {
    let limits = &place.settings.limits;
    SandboxSpec {
        image: place.image.clone(),
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
        privileges: Default::default(),
        hosts: Vec::new(),
        attach: None,
    }
}

fn command(text: &str) -> ShellCommand {
    ShellCommand {
        interpreter: Default::default(),
        command: text.to_owned(),
        user: User::Default,
        timeout: Duration::from_secs(60),
        output_bytes: 1 << 20,
    }
}
