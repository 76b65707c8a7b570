//! `proofyard guest`: the helper in a sandbox.

use std::io::Write;

use clap::Args;

use super::Exit;
use crate::sandbox::guest::terminal::{self, Played};
use crate::sandbox::guest::{self, Endpoint};

/// Looks around, as asked by a JSON object on standard input.
pub fn look() -> Exit {
    let asked: Result<guest::look::Look, String> =
        serde_json::from_reader(std::io::stdin().lock()).map_err(|error| error.to_string());
    match asked.and_then(|asked| guest::look::look(&asked)) {
        Ok(text) => {
            let _ = std::io::stdout().write_all(text.as_bytes());
            Exit::Done
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            Exit::TrialErrors
        }
    }
}

/// What a terminal is for.
#[derive(Debug, Clone, Args)]
pub struct TerminalArgs {
    /// Keep the one that is standard input open
    #[arg(long)]
    hold: bool,
}

/// Plays on a terminal, as asked by a JSON object on standard input.
pub fn terminal(args: &TerminalArgs) -> std::process::ExitCode {
    let played = match args.hold {
        true => terminal::hold_input().map(|()| Played::Done(0)),
        false => serde_json::from_reader(std::io::stdin().lock())
            .map_err(std::io::Error::from)
            .and_then(|play| terminal::play(&play)),
    };
    let failed = |text: String, status: u8| {
        let _ = writeln!(std::io::stderr(), "{text}");
        status.into()
    };
    match played {
        // A status is a byte.
        Ok(Played::Done(status)) => (status as u8).into(),
        Ok(Played::TimedOut(what)) => failed(format!("in vain: {what}"), terminal::IN_VAIN),
        Err(error) => failed(error.to_string(), 127),
    }
}

/// Carries bytes between an address and the standard streams.
pub fn connect(host: &str, port: u16) -> Exit {
    match guest::connect::connect(host, port) {
        Ok(()) => Exit::Done,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            Exit::TrialErrors
        }
    }
}

/// How the helper reaches its host.
#[derive(Debug, Clone, Args)]
pub struct GuestArgs {
    /// The unix socket that it connects to
    #[arg(
        long,
        value_name = "PATH",
        conflicts_with = "stream",
        required_unless_present = "stream"
    )]
    socket: Option<String>,

    /// Frames on standard input and output
    #[arg(long)]
    stream: bool,
}

/// Serves until the host is gone.
pub fn run(args: &GuestArgs) -> Exit {
    let served = guest::run(match &args.socket {
        Some(path) => Endpoint::Socket(path.clone()),
        None => Endpoint::Stream,
    });
    match served {
        Ok(()) => Exit::Done,
        Err(error) => {
            // In a sandbox nobody reads this; it is for whoever starts it by hand.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            Exit::TrialErrors
        }
    }
}
