//! `proofyard serve-model`: a model that is played from a file, for others to talk to.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::drive::Interrupts;
use super::{Exit, Failure, to_stdout};
use crate::diagnose::printable;
use crate::model::scripted::{Endpoint, Script};

const EXAMPLES: &str = "\
Examples:
  proofyard serve-model demo.toml                 on a free port, which is printed
  proofyard serve-model demo.toml --port 8080
  OPENAI_BASE_URL=http://127.0.0.1:8080/v1 proofyard run tasks -m demo

docs/scripted-models.md says what a file may say. Ctrl-C ends it.";

/// Serve a model that is played from a file
///
/// Speaks the OpenAI chat format over HTTP, streaming and not, and plays turns that
/// rules choose by the conversation so far. The base URL goes to standard output, a
/// line per request to standard error.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeModelArgs {
    /// The script
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: IpAddr,

    /// Port to listen on; 0 is a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
}

/// Serves until it is told to end.
pub async fn run(args: ServeModelArgs) -> Result<Exit, Failure> {
    let script = Script::load(&args.file)?;
    let interrupts = Interrupts::listen().map_err(Failure::Signals)?;
    let heard = |line: String| {
        let _ = writeln!(std::io::stderr(), "{}", printable(&line));
    };
    let address = SocketAddr::from((args.host, args.port));
    let endpoint = Endpoint::start_heard(script, address, Arc::new(heard)).await;
    let endpoint = endpoint.map_err(Failure::Serve)?;
    to_stdout(&format!("{}\n", endpoint.base_url()))?;
    interrupts.stop.cancelled().await;
    Ok(Exit::Done)
}
