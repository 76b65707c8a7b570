//! The final table: a row per agent, every number with its n or its interval, the
//! next step named.

use std::path::Path;

use super::line::label;
use super::style::Style;
use super::text::{clock, left, plural, right, width};
use crate::run::{AgentSummary, Rate, Summary};

/// What stands for a number that does not exist.
const NONE: &str = "–";

/// The table, with the line below it that says what its numbers are.
pub fn table(summary: &Summary, style: Style) -> String {
    let agents = &summary.agents;
    let names: Vec<String> = agents
        .iter()
        .map(|agent| label(&agent.agent, agent.model.as_deref()))
        .collect();
    let name_width = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let mut columns = vec![
        Column::of("resolved", resolved(agents)).left(),
        Column::each("clean", agents, |a| share(a.clean.as_ref())),
        Column::each("tampered", agents, |a| a.tampered.to_string()),
        Column::each("errors", agents, |a| a.errors.to_string()),
        Column::each("calls", agents, |a| number(a.median.tool_calls)),
        Column::each("errors in calls", agents, call_errors),
    ];
    if agents.iter().any(|agent| agent.median.tokens > Some(0.0)) {
        let tokens = |a: &AgentSummary| a.median.tokens.map_or(NONE.into(), thousands);
        columns.push(Column::each("tokens", agents, tokens));
    }
    if agents.iter().any(|agent| agent.cost_microusd > Some(0)) {
        columns.push(Column::each("cost/success", agents, cost));
    }
    columns.push(Column::each("time", agents, |a| {
        a.median.seconds.map_or(NONE.into(), clock)
    }));

    let indent = " ".repeat(name_width + 2);
    let head: String = columns.iter().map(Column::head).collect();
    let mut out = format!("{indent}{}\n", style.bold(head.trim_end()));
    for (row, name) in names.iter().enumerate() {
        let cells: String = columns.iter().map(|column| column.cell(row)).collect();
        out.push_str(&format!(
            " {} {}\n",
            left(name, name_width),
            cells.trim_end()
        ));
    }
    out.push_str(&format!("{indent}   {}\n", style.dim(&basis(summary))));
    out
}

/// Where the run lies and what to do next.
pub fn next_steps(summary: &Summary, dir: &Path, style: Style) -> String {
    let run = dir.display();
    let mut steps: Vec<(String, String)> = Vec::new();
    if summary.missing > 0 {
        let missing = plural(summary.missing, "missing trial");
        steps.push((
            format!("proofyard resume {run}"),
            format!("finish {missing}"),
        ));
    }
    if summary.errors > 0 {
        let trials = plural(summary.errors, "trial");
        steps.push((
            format!("proofyard resume {run} --retry-errors 1"),
            format!("execute {trials} in error again"),
        ));
    }
    if summary.unresolved + summary.tampered + summary.errors > 0 {
        steps.push((
            format!("proofyard show {run} --failed"),
            "which, and why".to_owned(),
        ));
    } else {
        steps.push((format!("proofyard show {run}"), "every trial".to_owned()));
    }
    let widest = steps.iter().map(|(command, _)| width(command)).max();
    let mut out = format!("{}\n", style.bold(&run.to_string()));
    for (command, why) in &steps {
        let command = left(command, widest.unwrap_or(0));
        out.push_str(&format!("  {command}   {}\n", style.dim(why)));
    }
    out
}

/// One column: its head, its cells, how they are aligned.
struct Column {
    head: &'static str,
    cells: Vec<String>,
    width: usize,
    to_left: bool,
}

impl Column {
    fn of(head: &'static str, cells: Vec<String>) -> Self {
        let widest = cells.iter().map(|cell| width(cell)).max().unwrap_or(0);
        Self {
            head,
            width: widest.max(width(head)),
            cells,
            to_left: false,
        }
    }

    fn each(
        head: &'static str,
        agents: &[AgentSummary],
        cell: impl Fn(&AgentSummary) -> String,
    ) -> Self {
        Self::of(head, agents.iter().map(cell).collect())
    }

    fn left(self) -> Self {
        Self {
            to_left: true,
            ..self
        }
    }

    fn head(&self) -> String {
        self.align(self.head)
    }

    fn cell(&self, row: usize) -> String {
        self.align(&self.cells[row])
    }

    fn align(&self, text: &str) -> String {
        match self.to_left {
            true => format!("  {}", left(text, self.width)),
            false => format!("   {}", right(text, self.width)),
        }
    }
}

/// `41/60   68 % [53–80]`, its parts aligned among the agents.
fn resolved(agents: &[AgentSummary]) -> Vec<String> {
    let parts: Vec<[String; 3]> = agents
        .iter()
        .map(|agent| {
            let judged = agent.resolved + agent.unresolved + agent.tampered;
            let interval = agent.success.as_ref().map_or(String::new(), |rate| {
                format!("[{:.0}–{:.0}]", rate.lo * 100.0, rate.hi * 100.0)
            });
            [
                format!("{}/{judged}", agent.resolved),
                share(agent.success.as_ref()),
                interval,
            ]
        })
        .collect();
    let widest = |part: usize| parts.iter().map(|p| width(&p[part])).max().unwrap_or(0);
    let (count, rate, interval) = (widest(0), widest(1), widest(2));
    parts
        .iter()
        .map(|part| {
            format!(
                "{}  {} {}",
                right(&part[0], count),
                right(&part[1], rate),
                left(&part[2], interval)
            )
        })
        .collect()
}

/// `68 %`; never rounded to all or nothing.
fn share(rate: Option<&Rate>) -> String {
    match rate {
        None => NONE.to_owned(),
        Some(rate) => percent(rate.value),
    }
}

fn percent(value: f64) -> String {
    match value {
        v if v > 0.0 && v < 0.005 => "<1 %".to_owned(),
        v if (0.995..1.0).contains(&v) => ">99 %".to_owned(),
        v => format!("{:.0} %", v * 100.0),
    }
}

fn call_errors(agent: &AgentSummary) -> String {
    match &agent.call_errors {
        Some(found) => format!("{:.1} ({})", found.mean_per_trial, percent(found.share)),
        None => NONE.to_owned(),
    }
}

fn number(value: Option<f64>) -> String {
    match value {
        None => NONE.to_owned(),
        Some(value) if value.fract() == 0.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.1}"),
    }
}

fn thousands(value: f64) -> String {
    match value {
        v if v < 1_000.0 => format!("{v:.0}"),
        v if v < 1_000_000.0 => format!("{:.0} k", v / 1_000.0),
        v => format!("{:.1} M", v / 1_000_000.0),
    }
}

fn cost(agent: &AgentSummary) -> String {
    match (agent.cost_microusd, agent.resolved) {
        (Some(cost), 1..) => format!("${:.3}", cost as f64 / 1e6 / agent.resolved as f64),
        _ => NONE.to_owned(),
    }
}

/// What the numbers of the table are.
fn basis(summary: &Summary) -> String {
    let tasks = summary.agents.iter().map(|agent| agent.tasks).max();
    let tasks = tasks.unwrap_or(0);
    let mut parts = vec![plural(tasks, "task")];
    let rates: Vec<&Rate> = summary
        .agents
        .iter()
        .filter_map(|agent| agent.success.as_ref())
        .collect();
    if !rates.is_empty() {
        let alone = rates.iter().all(|rate| rate.n == rate.clusters);
        let by_task = rates.iter().all(|rate| rate.clusters == tasks);
        parts.push(match (alone, by_task) {
            (true, _) => "95 % intervals".to_owned(),
            (_, true) => "95 % intervals clustered by task".to_owned(),
            _ => "95 % intervals clustered by what tasks share".to_owned(),
        });
        parts.push("calls and time are medians".to_owned());
    }
    if summary.missing > 0 {
        parts.push(format!("{} missing", plural(summary.missing, "trial")));
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Outcome;
    use crate::report::fixture;
    use crate::run::fixture::{RecordBuilder, plan_of};
    use crate::run::summarise;

    fn text(summary: &Summary) -> String {
        let steps = next_steps(
            summary,
            Path::new("runs/2026-11-23-quiet-otter"),
            Style::PLAIN,
        );
        format!("{}\n{steps}", table(summary, Style::PLAIN))
    }

    #[test]
    fn a_row_per_agent_and_the_next_step() {
        let summary = summarise(&fixture::run(), &fixture::records());
        insta::assert_snapshot!(text(&summary), @r"
                resolved            clean   tampered   errors   calls   errors in calls   time
         loop   2/4  50 % [15–85]    50 %          1        0      14        1.2 (10 %)   0:09
         nop    0/2   0 % [0–66]      0 %          0        1       0                 –   0:05
                 2 tasks · 95 % intervals clustered by task · calls and time are medians · 1 trial missing

        runs/2026-11-23-quiet-otter
          proofyard resume runs/2026-11-23-quiet-otter                    finish 1 missing trial
          proofyard resume runs/2026-11-23-quiet-otter --retry-errors 1   execute 1 trial in error again
          proofyard show runs/2026-11-23-quiet-otter --failed             which, and why
        ");
    }

    #[test]
    fn a_run_without_verdicts_claims_nothing() {
        let run = plan_of(&["a"]);
        let records = [RecordBuilder::of(&run, 0).outcome(Outcome::Error).build()];
        insta::assert_snapshot!(text(&summarise(&run, &records)), @r"
               resolved   clean   tampered   errors   calls   errors in calls   time
         nop   0/0  –         –          0        1       –                 –      –
                1 task

        runs/2026-11-23-quiet-otter
          proofyard resume runs/2026-11-23-quiet-otter --retry-errors 1   execute 1 trial in error again
          proofyard show runs/2026-11-23-quiet-otter --failed             which, and why
        ");
    }

    #[test]
    fn tokens_and_cost_have_columns_where_there_are_any() {
        let run = plan_of(&["a"]);
        let records = [RecordBuilder::of(&run, 0)
            .edit(|record| {
                record.usage.input = 31_000;
                record.cost_microusd = Some(21_000);
            })
            .build()];
        insta::assert_snapshot!(text(&summarise(&run, &records)), @r"
               resolved              clean   tampered   errors   calls   errors in calls   tokens   cost/success   time
         nop   1/1  100 % [21–100]   100 %          0        0      14         1.0 (7 %)     31 k         $0.021   0:09
                1 task · 95 % intervals · calls and time are medians

        runs/2026-11-23-quiet-otter
          proofyard show runs/2026-11-23-quiet-otter   every trial
        ");
    }

    #[test]
    fn nearly_all_is_not_all() {
        assert_eq!(percent(0.999), ">99 %");
        assert_eq!(percent(0.001), "<1 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.0), "0 %");
    }
}
