//! `proofyard list`: which tasks there are.

use clap::Args;
use serde::Serialize;

use super::Exit;
use super::chosen::drawn;
use super::failure::{Failure, to_stdout};
use super::list_set::list_set;
use super::select::{SelectArgs, data_set, matches};
use super::show_task::network;
use crate::config::{Flag, Settings};
use crate::diagnose::printable;
use crate::record::{Digest, Sees, TaskId};
use crate::report::aligned;
use crate::task::{Runner, Services, Task, digest_all, load_all};

const EXAMPLES: &str = "\
Examples:
  proofyard list                         what harness.toml names
  proofyard list tasks/repo              the tasks of a folder
  proofyard list --filter 'repo/*' --json | jq .name
  proofyard list verified.jsonl          the instances of a data set, its digest, what is odd
  proofyard list swebench-verified --sample 50 --seed 7 --stratify repo";

/// List tasks.
///
/// One line a task: its name, how it is verified, how many tests are expected,
/// its difficulty. A task that cannot be used is an error, and all of them are told.
/// Of an instance of a data set: its repo, version and difficulty, and whether its image
/// is local, or would be pulled or built.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct ListArgs {
    /// Task folders, folders of tasks, or data sets of the SWE-bench family [default: what
    /// harness.toml names]
    #[arg(value_name = "TASK")]
    pub tasks: Vec<String>,

    #[command(flatten)]
    pub select: SelectArgs,

    /// Specifications of environments: files, or folders of them; may be given several times
    #[arg(long, value_name = "PATH")]
    pub envs: Vec<String>,

    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

impl ListArgs {
    /// As settings.
    pub fn flags(&self) -> Vec<Flag> {
        match self.envs.is_empty() {
            true => Vec::new(),
            false => vec![Flag::named("--envs", "swebench.envs", self.envs.clone())],
        }
    }
}

/// Prints the tasks that are named, else those of the settings.
pub async fn run(args: &ListArgs, settings: &Settings) -> Result<Exit, Failure> {
    let named = match args.tasks.is_empty() {
        true => &settings.run.tasks,
        false => &args.tasks,
    };
    let mut folders = Vec::new();
    for path in named {
        match data_set(path, settings)? {
            None => folders.push(path.clone()),
            Some(set) => {
                let text = list_set(path, &set, settings, &args.select, args.json);
                to_stdout(&text.await?)?;
            }
        }
    }
    if folders.is_empty() && !named.is_empty() {
        return Ok(Exit::Done);
    }
    let mut tasks = load_all(&folders).map_err(Failure::Tasks)?;
    if let Some(filter) = &args.select.filter {
        tasks = chosen(tasks, filter)?;
    }
    tasks = drawn(tasks, &args.select);
    if args.json {
        tasks = digest_all(tasks).map_err(Failure::Tasks)?;
    }
    to_stdout(&match args.json {
        true => json_lines(&tasks),
        false => lines(&tasks),
    })
}

fn chosen(tasks: Vec<Task>, filter: &str) -> Result<Vec<Task>, Failure> {
    let mut chosen = Vec::new();
    for task in tasks {
        if matches(filter, &task)? {
            chosen.push(task);
        }
    }
    Ok(chosen)
}

/// Aligned columns, and how many tasks there are.
fn lines(tasks: &[Task]) -> String {
    let rows: Vec<[String; 5]> = tasks.iter().map(row).collect();
    let mut out = aligned(&rows);
    let plural = if tasks.len() == 1 { "" } else { "s" };
    let warned = tasks
        .iter()
        .filter(|task| !task.warnings.is_empty())
        .count();
    out.push_str(&format!("\n{} task{plural}", tasks.len()));
    if warned > 0 {
        out.push_str(&format!(", {warned} with warnings (proofyard show TASK)"));
    }
    out.push('\n');
    out
}

fn row(task: &Task) -> [String; 5] {
    let verification = &task.verification;
    let (fail, pass) = match verification.runner {
        Runner::Script | Runner::TerminalBench(_) => (
            format!("reward from {}", verification.resolved_at),
            String::new(),
        ),
        _ => (
            format!("{:>3} fail_to_pass", verification.fail_to_pass.len()),
            format!("{:>3} pass_to_pass", verification.pass_to_pass.len()),
        ),
    };
    [
        printable(task.id.as_str()),
        format!("{:<6}  {}", runner(task), sees(task)),
        fail,
        pass,
        printable(task.scenario.difficulty.as_deref().unwrap_or("")),
    ]
}

/// The runner as `task.toml` names it.
pub fn runner(task: &Task) -> &'static str {
    task.verification.runner.name()
}

/// What the verifier sees, as `task.toml` names it.
pub fn sees(task: &Task) -> &'static str {
    match task.verification.sees {
        Sees::Patch => "patch",
        Sees::Files => "files",
        Sees::Live => "live",
    }
}

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    name: &'a TaskId,
    description: &'a str,
    source: &'a str,
    digest: &'a Digest,
    ours: bool,
    format: &'a str,
    runner: &'a str,
    sees: Sees,
    fail_to_pass: usize,
    pass_to_pass: usize,
    solution: bool,
    network: &'a str,
    /// Names, in order; empty where the task is one step.
    steps: Vec<&'a str>,
    /// Names of those beside the agent's sandbox.
    services: Vec<&'a str>,
    /// Whether a verifier has a sandbox of its own, which sees artifacts alone.
    separate_verifier: bool,
    /// Paths of the sandbox, those of steps included.
    artifacts: Vec<&'a str>,
    health_check: bool,
    mcp_servers: Vec<&'a str>,
    skills: Option<&'a str>,
    difficulty: Option<&'a str>,
    scenario: Option<&'a str>,
    tags: &'a [String],
    warnings: &'a [String],
}

fn json_lines(tasks: &[Task]) -> String {
    let mut out = String::new();
    for task in tasks {
        let environment = &task.environment;
        let services = environment.services.as_ref();
        let beside = services.into_iter().flat_map(Services::beside);
        let of_steps = task.steps.iter().map(|step| &step.verification);
        let mut verifications = of_steps.chain([&task.verification]);
        let of_steps = task.steps.iter().flat_map(|step| &step.artifacts);
        let artifacts = task.artifacts.iter().chain(of_steps);
        let servers = environment.mcp_servers.iter();
        let line = Line {
            name: &task.id,
            description: &task.description,
            source: &task.source,
            digest: &task.digest,
            ours: task.ours(),
            format: task.format.name(),
            runner: runner(task),
            sees: task.verification.sees,
            fail_to_pass: task.verification.fail_to_pass.len(),
            pass_to_pass: task.verification.pass_to_pass.len(),
            solution: task.solution.is_some(),
            network: network(&environment.network),
            steps: task.steps.iter().map(|step| step.name.as_str()).collect(),
            services: beside.map(|(name, _)| name.as_str()).collect(),
            separate_verifier: verifications.any(|one| one.separate.is_some()),
            artifacts: artifacts.map(|one| one.source.as_str()).collect(),
            health_check: environment.health.is_some(),
            mcp_servers: servers.map(|server| server.name.as_str()).collect(),
            skills: environment.skills.as_deref(),
            difficulty: task.scenario.difficulty.as_deref(),
            scenario: task.scenario.name.as_deref(),
            tags: &task.scenario.tags,
            warnings: &task.warnings,
        };
        let line = serde_json::to_string(&line).expect("texts, numbers and lists are JSON");
        out.push_str(&line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::task::{Kind, scaffold};

    fn tasks() -> (tempfile::TempDir, Vec<Task>) {
        let root = tempfile::tempdir().unwrap();
        scaffold(&root.path().join("suite/titles"), Kind::Repo).unwrap();
        scaffold(&root.path().join("suite/a-longer-name"), Kind::Terminal).unwrap();
        let tasks = load_all(&[root.path().display().to_string()]).unwrap();
        (root, tasks)
    }

    #[test]
    fn a_task_is_a_line() {
        assert_snapshot!(lines(&tasks().1), @r#"
            suite/a-longer-name  pytest  files    1 fail_to_pass    1 pass_to_pass  easy
            suite/titles         pytest  patch    3 fail_to_pass    2 pass_to_pass  easy

            2 tasks
            "#);
    }

    #[test]
    fn a_task_is_a_json_object() {
        let (_root, tasks) = tasks();
        let text = json_lines(&tasks);
        let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(first["name"], "suite/a-longer-name");
        assert_eq!(
            (&first["sees"], &first["fail_to_pass"]),
            (&"files".into(), &1.into())
        );
        assert_eq!(text.lines().count(), 2);
    }

    #[test]
    fn a_json_object_says_what_belongs_to_a_task_of_harbors() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("task");
        let toml = "artifacts = [\"/out\"]\n[environment]\nnetwork_mode = \"no-network\"\nskills_dir = \"/skills\"\n\
            [environment.healthcheck]\ncommand = \"true\"\n[[environment.mcp_servers]]\nname = \"m\"\nurl = \"http://db\"\n\
            [[steps]]\nname = \"a\"\nartifacts = [\"/more\"]\n[steps.verifier]\nenvironment_mode = \"separate\"\n";
        let compose = "services: { main: { build: . }, db: { image: postgres } }\n";
        for (path, text) in [
            ("task.toml", toml),
            ("environment/Dockerfile", "FROM proofyard/base\n"),
            ("environment/docker-compose.yaml", compose),
            ("steps/a/instruction.md", "A.\n"),
            ("tests/test.sh", ""),
        ] {
            let path = dir.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let tasks = load_all(&[dir.display().to_string()]).unwrap();
        let text = json_lines(&tasks);
        let (_, own) = text.split_once("\"solution\"").unwrap();
        assert_snapshot!(own, @r#":false,"network":"none","steps":["a"],"services":["db"],"separate_verifier":true,"artifacts":["/out","/more"],"health_check":true,"mcp_servers":["m"],"skills":"/skills","difficulty":null,"scenario":null,"tags":[],"warnings":[]}"#);
    }

    #[test]
    fn a_filter_chooses() {
        let (_root, tasks) = tasks();
        let names = |filter: &str| -> Vec<String> {
            let chosen = chosen(tasks.clone(), filter).unwrap();
            chosen.iter().map(|task| task.id.to_string()).collect()
        };
        assert_eq!(names("titles,nothing"), ["suite/titles"]);
        assert_eq!(names("suite/*").len(), 2);
    }
}
