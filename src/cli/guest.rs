//! `proofyard guest`: the helper in a sandbox.

use clap::Args;

use crate::sandbox::guest::{self, Endpoint};

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
pub fn run(args: &GuestArgs) -> std::process::ExitCode {
    guest::run(match &args.socket {
        Some(path) => Endpoint::Socket(path.clone()),
        None => Endpoint::Stream,
    })
}
