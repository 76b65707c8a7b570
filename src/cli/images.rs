//! `proofyard images build | list | plan | gc`

use std::path::Path;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use futures_util::{StreamExt, stream};

use super::failure::written;
use super::images_plan::{self, PlanArgs};
use super::{Exit, settings};
use crate::config::Settings;
use crate::sandbox::docker::connect::{ConnectError, connect};
use crate::sandbox::docker::images::{
    Collected, GcRules, ImageError, ImageProgress, Images, LONG, OurImage, Recipe,
};

/// Images built at a time; more only wait for the same disk.
const AT_ONCE: usize = 4;

/// Build, plan, list and remove images.
#[derive(Debug, Args)]
pub struct ImagesArgs {
    #[command(subcommand)]
    command: ImagesCommand,
}

#[derive(Debug, Subcommand)]
enum ImagesCommand {
    /// Build images of images/, their bases first; what is there already stays
    Build {
        /// Folders of images/ [default: all]
        names: Vec<String>,
    },
    /// List the images that were built here
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    Plan(Box<PlanArgs>),
    /// Remove images of ours that no recipe, container or running command needs
    Gc {
        /// Only images of these names, `task` for those of tasks [default: all]
        names: Vec<String>,
        /// Also tasks' images of any age, and bases that no recipe starts from
        #[arg(long)]
        all: bool,
        /// Days after which a task's image goes
        #[arg(long, value_name = "DAYS", default_value_t = 14)]
        older_than: u64,
        /// Say what would go, remove nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// Why a command about images did not do what it was asked.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error("there is no images/ folder; `images.dir` in harness.toml names one")]
    NoFolder,
    #[error("no image `{name}` in {dir}; there are: {known}")]
    Unknown {
        name: String,
        dir: String,
        known: String,
    },
    #[error("{failed} of {} did not build", count(*.of, "image"))]
    Builds { failed: usize, of: usize },
    #[error("writing the result: {0}")]
    Output(#[from] std::io::Error),
}

/// Performs `proofyard images …`: results to standard output, progress and
/// errors to standard error.
pub async fn run(args: ImagesArgs) -> Result<Exit, super::Failure> {
    match args.command {
        ImagesCommand::Plan(args) => images_plan::run(*args).await,
        command => Ok(perform(command, &settings(None)?).await),
    }
}

async fn perform(command: ImagesCommand, settings: &Settings) -> Exit {
    let done = match command {
        // Performed by `run`.
        ImagesCommand::Plan(_) => Ok(()),
        ImagesCommand::Build { names } => build(&names, settings).await,
        ImagesCommand::List { json } => list(json, settings).await,
        ImagesCommand::Gc {
            names,
            all,
            older_than,
            dry_run,
        } => {
            let older_than = Duration::from_secs(older_than.saturating_mul(24 * 60 * 60));
            let rules = GcRules {
                names,
                all,
                older_than,
                dry_run,
            };
            gc(rules, settings).await
        }
    };
    let Err(failure) = done else {
        return Exit::Done;
    };
    eprintln!("error: {failure}");
    match failure {
        Failure::Connect(_) => Exit::Unreachable,
        Failure::Builds { .. } => Exit::TrialErrors,
        _ => Exit::Usage,
    }
}

async fn images(settings: &Settings) -> Result<Images, Failure> {
    let docker = connect(settings.engine.host.as_deref()).await?;
    Ok(Images::new(&docker, &settings.images, &settings.host))
}

async fn build(names: &[String], settings: &Settings) -> Result<(), Failure> {
    let dir = settings.images.dir.as_deref().ok_or(Failure::NoFolder)?;
    let recipes = recipes(names, dir)?;
    let images = images(settings).await?;
    let began = Instant::now();
    let progress = |progress: ImageProgress| {
        if let Some(line) = progress_line(&progress, began.elapsed()) {
            eprintln!("{line}");
        }
    };
    let builds = stream::iter(recipes.iter().enumerate())
        .map(|(index, recipe)| {
            let progress = &progress;
            let images = &images;
            async move { (index, images.ensure(recipe, LONG, progress).await) }
        })
        .buffer_unordered(AT_ONCE);
    let mut built: Vec<_> = builds.collect().await;
    built.sort_by_key(|(index, _)| *index);
    let mut failed = 0;
    for (index, result) in built {
        match result {
            Ok(image) => {
                let id = image.id.trim_start_matches("sha256:");
                written(&format!("{:<36} {:.12}\n", image.tag, id))?;
            }
            Err(error) => {
                failed += 1;
                eprintln!("error: {}: {error}", recipes[index].name);
            }
        }
    }
    if failed > 0 {
        let of = recipes.len();
        return Err(Failure::Builds { failed, of });
    }
    Ok(())
}

fn recipes(names: &[String], dir: &Path) -> Result<Vec<Recipe>, Failure> {
    let known = Recipe::names(dir)?;
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        return Err(Failure::Unknown {
            name: name.clone(),
            dir: dir.display().to_string(),
            known: known.join(", "),
        });
    }
    let wanted = if names.is_empty() { &known } else { names };
    let recipes = wanted.iter().map(|name| Recipe::named(name, dir));
    Ok(recipes.collect::<Result<_, _>>()?)
}

async fn list(json: bool, settings: &Settings) -> Result<(), Failure> {
    let ours = images(settings).await?.list().await?;
    let mut text = String::new();
    for image in &ours {
        let line = match json {
            true => serde_json::to_string(image).map_err(std::io::Error::from)?,
            false => list_line(image),
        };
        text.push_str(&line);
        text.push('\n');
    }
    written(&text)?;
    if ours.is_empty() && !json {
        eprintln!("no images of ours; `proofyard images build` builds those of images/");
    }
    Ok(())
}

async fn gc(rules: GcRules, settings: &Settings) -> Result<(), Failure> {
    let dry_run = rules.dry_run;
    let collected = images(settings).await?.gc(rules).await?;
    written(&format!("{}\n", collected_lines(&collected, dry_run)))?;
    Ok(())
}

/// A line of progress; none for what was there already.
fn progress_line(progress: &ImageProgress, since: Duration) -> Option<String> {
    let (name, what, text) = match progress {
        ImageProgress::Waiting { name } => {
            (name, "waiting".to_owned(), "another process builds it")
        }
        ImageProgress::Building {
            name,
            step,
            of,
            text,
        } => (name, format!("step {step}/{of}"), text.as_str()),
        ImageProgress::Pulling { image, text } => (image, "pulling".to_owned(), text.as_str()),
        ImageProgress::MakingBase { image, text } => {
            (image, "mmdebstrap".to_owned(), text.as_str())
        }
        ImageProgress::Done {
            name,
            tag,
            built: true,
            elapsed,
        } => (name, format!("built {}", clock(*elapsed)), tag.as_str()),
        ImageProgress::Done { built: false, .. } => return None,
    };
    let text: String = text.chars().take(72).collect();
    let line = format!("{:>6}  {name:<20} {what:<12} {text}", clock(since));
    Some(line.trim_end().to_owned())
}

fn list_line(image: &OurImage) -> String {
    let created = jiff::Timestamp::from_second(image.created)
        .map(|time| time.strftime("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default();
    let latest = if image.latest { "latest" } else { "" };
    let line = format!(
        "{:<36} {:>8}  {created}  {latest}",
        image.tag,
        size(image.bytes)
    );
    line.trim_end().to_owned()
}

fn collected_lines(collected: &Collected, dry_run: bool) -> String {
    let verb = if dry_run { "would remove" } else { "removed" };
    let width = verb.len();
    let mut lines: Vec<String> = Vec::new();
    for image in &collected.removed {
        lines.push(format!("{verb}  {}", list_line(image)));
    }
    for image in &collected.in_use {
        lines.push(format!("{:<width$}  {}", "in use", list_line(image)));
    }
    lines.push(format!(
        "{verb} {} and {} of failed builds",
        count(collected.removed.len(), "image"),
        count(collected.layers, "layer")
    ));
    lines.join("\n")
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Decimal units, as the engine's own tools show them.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        1_000_000..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::docker::images::ImageKind;

    fn image(tag: &str) -> OurImage {
        OurImage {
            tag: tag.into(),
            kind: ImageKind::Named,
            id: "sha256:0".into(),
            recipe: None,
            latest: true,
            bytes: 326_000_000,
            created: 1_790_000_000,
        }
    }

    #[test]
    fn progress_says_which_image_step_and_time() {
        let step = ImageProgress::Building {
            name: "python".into(),
            step: 2,
            of: 4,
            text: "RUN apt-get update".into(),
        };
        let line = progress_line(&step, Duration::from_secs(75)).unwrap();
        insta::assert_snapshot!(line, @"  1:15  python               step 2/4     RUN apt-get update");
    }

    #[test]
    fn what_gc_did_is_a_list_and_a_sum() {
        let collected = Collected {
            removed: vec![image("proofyard/c:0123456789abcdef")],
            in_use: vec![image("proofyard/base:0123456789abcdef")],
            layers: 2,
        };
        insta::assert_snapshot!(collected_lines(&collected, true), @r"
        would remove  proofyard/c:0123456789abcdef           326 MB  2026-09-21 14:13  latest
        in use        proofyard/base:0123456789abcdef        326 MB  2026-09-21 14:13  latest
        would remove 1 image and 2 layers of failed builds
        ");
    }
}
