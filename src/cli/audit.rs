//! `proofyard audit`: is what is stored of a run what was stored?

use std::path::PathBuf;

use clap::Args;

use super::resume::run_dir;
use super::{Exit, Failure, to_stdout};
use crate::config::Settings;
use crate::report::{Counting, Style, audit_json, audit_text};
use crate::run::{PublicKey, audit};

const EXAMPLES: &str = "\
Examples:
  proofyard audit runs/2026-11-23-quiet-otter
  proofyard audit 2026-11-23-quiet-otter --key public.pem    whose word is it?
  proofyard audit 2026-11-23-quiet-otter --json | jq -r 'select(.event == \"finding\").file'

Keys, made and used without Proofyard:
  openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem -pubout -out public.pem
  proofyard run tasks -a oracle --sign key.pem
  openssl pkeyutl -verify -rawin -pubin -inkey public.pem -in runs/…/manifest.json -sigfile runs/…/manifest.sig

Exit codes:
  0 everything holds   3 a check failed   2 the run cannot be read";

/// Verify what is stored of a run.
///
/// Follows the chain of every trajectory, compares every file with the manifests and
/// every journal line with its trial, decides every outcome again from the stored
/// records, and names what differs: file, line, what was expected. Needs neither
/// engine nor network and changes nothing.
///
/// Without --key it shows accidents and clumsy edits only: whoever can write to the
/// run's folder can write a manifest that fits. With it the manifest must be signed
/// by that key.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct AuditArgs {
    /// The run's folder, or its name
    #[arg(value_name = "RUN")]
    run: String,

    /// Require a signature of this public ed25519 key
    #[arg(long, value_name = "PUBLIC.pem")]
    key: Option<PathBuf>,

    /// One JSON object a line on standard output, nothing else there
    #[arg(long)]
    json: bool,

    /// Folder that runs are kept in [default: runs]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Audits it.
pub fn run(args: &AuditArgs, settings: &Settings) -> Result<Exit, Failure> {
    let key = args.key.as_deref().map(PublicKey::read).transpose()?;
    let dir = run_dir(&args.run, args.out.as_ref().unwrap_or(&settings.run.out));
    let mut counting = Counting::new("audited", "trials");
    let audited = audit(&dir, key.as_ref(), &mut |done, of| counting.show(done, of));
    counting.end();
    let audited = audited?;
    to_stdout(&match args.json {
        true => audit_json(&audited),
        false => audit_text(&audited, Style::stdout()),
    })?;
    Ok(match audited.findings.is_empty() {
        true => Exit::Done,
        false => Exit::Failed,
    })
}
