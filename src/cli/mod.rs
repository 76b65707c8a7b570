//! One file per command; reads as a table of contents.
//!
//! Owns what is printed besides reports, and the exit codes. Must not hold
//! logic that a test would want.

pub mod audit;
pub mod check;
mod check_cheats;
mod check_leaks;
mod check_tasks;
mod chosen;
mod clean;
pub mod drive;
mod evaluate;
mod exit;
mod export;
mod failure;
mod fetched;
mod grade;
mod guest;
pub mod images;
mod images_plan;
mod import;
mod import_specs;
pub mod list;
mod list_set;
mod models;
pub mod new;
pub mod regrade;
pub mod resume;
pub mod run;
pub mod schema;
pub mod select;
mod serve_model;
mod shell;
mod show;
pub mod show_config;
pub mod show_parts;
pub mod show_run;
pub mod show_task;

pub use exit::Exit;
pub use failure::{Failure, to_stdout};

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::config::{self, Flag, Loaded, Settings, Sources};

const ABOUT: &str = "\
First steps:
  proofyard new tasks/my-task                 a task that works, to change from
  proofyard run tasks -a oracle -a nop        are the tasks sound?
  proofyard show runs/…                       what came of it

Settings come from flags, PROOFYARD_… variables, harness.toml and defaults, in
this order; `proofyard show --config` prints each with where it came from.";

/// A sandboxed evaluator of agents
#[derive(Debug, Parser)]
#[command(name = "proofyard", version, after_help = ABOUT, disable_help_subcommand = true)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Evaluate agents at tasks
    Run(Box<run::RunArgs>),
    /// Finish what is missing of a run
    Resume(resume::ResumeArgs),
    Grade(Box<grade::GradeArgs>),
    Regrade(regrade::RegradeArgs),
    Check(Box<check::CheckArgs>),
    /// List tasks, or instances of a data set
    List(list::ListArgs),
    /// Show a task, an instance, a run, a trial, or the settings
    Show(show::ShowArgs),
    New(new::NewArgs),
    /// A shell in a task's sandbox
    Shell(shell::ShellArgs),
    Images(images::ImagesArgs),
    /// Remove what dead runs left in the engine and on this host
    Clean,
    Audit(audit::AuditArgs),
    Export(export::ExportArgs),
    Import(import::ImportArgs),
    Schema(schema::SchemaArgs),
    ServeModel(serve_model::ServeModelArgs),
    /// The helper in a sandbox; started by the harness
    #[command(hide = true)]
    Guest(guest::GuestArgs),
    /// Looks around in a sandbox; started by the helper
    #[command(hide = true)]
    Look,
    /// Plays on a terminal in a sandbox; started by the helper
    #[command(hide = true)]
    Terminal(guest::TerminalArgs),

    /// Connects to an address in a sandbox; started by the helper
    #[command(hide = true)]
    Connect {
        host: String,
        port: u16,
    },
}

/// The program.
pub fn main() -> std::process::ExitCode {
    let program = match Program::try_parse() {
        Ok(program) => program,
        Err(error) => {
            let _ = error.print();
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            return exit.into();
        }
    };
    // The helper is one thread in a sandbox that may allow no more.
    if let Command::Guest(args) = &program.command {
        return guest::run(args).into();
    }
    if let Command::Look = &program.command {
        return guest::look().into();
    }
    if let Command::Terminal(args) = &program.command {
        return guest::terminal(args);
    }
    if let Command::Connect { host, port } = &program.command {
        return guest::connect(host, *port).into();
    }
    listen_to_logs();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let exit = match runtime {
        Ok(runtime) => {
            let exit = runtime.block_on(perform(program.command));
            // What still reads in the background holds nobody up.
            runtime.shutdown_timeout(std::time::Duration::from_secs(5));
            exit
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: start the runtime: {error}");
            Exit::Usage
        }
    };
    exit.into()
}

async fn perform(command: Command) -> Exit {
    let done = match command {
        Command::Run(args) => evaluate::run(*args).await,
        Command::Resume(args) => evaluate::resume(args).await,
        Command::Grade(args) => grade::run(*args).await,
        Command::Regrade(args) => regrade::run(args).await,
        Command::Check(args) => check::run(*args).await,
        Command::List(args) => match loaded(None, args.flags()) {
            Ok(loaded) => list::run(&args, &loaded.settings).await,
            Err(failure) => Err(failure),
        },
        Command::Show(args) => show::run(&args),
        Command::New(args) => new::run(&args),
        Command::Shell(args) => shell::run(args).await,
        Command::Images(args) => images::run(args).await,
        Command::Clean => clean::run().await,
        Command::Audit(args) => settings(None).and_then(|settings| audit::run(&args, &settings)),
        Command::Export(args) => settings(None).and_then(|settings| export::run(&args, &settings)),
        Command::Import(args) => import::run(args).await,
        Command::Schema(args) => schema::run(&args),
        Command::ServeModel(args) => serve_model::run(args).await,
        Command::Guest(_) | Command::Look | Command::Terminal(_) | Command::Connect { .. } => {
            Ok(Exit::Usage)
        }
    };
    done.unwrap_or_else(|failure| {
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let _ = writeln!(std::io::stderr(), "{}", failure.render(colour).trim_end());
        failure.exit()
    })
}

/// The settings without flags.
fn settings(config: Option<PathBuf>) -> Result<Settings, Failure> {
    Ok(loaded(config, Vec::new())?.settings)
}

/// The settings, each with where it came from.
fn loaded(config: Option<PathBuf>, flags: Vec<Flag>) -> Result<Loaded, Failure> {
    Ok(config::load(&Sources::of_process(config, flags)?)?)
}

/// `PROOFYARD_LOG=debug` and the like; warnings otherwise.
fn listen_to_logs() {
    // What fails of a task's server of tools is told where it matters.
    let filter = tracing_subscriber::EnvFilter::try_from_env("PROOFYARD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,rmcp=off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .without_time()
        .init();
}
