//! `proofyard list D`: which instances a data set has.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Failure;
use super::images_plan::{environments, local, needs};
use super::select::{self, Meant, SelectArgs};
use crate::config::Settings;
use crate::diagnose::printable;
use crate::report::aligned;
use crate::swebench::row::{DataSet, Row};
use crate::task::envs::Environments;

/// How an instance has its image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Image {
    /// Under one of its names.
    Local,
    /// Pulled when it is needed.
    Pull,
    /// Built from a specification when it is needed.
    Build,
    /// No way is known.
    None,
    /// No engine answers.
    Unknown,
}

impl Image {
    fn name(self) -> &'static str {
        match self {
            Image::Local => "local",
            Image::Pull => "pull",
            Image::Build => "build",
            Image::None => "none",
            Image::Unknown => "?",
        }
    }
}

/// What decides about images.
struct Ground {
    local: Option<BTreeMap<String, u64>>,
    environments: Environments,
    pull: bool,
}

/// The text that `list` prints of a data set.
pub async fn list_set(
    name: &str,
    set: &DataSet,
    settings: &Settings,
    select: &SelectArgs,
    json: bool,
) -> Result<String, Failure> {
    let meant = select::rows(name, set, settings, select)?;
    let ground = Ground {
        // What is in a data set is asked without an engine as well.
        local: local(settings).await.ok(),
        environments: environments(settings)?,
        pull: settings.images.pull,
    };
    if json {
        for warning in &meant.warnings {
            eprintln!("warning: {}", printable(warning));
        }
        return Ok(json_lines(&meant, &ground));
    }
    Ok(lines(&meant, &ground))
}

fn image(row: &Row, ground: &Ground) -> Image {
    let needed = needs(row);
    let Some(local) = &ground.local else {
        return Image::Unknown;
    };
    if needed.images.iter().any(|name| local.contains_key(name)) {
        return Image::Local;
    }
    if ground.pull && needed.images.iter().any(|name| name.contains('/')) {
        return Image::Pull;
    }
    match ground.environments.of(needed.repo, needed.version) {
        Ok(Some(_)) => Image::Build,
        _ => Image::None,
    }
}

/// Aligned columns, how many there are, the digest, and what is odd.
fn lines(meant: &Meant<'_>, ground: &Ground) -> String {
    let rows: Vec<[String; 5]> = meant
        .rows
        .iter()
        .map(|row| {
            [
                row.instance_id.clone(),
                row.repo.clone(),
                row.version.clone().unwrap_or_default(),
                row.difficulty.clone().unwrap_or_default(),
                image(row, ground).name().to_owned(),
            ]
            .map(|cell| printable(&cell))
        })
        .collect();
    let mut out = aligned(&rows);
    let record = &meant.record;
    let plural = if record.selected == 1 { "" } else { "s" };
    out.push_str(&format!("\n{} instance{plural}", record.selected));
    if record.selected != record.instances {
        out.push_str(&format!(" of {}", record.instances));
    }
    if !record.excluded.is_empty() {
        out.push_str(&format!(", {} in quarantine", record.excluded.len()));
    }
    out.push_str(&format!("\ndigest {}\n", record.digest));
    for warning in &meant.warnings {
        out.push_str(&format!("{}\n", printable(warning)));
    }
    out
}

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    data_set: &'a str,
    data_set_digest: &'a str,
    shape: &'a str,
    repo: &'a str,
    version: Option<&'a str>,
    base_commit: Option<&'a str>,
    difficulty: Option<&'a str>,
    fail_to_pass: usize,
    pass_to_pass: usize,
    solution: bool,
    image: Image,
    images: Vec<String>,
}

fn json_lines(meant: &Meant<'_>, ground: &Ground) -> String {
    let mut out = String::new();
    for row in &meant.rows {
        let line = Line {
            name: &row.instance_id,
            data_set: &meant.record.source,
            data_set_digest: &meant.record.digest,
            shape: row.shape.name(),
            repo: &row.repo,
            version: row.version.as_deref(),
            base_commit: row.base_commit.as_deref(),
            difficulty: row.difficulty.as_deref(),
            fail_to_pass: row.fail_to_pass.len(),
            pass_to_pass: row.pass_to_pass.len(),
            solution: !row.patch.is_empty(),
            image: image(row, ground),
            images: row.official_images(),
        };
        out.push_str(&serde_json::to_string(&line).unwrap_or_default());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::record::DataSetRecord;

    fn row(id: &str, difficulty: Option<&str>) -> Row {
        Row {
            instance_id: id.to_owned(),
            repo: "pallets/flask".into(),
            version: Some("2.3".into()),
            difficulty: difficulty.map(str::to_owned),
            ..Row::default()
        }
    }

    fn shown(local: Option<&[&str]>, pull: bool) -> String {
        let rows = [
            row("pallets__flask-1", Some("<15 min fix")),
            row("pallets__flask-2", None),
        ];
        let meant = Meant {
            rows: rows.iter().collect(),
            record: DataSetRecord {
                source: "verified".into(),
                digest: "ab".into(),
                instances: 3,
                filter: None,
                matched: 3,
                excluded: [("pallets__flask-3".to_owned(), "flaky".to_owned())].into(),
                keeps_excluded: false,
                sample: None,
                seed: None,
                stratify: None,
                selected: 2,
            },
            warnings: vec!["verified: 1 id is cut off".into()],
        };
        let ground = Ground {
            local: local.map(|names| names.iter().map(|name| ((*name).to_owned(), 1)).collect()),
            environments: Environments::read(&[], &[]).unwrap(),
            pull,
        };
        lines(&meant, &ground)
    }

    #[test]
    fn an_instance_is_a_line_with_how_it_has_its_image() {
        let local = ["sweb.eval.x86_64.pallets__flask-1:latest"];
        assert_snapshot!(shown(Some(&local), true), @"
        pallets__flask-1  pallets/flask  2.3  <15 min fix  local
        pallets__flask-2  pallets/flask  2.3               pull

        2 instances of 3, 1 in quarantine
        digest ab
        verified: 1 id is cut off
        ");
        assert!(shown(Some(&local), false).contains("none"));
        assert!(shown(None, true).contains(" ?\n"));
    }
}
