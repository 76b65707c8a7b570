//! `proofyard images plan`: what the images of a data set cost, before any is made.

use std::collections::BTreeMap;

use clap::Args;

use super::chosen::tell;
use super::select::{self, SelectArgs, data_set};
use super::{Exit, Failure, loaded, to_stdout};
use crate::config::{Flag, Settings};
use crate::sandbox::docker::EngineError;
use crate::sandbox::docker::connect::connect;
use crate::sandbox::docker::images::{Described, Images, Recipe};
use crate::swebench::row::Row;
use crate::task::envs::plan::{self, Host, plan};
use crate::task::envs::{Environment, Environments};

const EXAMPLES: &str = "\
Examples:
  proofyard images plan --dataset verified.jsonl
  proofyard images plan --dataset swebench-verified --sample 50 --stratify repo
  proofyard images plan --dataset verified.jsonl --envs envs --no-pull --json

Exit codes:
  0 told   2 the data set or a specification cannot be read   4 the engine does not answer";

/// Say what the images of a data set's instances need: how many, gigabytes, time.
///
/// Of each instance: is its official image local, is it pulled, or is one built from a
/// specification of yours? Nothing is pulled or built. Estimates are ranges, and the
/// last lines say where they are from.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct PlanArgs {
    /// A file or folder of rows, or a name of [datasets]
    #[arg(long, value_name = "D")]
    dataset: String,

    #[command(flatten)]
    select: SelectArgs,

    /// Specifications of environments: files, or folders of them; may be given several times
    #[arg(long, value_name = "PATH")]
    envs: Vec<String>,

    /// As where no image may be pulled
    #[arg(long)]
    no_pull: bool,

    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Plans them.
pub async fn run(args: PlanArgs) -> Result<Exit, Failure> {
    let mut flags = Vec::new();
    if !args.envs.is_empty() {
        flags.push(Flag::named("--envs", "swebench.envs", args.envs.clone()));
    }
    let settings = loaded(None, flags)?.settings;
    let name = &args.dataset;
    let Some(set) = data_set(name, &settings)? else {
        return Err(Failure::NoDataSet { path: name.clone() });
    };
    let meant = select::rows(name, &set, &settings, &args.select)?;
    let environments = environments(&settings)?;
    for warning in meant.warnings.iter().chain(&environments.warnings) {
        tell(warning, args.json)?;
    }
    let local = local(&settings).await?;
    let rows: Vec<plan::Row<'_>> = meant.rows.iter().map(|row| needs(row)).collect();
    let images = settings.images.dir.as_deref();
    let is_built = |environment: &Environment| {
        tag(environment, images).is_some_and(|tag| local.contains_key(&tag))
    };
    let host = Host {
        local: &local,
        is_built: &is_built,
        pull: settings.images.pull && !args.no_pull,
    };
    let planned = plan(&rows, &environments, &host)
        .map_err(|error| Failure::Instances(vec![error.into()]))?;
    to_stdout(&match args.json {
        true => format!("{}\n", serde_json::to_string(&planned).unwrap_or_default()),
        false => planned.table(),
    })
}

/// The specifications that the settings name.
pub(super) fn environments(settings: &Settings) -> Result<Environments, Failure> {
    Environments::read(&settings.swebench.envs, &[])
        .map_err(|error| Failure::Instances(vec![error.into()]))
}

/// Bytes of each local image, by its names.
pub(super) async fn local(settings: &Settings) -> Result<BTreeMap<String, u64>, Failure> {
    let docker = connect(settings.engine.host.as_deref());
    let docker = docker.await.map_err(EngineError::from)?;
    let images = Images::new(&docker, &settings.images, &settings.host);
    Ok(images.local_sizes().await?)
}

/// A row, as far as its image goes.
pub(super) fn needs(row: &Row) -> plan::Row<'_> {
    plan::Row {
        instance_id: &row.instance_id,
        repo: &row.repo,
        version: row.version.as_deref().unwrap_or_default(),
        images: row.official_images(),
    }
}

/// The tag of an environment's image; none where no recipe can be made of it, which
/// building it will tell.
fn tag(environment: &Environment, images: Option<&std::path::Path>) -> Option<String> {
    let nothing = tempfile::tempdir().ok()?;
    let described = Described {
        context: nothing.path().to_owned(),
        text: Some(environment.dockerfile()),
        ..Described::default()
    };
    Some(Recipe::described(&described, images).ok()?.tag())
}
