//! The final table: a row per agent and model, every number with its n or its
//! interval, the next step named.
//!
//! Owns what is a column and what each number is called. Must not know how numbers
//! are found.

use std::path::Path;

use super::basis::basis;
use super::grid::{Column, Grid};
use super::line::label;
use super::number::{money, number, percent, share, thousands};
use super::style::Style;
use super::text::{clock, flowed, left, plural, right, width};
use crate::run::{AgentSummary, Rate, Summary};

/// What stands for a number that does not exist.
const NONE: &str = "–";

/// The table, with the lines below it that say what its numbers are; so many
/// columns wide where that can be.
pub fn table(summary: &Summary, columns: usize, style: Style) -> String {
    let agents = &summary.agents;
    let names: Vec<String> = agents
        .iter()
        .map(|agent| label(&agent.agent, agent.model.as_deref()))
        .collect();
    let cells = |cell: &dyn Fn(&AgentSummary) -> String| agents.iter().map(cell).collect();
    let each = |head, cell: &dyn Fn(&AgentSummary) -> String| Column::of(head, cells(cell));
    let any = |holds: &dyn Fn(&AgentSummary) -> bool| agents.iter().any(holds);
    let with_model = any(&|agent| agent.model.is_some());
    let priced = any(&|agent| agent.cost_microusd.is_some());
    let several = agents.len() > 1;

    let mut shown = vec![
        Column::of("resolved", resolved(agents)).aligned_left(),
        each("clean", &|a| rate(a.clean.as_ref())).spare(4),
    ];
    if any(&|agent| agent.valid.is_some()) {
        shown.insert(1, each("of valid", &of_valid));
    }
    if several && summary.tampered > 0 {
        shown.push(each("tampered", &|a| a.tampered.to_string()).spare(6));
    }
    if several && summary.errors > 0 {
        shown.push(each("errors", &|a| a.errors.to_string()).spare(5));
    }
    if any(&|agent| agent.tool_use.is_some()) {
        shown.push(each("tool use", &tool_use).spare(3));
    }
    if with_model {
        shown.push(each("turns", &|a| of_model(a, a.median.turns, number)).spare(9));
    }
    shown.push(
        each("calls", &|a| {
            a.median.tool_calls.map_or(NONE.into(), number)
        })
        .spare(1),
    );
    shown.push(each("errors in calls", &call_errors).spare(8));
    if with_model && any(&|agent| agent.median.tokens > Some(0.0)) {
        let tokens = |a: &AgentSummary| a.median.tokens.filter(|tokens| *tokens > 0.0);
        shown.push(each("tokens", &|a| of_model(a, tokens(a), thousands)).spare(7));
    }
    if priced {
        shown.push(each("cost per success", &cost_per_success).spare(0));
        shown.push(each("cost", &cost).spare(10));
    }
    shown.push(each("time", &|a| a.median.seconds.map_or(NONE.into(), clock)).spare(2));

    let medians: Vec<&str> = ["turns", "calls", "tokens", "time"]
        .into_iter()
        .filter(|head| shown.iter().any(|column| column.head() == *head))
        .collect();
    let grid = Grid::of(&names, shown, columns, style);
    let mut out = String::new();
    for line in &grid.lines {
        out.push_str(line);
        out.push('\n');
    }
    // Below the first column, where that leaves room for a sentence.
    let indent = match columns.saturating_sub(grid.indent + 2) >= 40 {
        true => grid.indent + 2,
        false => 4,
    };
    let medians: Vec<&str> = medians
        .into_iter()
        .filter(|head| !grid.left_out.contains(head))
        .collect();
    let basis = basis(summary, &medians, &grid.left_out);
    for line in flowed(&basis, columns.saturating_sub(indent).clamp(40, 100)) {
        out.push_str(&format!("{}{}\n", " ".repeat(indent), style.dim(&line)));
    }
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
                rate(agent.success.as_ref()),
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

fn rate(rate: Option<&Rate>) -> String {
    rate.map_or(NONE.to_owned(), |rate| percent(rate.value))
}

/// A number that only an agent with a model has.
fn of_model(agent: &AgentSummary, value: Option<f64>, show: fn(f64) -> String) -> String {
    let value = value.filter(|_| agent.model.is_some());
    value.map_or(NONE.to_owned(), show)
}

/// `0.86 (60)`: the mean score, of so many trials.
fn tool_use(agent: &AgentSummary) -> String {
    match &agent.tool_use {
        Some(mean) => format!("{} ({})", share(mean.value), mean.n),
        None => NONE.to_owned(),
    }
}

fn call_errors(agent: &AgentSummary) -> String {
    match &agent.call_errors {
        Some(found) => format!("{:.1} ({})", found.mean_per_trial, percent(found.share)),
        None => NONE.to_owned(),
    }
}

fn cost_per_success(agent: &AgentSummary) -> String {
    match (agent.cost_microusd, agent.resolved) {
        (Some(cost), 1..) => money(cost as f64 / agent.resolved as f64),
        _ => NONE.to_owned(),
    }
}

fn cost(agent: &AgentSummary) -> String {
    match (agent.cost_microusd, &agent.model) {
        (Some(cost), _) => money(cost as f64),
        (None, Some(_)) => "unpriced".to_owned(),
        (None, None) => NONE.to_owned(),
    }
}

/// `3/3 100 %`: over instances that no quarantine names.
fn of_valid(agent: &AgentSummary) -> String {
    let Some(valid) = &agent.valid else {
        return NONE.to_owned();
    };
    let judged = valid.success.as_ref().map_or(0, |rate| rate.n);
    format!(
        "{}/{judged} {}",
        valid.resolved,
        rate(valid.success.as_ref())
    )
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
        format!("{}\n{steps}", table(summary, 160, Style::PLAIN))
    }

    #[test]
    fn a_row_per_agent_and_the_next_step() {
        let summary = summarise(&fixture::run(), &fixture::records());
        insta::assert_snapshot!(text(&summary), @r#"
                    resolved            clean   tampered   errors   calls   errors in calls   time
             loop   2/4  50 % [15–85]    50 %          1        0      14        1.2 (10 %)   0:09
             nop    0/2   0 % [0–66]      0 %          0        1       0                 –   0:05
                    2 tasks · 95 % intervals clustered by task · calls and time are medians · 1 tampered
                    1 trial in error · evidence: 2 by records · 1 trial missing

            runs/2026-11-23-quiet-otter
              proofyard resume runs/2026-11-23-quiet-otter                    finish 1 missing trial
              proofyard resume runs/2026-11-23-quiet-otter --retry-errors 1   execute 1 trial in error again
              proofyard show runs/2026-11-23-quiet-otter --failed             which, and why
            "#);
    }

    #[test]
    fn a_run_without_verdicts_claims_nothing() {
        let run = plan_of(&["a"]);
        let records = [RecordBuilder::of(&run, 0).outcome(Outcome::Error).build()];
        insta::assert_snapshot!(text(&summarise(&run, &records)), @r"
               resolved   clean   calls   errors in calls   time
         nop   0/0  –         –       –                 –      –
               1 task · 0 tampered · 1 trial in error

        runs/2026-11-23-quiet-otter
          proofyard resume runs/2026-11-23-quiet-otter --retry-errors 1   execute 1 trial in error again
          proofyard show runs/2026-11-23-quiet-otter --failed             which, and why
        ");
    }

    fn of(models: &[&str], nop: bool, columns: usize) -> String {
        let run = fixture::run_of(models, nop);
        let summary = summarise(&run, &fixture::finished(&run));
        table(&summary, columns, Style::PLAIN)
    }

    #[test]
    fn what_is_in_quarantine_stands_beside_the_score() {
        let mut run = fixture::run();
        let of_set = |keeps_excluded| crate::record::DataSetRecord {
            source: "verified".into(),
            digest: "ab".into(),
            instances: 9,
            filter: None,
            matched: 5,
            excluded: [(
                "terminal/torn-journal".to_owned(),
                "flaky: t passes 2 of 3 times".to_owned(),
            )]
            .into(),
            keeps_excluded,
            sample: None,
            seed: None,
            stratify: None,
            selected: 2,
        };
        run.data_sets = vec![of_set(false)];
        let shown = table(&summarise(&run, &fixture::records()), 160, Style::PLAIN);
        let line = "2 tasks · valid 4 of 5 instances (1 quarantined: 1 flaky) · 95 %";
        assert!(shown.contains(line), "{shown}");
        run.data_sets = vec![of_set(true)];
        let shown = table(&summarise(&run, &fixture::records()), 100, Style::PLAIN);
        insta::assert_snapshot!(shown, @r"
               resolved            of valid   clean   tampered   errors   calls   errors in calls   time
        loop   2/4  50 % [15–85]   1/2 50 %    50 %          1        0      14        1.2 (10 %)   0:09
        nop    0/2   0 % [0–66]     0/1 0 %     0 %          0        1       0                 –   0:05
               2 tasks · valid 1 of 2 instances (1 quarantined: 1 flaky) · 95 % intervals clustered by task
               calls and time are medians · 1 tampered · 1 trial in error · evidence: 2 by records
               1 trial missing
        ");
    }

    #[test]
    fn a_model_has_turns_tokens_and_a_price() {
        insta::assert_snapshot!(of(&["demo-1"], false, 160), @r#"
                            resolved            clean   tool use   turns   calls   errors in calls   tokens   cost per success     cost   time
            loop · demo-1   3/4  75 % [26–96]    75 %   0.87 (4)    10.5      14         1.0 (7 %)     30 k             $0.029   $0.086   0:09
                            2 tasks · 95 % intervals clustered by task · turns, calls, tokens and time are medians · 0 tampered
                            0 trials in error · evidence: 3 by records · 1 ended max_steps
            "#);
    }

    #[test]
    fn what_an_agent_has_not_is_a_dash() {
        insta::assert_snapshot!(of(&["demo-1", "unpriced"], true, 160), @r#"
                              resolved              clean   tool use   turns   calls   errors in calls   tokens   cost per success       cost   time
            loop · demo-1     4/4  100 % [34–100]   100 %   0.81 (4)    13.5      14         1.0 (7 %)     33 k             $0.021     $0.086   0:09
            loop · unpriced   0/4    0 % [0–66]       0 %   0.79 (4)    14.5      14         1.0 (7 %)     34 k                  –   unpriced   0:09
            nop               0/4    0 % [0–66]       0 %          –       –       0                 –        –                  –          –   0:01
                              2 tasks · 95 % intervals clustered by task · turns, calls, tokens and time are medians · 0 tampered
                              0 trials in error · evidence: 4 by records · 4 ended max_steps
            "#);
        insta::assert_snapshot!(of(&["unpriced"], false, 160), @r#"
                              resolved           clean  tool use  turns  calls  errors in calls  tokens  time
            loop · unpriced   3/4  75 % [26–96]   75 %  0.87 (4)   10.5     14        1.0 (7 %)    30 k  0:09
                              2 tasks · 95 % intervals clustered by task · turns, calls, tokens and time are medians · 0 tampered
                              0 trials in error · evidence: 3 by records · 1 ended max_steps · unpriced
            "#);
    }

    #[test]
    fn the_least_important_columns_give_way() {
        insta::assert_snapshot!(of(&["demo-1"], true, 100), @r#"
                                                          tool                errors in          cost per
                            resolved           clean       use  turns  calls      calls  tokens   success  time
            loop · demo-1   3/4  75 % [26–96]   75 %  0.84 (4)     12     14  1.0 (7 %)    32 k    $0.029  0:09
            nop             0/4   0 % [0–66]     0 %         –      –      0          –       –         –  0:01
                            2 tasks · 95 % intervals clustered by task
                            turns, calls, tokens and time are medians · 0 tampered · 0 trials in error
                            evidence: 3 by records · 1 ended max_steps · $0.086 in all · no room for cost
            "#);
        insta::assert_snapshot!(of(&["demo-1"], true, 80), @r#"
                                                          tool         cost per
                            resolved           clean       use  calls   success  time
            loop · demo-1   3/4  75 % [26–96]   75 %  0.84 (4)     14    $0.029  0:09
            nop             0/4   0 % [0–66]     0 %         –      0         –  0:01
                            2 tasks · 95 % intervals clustered by task
                            calls and time are medians · 0 tampered · 0 trials in error
                            evidence: 3 by records · 1 ended max_steps · $0.086 in all
                            no room for cost, turns, errors in calls, tokens
            "#);
        insta::assert_snapshot!(of(&["demo-1"], true, 60), @r#"
                                                      cost per
                            resolved           calls   success  time
            loop · demo-1   3/4  75 % [26–96]     14    $0.029  0:09
            nop             0/4   0 % [0–66]       0         –  0:01
                            2 tasks · 95 % intervals clustered by task
                            calls and time are medians · 0 tampered
                            0 trials in error · evidence: 3 by records
                            1 ended max_steps · $0.086 in all
                            no room for cost, turns, errors in calls,
                            tokens, clean, tool use
            "#);
        for columns in [60, 72, 80, 90, 100, 120, 160] {
            let shown = of(&["demo-1"], true, columns);
            let wide = shown.lines().find(|line| width(line) > columns);
            assert_eq!(wide, None, "{columns}");
        }
    }
}
