//! `proofyard shell TASK`: look around where an agent would.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};

use super::{Exit, Failure, settings};
use crate::run::{Machine, check_demand, demand, host_record, sandbox_of};
use crate::sandbox::docker::Engine;
use crate::task;

const EXAMPLES: &str = "\
Examples:
  proofyard shell tasks/terminal/torn-journal
  echo 'git log --oneline | head' | proofyard shell tasks/repo/glob-star";

/// The task whose sandbox is wanted.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct ShellArgs {
    /// A task's folder
    #[arg(value_name = "TASK")]
    task: PathBuf,
}

/// Opens the shell; the sandbox is gone when it ends.
pub async fn run(args: ShellArgs) -> Result<Exit, Failure> {
    let settings = settings(None)?;
    let task = task::load(&args.task)?;
    let granted = check_demand(
        &task.id,
        demand(&task, &settings),
        &Machine::of(&host_record()),
    )?;
    let engine = Engine::open(&settings.engine, &settings.host).await?;
    let (sandbox, services) = sandbox_of(engine, settings, task, granted)
        .await
        .map_err(|fault| Failure::NotReady(fault.message))?;
    let terminal = std::io::stdin()
        .is_terminal()
        .then(|| console::Term::stdout().size());
    let _raw = terminal.and_then(|_| Raw::enter());
    let (typed, out, err) = (tokio::io::stdin(), tokio::io::stdout(), tokio::io::stderr());
    let shown = tokio::select! {
        shown = sandbox.interact(typed, out, err, terminal) => shown,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    let stopped = crate::sandbox::Sandbox::stop(&sandbox).await;
    if let Some(services) = services {
        services.stop().await?;
    }
    stopped?;
    shown?;
    Ok(Exit::Done)
}

/// The terminal passes every key on while this lives.
struct Raw(Termios);

impl Raw {
    fn enter() -> Option<Self> {
        let before = tcgetattr(std::io::stdin()).ok()?;
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(std::io::stdin(), SetArg::TCSANOW, &raw).ok()?;
        Some(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), SetArg::TCSANOW, &self.0);
    }
}
