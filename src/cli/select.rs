//! Which tasks of what is named are meant: filters, samples, lists of what is left out.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Failure;
use super::fetched::{fetched, is_fetched};
use crate::config::raw::HistoryWord;
use crate::config::{DatasetPlace, Settings};
use crate::record::DataSetRecord;
use crate::swebench::row::{self, DataSet, Row};
use crate::swebench::specs;
use crate::task::envs::Environments;
use crate::task::select::{Exclusions, Expression, Value, sample};
use crate::task::swebench::{Ground, InstanceError, lay_out};
use crate::task::{self, History, Task};

/// Which of them.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which tasks")]
pub struct SelectArgs {
    /// Only tasks whose names match (globs with commas between), or of which an expression
    /// holds: 'repo = "sympy/sympy" & difficulty != ">4 hours"'
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<String>,

    /// So many of them, drawn at random and always the same ones
    #[arg(long, value_name = "N")]
    pub sample: Option<usize>,

    /// Which sample
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,

    /// Draw from each value of a field in proportion: repo, difficulty, version, …
    #[arg(long, value_name = "FIELD", requires = "sample")]
    pub stratify: Option<String>,

    /// Leave out what a list names: lines of `id reason`, or what `check --quarantine` wrote;
    /// may be given several times
    #[arg(long, value_name = "FILE")]
    pub exclude: Vec<PathBuf>,

    /// Keep what such lists and the quarantine of a data set leave out; the rate over valid
    /// instances is shown beside the one over all
    #[arg(long)]
    pub keep_quarantined: bool,
}

/// Tasks of a data set.
pub struct OfDataSet {
    pub tasks: Vec<Task>,
    pub record: DataSetRecord,
    pub warnings: Vec<String>,
}

/// The same, where rows of which no task was made are no error.
pub struct LaidOut {
    pub found: OfDataSet,
    /// By their ids, and why.
    pub wrong: Vec<(String, InstanceError)>,
}

impl LaidOut {
    /// The tasks, where every row is one.
    fn whole(self) -> Result<OfDataSet, Failure> {
        match self.wrong.is_empty() {
            true => Ok(self.found),
            false => {
                let errors = self.wrong.into_iter().map(|(_, error)| error);
                Err(Failure::Instances(errors.collect()))
            }
        }
    }
}

/// The data set that a path or a name of `[datasets]` means; none where it is a folder of
/// tasks. One that has a URL is fetched, once.
pub fn data_set(path: &str, settings: &Settings) -> Result<Option<DataSet>, Failure> {
    let Some(named) = settings.datasets.get(path) else {
        if path.starts_with("https://") || path.starts_with("http://") {
            return Err(Failure::BareUrl { url: path.into() });
        }
        let file = Path::new(path);
        return match row::is_data_set(file) {
            true => row::read(file).map(Some).map_err(Failure::Rows),
            false => Ok(None),
        };
    };
    let file = match &named.place {
        DatasetPlace::Path(file) => file.clone(),
        DatasetPlace::Url(url) => fetched(url, named.digest.as_deref(), &settings.host.state)?,
    };
    let read = row::read(&file).map_err(Failure::Rows);
    let right = |read: &DataSet| named.digest.as_ref() == Some(&read.digest);
    if matches!(named.place, DatasetPlace::Url(_)) && !read.as_ref().is_ok_and(right) {
        // What is not what was asked for is not kept: the next attempt fetches anew.
        let _ = std::fs::remove_file(&file);
    }
    let read = read?;
    let name = || path.to_owned();
    match (&named.digest, &named.place) {
        (Some(expected), _) if *expected != read.digest => Err(Failure::DataSetDigest {
            name: name(),
            expected: expected.clone(),
            found: read.digest,
        }),
        (None, DatasetPlace::Url(url)) => Err(Failure::NoDigest {
            name: name(),
            url: url.clone(),
            found: read.digest,
            rows: read.rows.len(),
        }),
        _ => Ok(Some(read)),
    }
}

/// The same, where it can be had without fetching anything.
pub fn data_set_at_hand(path: &str, settings: &Settings) -> Result<Option<DataSet>, Failure> {
    let of_url = settings.datasets.get(path).and_then(|named| {
        let DatasetPlace::Url(url) = &named.place else {
            return None;
        };
        Some((url, named.digest.as_deref()))
    });
    match of_url {
        Some((url, digest)) if !is_fetched(url, digest, &settings.host.state) => Ok(None),
        _ => data_set(path, settings),
    }
}

/// The rows that are meant, and what is told of the others.
pub struct Meant<'a> {
    pub rows: Vec<&'a Row>,
    pub record: DataSetRecord,
    pub warnings: Vec<String>,
}

/// Selects among the rows of a data set: what the filter leaves, without what lists leave
/// out, and of these a sample.
pub fn rows<'a>(
    name: &str,
    set: &'a DataSet,
    settings: &Settings,
    select: &SelectArgs,
) -> Result<Meant<'a>, Failure> {
    let mut warnings: Vec<String> = Vec::new();
    let mut rows: Vec<&Row> = Vec::new();
    let expression = match &select.filter {
        Some(filter) if Expression::looks_like_one(filter) => {
            let expression = Expression::parse(filter)?;
            expression.check(&set.fields())?;
            Some(expression)
        }
        _ => None,
    };
    for row in &set.rows {
        let wanted = match (&expression, &select.filter) {
            (Some(expression), _) => {
                let field = |name: &str| row.field(name).as_ref().and_then(Value::from_json);
                expression.holds(&field)?
            }
            (None, Some(globs)) => task::matches_name(globs, &row.instance_id)?,
            (None, None) => true,
        };
        if wanted {
            rows.push(row);
        }
    }
    let of_name = settings.datasets.get(name);
    let lists = select
        .exclude
        .iter()
        .chain(of_name.and_then(|named| named.quarantine.as_ref()));
    let matched = rows.len();
    let mut excluded = Vec::new();
    for list in lists {
        let read = Exclusions::read(list)?;
        let known = |id: &str| set.rows.iter().any(|row| row.instance_id == id);
        let shown = list.display().to_string();
        warnings.extend(read.held_against(&shown, Some(&set.digest), &known));
        let by_id = read.by_id();
        rows.retain(|row| match by_id.get(row.instance_id.as_str()) {
            Some(entry) => {
                excluded.push((row.instance_id.clone(), entry.reason.clone()));
                select.keep_quarantined
            }
            None => true,
        });
    }
    if let Some(count) = select.sample {
        let keys: Vec<&str> = rows.iter().map(|row| row.instance_id.as_str()).collect();
        let strata: Vec<Option<String>> = match &select.stratify {
            None => vec![None; rows.len()],
            Some(field) => {
                let fields = set.fields();
                if !fields.contains(&field.as_str()) {
                    return Err(Failure::NoField {
                        field: field.clone(),
                        known: fields.join(", "),
                    });
                }
                let of = |row: &&Row| {
                    row.field(field).map(|value| match value {
                        serde_json::Value::String(text) => text,
                        other => other.to_string(),
                    })
                };
                rows.iter().map(of).collect()
            }
        };
        let strata: Vec<Option<&str>> = strata.iter().map(Option::as_deref).collect();
        let drawn = sample(&keys, &strata, count, select.seed);
        rows = drawn
            .into_iter()
            .filter_map(|at| rows.get(at).copied())
            .collect();
    }
    let odd = set.oddities_of(&rows).into_iter();
    let odd = odd.map(|odd| format!("{name}: {odd}"));
    let warnings = odd.chain(warnings).collect();
    let record = DataSetRecord {
        source: name.to_owned(),
        digest: set.digest.clone(),
        instances: set.rows.len(),
        filter: select.filter.clone(),
        matched,
        excluded: excluded.into_iter().collect(),
        keeps_excluded: select.keep_quarantined,
        sample: select.sample,
        seed: select.sample.map(|_| select.seed),
        stratify: select.stratify.clone(),
        selected: rows.len(),
    };
    Ok(Meant {
        rows,
        record,
        warnings,
    })
}

/// The rows that are meant, as tasks.
pub fn tasks(
    name: &str,
    set: &DataSet,
    settings: &Settings,
    select: &SelectArgs,
) -> Result<OfDataSet, Failure> {
    laid_out(name, set, settings, select)?.whole()
}

/// Those of the rows that are meant and have these ids, as tasks.
pub fn tasks_of(
    name: &str,
    settings: &Settings,
    mut meant: Meant<'_>,
    ids: &[String],
) -> Result<OfDataSet, Failure> {
    let ids: std::collections::HashSet<&str> = ids.iter().map(String::as_str).collect();
    let rows = &mut meant.rows;
    rows.retain(|row| ids.contains(row.instance_id.as_str()));
    laid(name, settings, meant)?.whole()
}

/// The rows that are meant, as tasks where that can be.
pub fn laid_out(
    name: &str,
    set: &DataSet,
    settings: &Settings,
    select: &SelectArgs,
) -> Result<LaidOut, Failure> {
    laid(name, settings, rows(name, set, settings, select)?)
}

fn laid(name: &str, settings: &Settings, meant: Meant<'_>) -> Result<LaidOut, Failure> {
    let Meant {
        rows,
        record,
        mut warnings,
    } = meant;
    let environments = Environments::read(&settings.swebench.envs, &[])
        .map_err(|error| Failure::Instances(vec![error.into()]))?;
    warnings.extend(environments.warnings.iter().cloned());
    let table = settings
        .swebench
        .specs
        .as_deref()
        .map(specs::read)
        .transpose()?;
    let cache = settings.host.state.join("instances");
    let ground = Ground {
        cache: &cache,
        environments: &environments,
        table: table.as_ref(),
        history: match settings.swebench.history {
            HistoryWord::Ancestors => History::Ancestors,
            HistoryWord::None => History::None,
        },
        timeout: settings.swebench.timeout,
    };
    let (mut tasks, mut wrong) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        match lay_out(row, &ground) {
            Ok(folder) => tasks.push(Task {
                source: format!("{name}#{}", row.instance_id),
                ..task::load(Path::new(&folder))?
            }),
            Err(error) => wrong.push((row.instance_id.clone(), error)),
        }
    }
    Ok(LaidOut {
        found: OfDataSet {
            tasks,
            record,
            warnings,
        },
        wrong,
    })
}

/// Whether a filter means a task: globs on its name, or an expression over its fields.
pub fn matches(filter: &str, task: &Task) -> Result<bool, Failure> {
    const FIELDS: [&str; 8] = [
        "id",
        "name",
        "cluster",
        "repo",
        "difficulty",
        "tags",
        "scenario",
        "format",
    ];
    if !Expression::looks_like_one(filter) {
        return Ok(task::matches(filter, task)?);
    }
    let expression = Expression::parse(filter)?;
    expression.check(&FIELDS)?;
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    let field = |name: &str| match name {
        "id" | "name" => text(task.id.as_str()),
        "cluster" | "repo" => text(&task.cluster()),
        "difficulty" => task.scenario.difficulty.as_deref().and_then(text),
        "scenario" => task.scenario.name.as_deref().and_then(text),
        "format" => text(task.format.name()),
        "tags" => Value::from_json(&serde_json::json!(task.scenario.tags)),
        _ => None,
    };
    Ok(expression.holds(&field)?)
}
