//! What a data set's images cost before anything is pulled or built: how many, how many
//! gigabytes, how long. Estimates are ranges.
//!
//! Owns the figures that the estimates rest on, and where they are from. Must not know
//! the engine: what is local is told to it.

mod figures;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Environment, Environments, EnvironmentsError, Place};
use crate::record::Digest;
use figures::Figures;

/// An instance of a data set, as far as its image goes.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    pub instance_id: &'a str,
    /// `owner/name`.
    pub repo: &'a str,
    /// Empty where the row has none.
    pub version: &'a str,
    /// Names of its official image, the preferred first.
    pub images: Vec<String>,
}

/// What there is already, and what may be done.
pub struct Host<'a> {
    /// Bytes of each local image, by its names.
    pub local: &'a BTreeMap<String, u64>,
    /// Whether an environment's image is local.
    pub is_built: &'a dyn Fn(&Environment) -> bool,
    /// Whether images are pulled.
    pub pull: bool,
}

/// What a data set needs.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    pub schema: u32,
    pub instances: usize,
    pub local: Local,
    pub pulled: Pulled,
    pub built: Built,
    /// Instances that have no image and get none.
    pub without: Vec<Without>,
    /// Of all that is pulled and built.
    pub total: Cost,
    /// Where the figures are from, a line each.
    pub figures_from: Vec<&'static str>,
}

/// Images that are there.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Local {
    pub instances: usize,
    /// With what they share counted for each.
    pub bytes: u64,
}

/// Images to be pulled.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Pulled {
    pub images: usize,
    /// Those of them that a specification would build as well.
    pub have_environment: usize,
    pub cost: Cost,
}

/// Images to be built.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Built {
    pub environments: Vec<BuiltEnvironment>,
    pub instances: usize,
    pub cost: Cost,
}

/// An environment's image, and those of its instances.
#[derive(Debug, Clone, Serialize)]
pub struct BuiltEnvironment {
    /// `file:line` of its specification; of several with the same image the first.
    pub at: String,
    pub digest: Digest,
    pub repos: Vec<String>,
    pub instances: usize,
    /// Whether its own image is there already.
    pub is_built: bool,
    pub cost: Cost,
}

/// An instance without an image.
#[derive(Debug, Clone, Serialize)]
pub struct Without {
    pub instance_id: String,
    pub reason: String,
}

/// An estimate: from, to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Range {
    pub low: f64,
    pub high: f64,
}

/// What it takes to have images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Through the network, 10⁹ bytes.
    pub download_gb: Range,
    /// On the engine's disk, 10⁹ bytes.
    pub disk_gb: Range,
    /// One after the other.
    pub minutes: Range,
}

/// Plans the images of rows: the official one where it is local, else pulled where that
/// is allowed, else built from a specification.
///
/// # Errors
/// A row for which two specifications are as near.
pub fn plan(
    rows: &[Row<'_>],
    environments: &Environments,
    host: &Host<'_>,
) -> Result<Plan, EnvironmentsError> {
    let mut local = Local::default();
    let mut pulled = Pulled::default();
    let mut pulls: BTreeMap<&str, Figures> = BTreeMap::new();
    let mut built: BTreeMap<Digest, Shared<'_>> = BTreeMap::new();
    let mut without = Vec::new();
    for row in rows {
        let environment = environments.of(row.repo, row.version)?;
        let there = row.images.iter().find_map(|image| host.local.get(image));
        if let Some(bytes) = there {
            local.instances += 1;
            local.bytes = local.bytes.saturating_add(*bytes);
            continue;
        }
        if let Some(image) = row.images.first().filter(|_| host.pull) {
            let figures = Figures::of(row.repo);
            if pulls.insert(image, figures).is_none() {
                pulled.have_environment += usize::from(environment.is_some());
            }
            continue;
        }
        match fit(row, environment, host.pull) {
            Ok(environment) => built
                .entry(environment.digest())
                .or_insert_with(|| Shared::new(environment))
                .add(row),
            Err(reason) => without.push(Without {
                instance_id: row.instance_id.to_owned(),
                reason,
            }),
        }
    }
    pulled.images = pulls.len();
    pulled.cost = figures::pulls(pulls.values());
    let built = all_built(built, host);
    let total = pulled.cost.and(built.cost);
    let used = |used: bool, lines: &'static [&'static str]| match used {
        true => lines,
        false => &[],
    };
    let figures_from = [
        used(pulled.images > 0, &figures::PULLS_FROM),
        used(built.instances > 0, &figures::BUILDS_FROM),
    ];
    Ok(Plan {
        schema: 1,
        instances: rows.len(),
        local,
        pulled,
        built,
        without,
        total,
        figures_from: figures_from.concat(),
    })
}

/// The environment that an instance is built from, or why it is not.
fn fit<'e>(
    row: &Row<'_>,
    environment: Option<&'e Environment>,
    pull: bool,
) -> Result<&'e Environment, String> {
    let Some(environment) = environment else {
        let off = match row.images.is_empty() || pull {
            true => "",
            false => "its official image is not local, `images.pull` is off, and ",
        };
        return Err(format!(
            "{off}no specification is for {} {}",
            row.repo, row.version
        ));
    };
    match environment.source(row.repo).missing() {
        None => Ok(environment),
        Some(path) => Err(format!(
            "the source of {} is not there: {}",
            environment.at,
            path.display()
        )),
    }
}

/// Instances that share an environment's image.
struct Shared<'e> {
    environment: &'e Environment,
    at: &'e Place,
    repos: BTreeSet<String>,
    instances: usize,
}

impl<'e> Shared<'e> {
    fn new(environment: &'e Environment) -> Self {
        Self {
            environment,
            at: &environment.at,
            repos: BTreeSet::new(),
            instances: 0,
        }
    }

    fn add(&mut self, row: &Row<'_>) {
        self.instances += 1;
        if !self.repos.contains(row.repo) {
            self.repos.insert(row.repo.to_owned());
        }
    }
}

fn all_built(shared: BTreeMap<Digest, Shared<'_>>, host: &Host<'_>) -> Built {
    let mut environments: Vec<BuiltEnvironment> = shared
        .into_iter()
        .map(|(digest, shared)| {
            let is_built = (host.is_built)(shared.environment);
            BuiltEnvironment {
                at: shared.at.to_string(),
                digest,
                repos: shared.repos.into_iter().collect(),
                instances: shared.instances,
                is_built,
                cost: figures::builds(is_built, shared.instances),
            }
        })
        .collect();
    environments.sort_by(|a, b| {
        let by_count = b.instances.cmp(&a.instances);
        by_count.then_with(|| a.at.cmp(&b.at))
    });
    let cost = environments.iter().map(|environment| environment.cost);
    Built {
        instances: environments.iter().map(|one| one.instances).sum(),
        cost: cost.fold(Cost::default(), Cost::and),
        environments,
    }
}

impl Range {
    pub(super) const fn new(low: f64, high: f64) -> Self {
        Self { low, high }
    }

    fn and(self, other: Self) -> Self {
        Self::new(self.low + other.low, self.high + other.high)
    }

    fn times(self, low: f64, high: f64) -> Self {
        Self::new(self.low * low, self.high * high)
    }
}

impl Cost {
    fn and(self, other: Self) -> Self {
        Self {
            download_gb: self.download_gb.and(other.download_gb),
            disk_gb: self.disk_gb.and(other.disk_gb),
            minutes: self.minutes.and(other.minutes),
        }
    }
}
