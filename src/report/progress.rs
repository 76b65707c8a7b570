//! A run under way: what the reporters for people know of it.
//!
//! Takes in events and says lines; must not know where they go.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::line::Columns;
use super::number::money;
use super::running::{Row, aligned};
use super::style::Style;
use super::text::{clock, plural, sanitize};
use crate::record::{Outcome, PlannedTrial, RunRecord, TrialId, TrialRecord};
use crate::run::{RunEvent, Spending};

/// Cells of the bar.
const BAR: usize = 16;

/// A run under way.
#[derive(Debug)]
pub(super) struct Progress {
    pub columns: Columns,
    planned: HashMap<TrialId, PlannedTrial>,
    outcomes: HashMap<TrialId, Outcome>,
    /// In the order in which they began.
    running: Vec<Running>,
    preparing: Vec<(String, Instant)>,
    began: Instant,
    /// Finished since then.
    finished: usize,
    /// Micro-dollars of finished trials; none where no price is known.
    cost: Option<u64>,
}

#[derive(Debug)]
struct Running {
    trial: TrialId,
    phase: &'static str,
    detail: String,
    spent: Option<Spending>,
    since: Instant,
}

impl Progress {
    pub fn new(now: Instant) -> Self {
        Self {
            columns: Columns::default(),
            planned: HashMap::new(),
            outcomes: HashMap::new(),
            running: Vec::new(),
            preparing: Vec::new(),
            began: now,
            finished: 0,
            cost: None,
        }
    }

    /// Takes in what happened.
    pub fn take_in(&mut self, event: &RunEvent, now: Instant) {
        match event {
            RunEvent::Started { run, finished, .. } => {
                self.columns = Columns::of(run);
                let planned = run.trials.iter().cloned();
                self.planned = planned.map(|t| (t.trial.clone(), t)).collect();
                let outcomes = finished.iter().map(|r| (r.trial.clone(), r.outcome));
                self.outcomes = outcomes.collect();
                finished.iter().for_each(|record| self.pay(record));
                self.began = now;
            }
            RunEvent::Preparing { what, done, .. } => {
                self.preparing.retain(|(other, _)| other != what);
                if !done {
                    self.preparing.push((what.clone(), now));
                }
            }
            RunEvent::TrialStarted { trial } => {
                // A trial of an earlier error is missing again.
                self.outcomes.remove(trial);
                self.running.push(Running {
                    trial: trial.clone(),
                    phase: "",
                    detail: String::new(),
                    spent: None,
                    since: now,
                });
            }
            RunEvent::TrialProgress {
                trial,
                phase,
                detail,
                spent,
            } => {
                if let Some(running) = self.running.iter_mut().find(|r| r.trial == *trial) {
                    running.phase = phase;
                    running.detail = sanitize(detail);
                    // After the agent's phase nobody tells any more.
                    running.spent = spent.or(running.spent);
                }
            }
            RunEvent::TrialFinished { record } => {
                self.running.retain(|running| running.trial != record.trial);
                self.outcomes.insert(record.trial.clone(), record.outcome);
                self.finished += 1;
                self.pay(record);
            }
            RunEvent::Warning { .. } | RunEvent::Finished { .. } => {}
        }
    }

    fn pay(&mut self, record: &TrialRecord) {
        if let Some(cost) = record.cost_microusd {
            let cost = u64::try_from(cost).unwrap_or(0);
            self.cost = Some(self.cost.unwrap_or(0).saturating_add(cost));
        }
    }

    /// Micro-dollars of finished and running trials, as far as prices are known.
    fn cost(&self) -> Option<u64> {
        let running = self.running.iter();
        let running = running.filter_map(|running| running.spent?.cost_microusd);
        running.chain(self.cost).reduce(u64::saturating_add)
    }

    pub fn done(&self) -> usize {
        self.outcomes.len()
    }

    pub fn total(&self) -> usize {
        self.planned.len()
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.outcomes.values().filter(|o| **o == outcome).count()
    }

    /// `4 running · 21 resolved · 0 errors · $0.42 · about 1:10 left`.
    pub fn counts(&self, now: Instant) -> String {
        let mut parts = vec![
            format!("{} running", self.running.len()),
            format!("{} resolved", self.count(Outcome::Resolved)),
        ];
        let tampered = self.count(Outcome::Tampered);
        if tampered > 0 {
            parts.push(format!("{tampered} tampered"));
        }
        parts.push(plural(self.count(Outcome::Error), "error"));
        if let Some(cost) = self.cost() {
            parts.push(money(cost as f64));
        }
        if let Some(left) = self.left(now) {
            parts.push(format!("about {} left", clock(left.as_secs_f64())));
        }
        for (what, since) in &self.preparing {
            let elapsed = clock(now.duration_since(*since).as_secs_f64());
            parts.push(format!("{} {elapsed}", sanitize(what)));
        }
        parts.join(" · ")
    }

    /// The rest of the plan at the pace so far; none before there is a pace.
    fn left(&self, now: Instant) -> Option<Duration> {
        let remaining = self.total().saturating_sub(self.done());
        if self.finished == 0 || remaining == 0 {
            return None;
        }
        let pace = now.duration_since(self.began).as_secs_f64() / self.finished as f64;
        Some(Duration::from_secs_f64(pace * remaining as f64))
    }

    /// ` 31/60 ▕███████▏  4 running · …`.
    pub fn status(&self, now: Instant, style: Style) -> String {
        let (done, total) = (self.done(), self.total());
        let digits = total.to_string().len();
        let filled = (done * BAR).checked_div(total).unwrap_or(0).min(BAR);
        format!(
            " {done:>digits$}/{total} ▕{}{}▏ {}",
            style.bold(&"█".repeat(filled)),
            " ".repeat(BAR - filled),
            self.counts(now)
        )
    }

    /// A line for each running trial, at most `most` lines, so many columns wide.
    pub fn running(&self, now: Instant, most: usize, columns: usize, style: Style) -> Vec<String> {
        let shown = match self.running.len() > most {
            true => most.saturating_sub(1),
            false => self.running.len(),
        };
        let rows: Vec<Row> = self.running[..shown]
            .iter()
            .map(|running| {
                let who = match self.planned.get(&running.trial) {
                    Some(planned) => self.columns.who_briefly(planned),
                    None => sanitize(running.trial.as_str()),
                };
                let (phase, detail) = (running.phase, &running.detail);
                let elapsed = now.duration_since(running.since);
                Row::new(who, phase, detail, running.spent, elapsed)
            })
            .collect();
        let mut lines = aligned(&rows, columns, style);
        let hidden = self.running.len() - shown;
        if hidden > 0 && most > 0 {
            lines.push(style.dim(&format!("    … and {hidden} more")));
        }
        lines
    }
}

/// `20 tasks × 1 agent × 3 attempts = 60 trials · engine docker 20.10 · 4 at a time`.
///
/// `jobs` where it runs now.
pub(super) fn plan_line(run: &RunRecord, finished: usize, jobs: Option<usize>) -> String {
    let mut lineup: Vec<(&str, Option<&str>)> = Vec::new();
    for planned in &run.trials {
        let contender = (planned.agent.as_str(), planned.model.as_deref());
        if !lineup.contains(&contender) {
            lineup.push(contender);
        }
    }
    let mut line = format!(
        "{} × {} × {} = {} · engine docker {}",
        plural(run.tasks.len(), "task"),
        plural(lineup.len(), "agent"),
        plural(run.attempts as usize, "attempt"),
        plural(run.trials.len(), "trial"),
        sanitize(&run.engine.version),
    );
    if let Some(jobs) = jobs {
        line.push_str(&format!(" · {jobs} at a time"));
    }
    if finished > 0 {
        line.push_str(&format!(" · {finished} finished before"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use crate::report::text::{fit, width};

    fn scene(events: usize, at: Duration) -> (Progress, Instant) {
        let t0 = Instant::now();
        let mut progress = Progress::new(t0);
        for event in fixture::events().iter().take(events) {
            progress.take_in(event, t0);
        }
        (progress, t0 + at)
    }

    fn text(progress: &Progress, now: Instant) -> String {
        let mut lines = vec![progress.status(now, Style::PLAIN)];
        lines.extend(progress.running(now, 8, 100, Style::PLAIN));
        lines.join("\n")
    }

    #[test]
    fn running_trials_stand_below_the_status() {
        let (progress, now) = scene(4, Duration::from_secs(12));
        insta::assert_snapshot!(text(&progress, now), @r"
        0/8 ▕                ▏ 2 running · 0 resolved · 0 errors
           repo/glob-star         loop  1/2  step 11  bash    nginx -t                                 0:12
           repo/glob-star         nop   1/2                                                            0:12
        ");
    }

    fn of(events: Vec<RunEvent>) -> (Progress, Instant) {
        let t0 = Instant::now();
        let mut progress = Progress::new(t0);
        for event in &events {
            progress.take_in(event, t0);
        }
        (progress, t0 + Duration::from_secs(12))
    }

    fn spent(tokens: u64, cost_microusd: Option<u64>) -> Option<Spending> {
        Some(Spending {
            turns: 7,
            tokens,
            cost_microusd,
        })
    }

    #[test]
    fn what_a_model_has_spent_stands_beside_its_call() {
        let run = fixture::run_of(&["demo-1"], false);
        let spent = [spent(12_400, Some(21_000)), spent(900, Some(400))];
        let mut events = fixture::under_way(&run, spent);
        let (progress, now) = of(events.clone());
        insta::assert_snapshot!(text(&progress, now), @r"
        0/4 ▕                ▏ 2 running · 0 resolved · 0 errors · $0.021
           repo/glob-star         1/2  step 9    bash    nginx -t               12 k tokens   $0.021   0:12
           terminal/torn-journal  1/2  step 112  read    src/pattern.py          900 tokens  $0.0004   0:12
        ");

        // The agent's phase is over: what was spent stays spent.
        let record = fixture::finished(&run).remove(1);
        events.push(RunEvent::TrialFinished {
            record: Box::new(record),
        });
        events.push(RunEvent::TrialProgress {
            trial: run.trials[0].trial.clone(),
            phase: "verify",
            detail: "12 of 31 tests".into(),
            spent: None,
        });
        let (progress, now) = of(events);
        insta::assert_snapshot!(text(&progress, now), @r"
        1/4 ▕████            ▏ 1 running · 0 resolved · 0 errors · $0.042 · about 0:36 left
           repo/glob-star         1/2  verify   12 of 31 tests                   12 k tokens  $0.021   0:12
        ");
    }

    #[test]
    fn what_has_no_price_has_no_cost() {
        let run = fixture::run_of(&["demo-1"], false);
        let (progress, now) = of(fixture::under_way(&run, [spent(12_400, None), None]));
        insta::assert_snapshot!(text(&progress, now), @r"
        0/4 ▕                ▏ 2 running · 0 resolved · 0 errors
           repo/glob-star         1/2  step 9    bash    nginx -t                        12 k tokens   0:12
           terminal/torn-journal  1/2  step 112  read    src/pattern.py                                0:12
        ");
    }

    #[test]
    fn a_narrow_terminal_shows_the_call_first() {
        let run = fixture::run_of(&["demo-1"], true);
        let spent = [spent(12_400, Some(21_000)), None];
        let (progress, now) = of(fixture::under_way(&run, spent));
        let lines = |columns| progress.running(now, 8, columns, Style::PLAIN).join("\n");
        insta::assert_snapshot!(lines(80), @r"
        repo/glob-star         loop · demo-1  1/2  step 9    bash    nginx -t   0:12
        repo/glob-star         nop            1/2  step 112  read    src/pat…   0:12
        ");
        assert!(
            lines(110).contains("12 k tokens  $0.021   0:12"),
            "{}",
            lines(110)
        );
    }

    #[test]
    fn the_time_left_follows_the_pace() {
        let (progress, now) = scene(8, Duration::from_secs(80));
        insta::assert_snapshot!(text(&progress, now), @" 4/8 ▕████████        ▏ 0 running · 2 resolved · 0 errors · about 1:20 left");
    }

    #[test]
    fn what_is_prepared_is_said() {
        let (mut progress, now) = scene(1, Duration::from_secs(5));
        let what = "image proofyard/python".to_owned();
        progress.take_in(
            &RunEvent::Preparing {
                what,
                done: false,
                elapsed_ms: 0,
            },
            now,
        );
        let later = now + Duration::from_secs(7);
        insta::assert_snapshot!(text(&progress, later), @" 0/8 ▕                ▏ 0 running · 0 resolved · 0 errors · image proofyard/python 0:07");
    }

    #[test]
    fn more_than_fits_is_counted() {
        let (progress, now) = scene(3, Duration::ZERO);
        let lines = progress.running(now, 1, 100, Style::PLAIN);
        assert_eq!(lines, ["    … and 2 more"]);
        assert!(lines.iter().all(|line| width(&fit(line, 10)) <= 10));
    }
}
