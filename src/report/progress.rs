//! A run under way: what the reporters for people know of it.
//!
//! Takes in events and says lines; must not know where they go.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::line::Columns;
use super::style::Style;
use super::text::{clock, plural, sanitize};
use crate::record::{Outcome, PlannedTrial, RunRecord, TrialId};
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
                    running.spent = *spent;
                }
            }
            RunEvent::TrialFinished { record } => {
                self.running.retain(|running| running.trial != record.trial);
                self.outcomes.insert(record.trial.clone(), record.outcome);
                self.finished += 1;
            }
            RunEvent::Warning { .. } | RunEvent::Finished { .. } => {}
        }
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

    /// `4 running · 21 resolved · 0 errors · about 1:10 left`.
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

    /// A line for each running trial, at most `most` lines.
    pub fn running(&self, now: Instant, most: usize, style: Style) -> Vec<String> {
        let shown = match self.running.len() > most {
            true => most.saturating_sub(1),
            false => self.running.len(),
        };
        let mut lines: Vec<String> = self.running[..shown]
            .iter()
            .map(|running| {
                let elapsed = clock(now.duration_since(running.since).as_secs_f64());
                let who = self.who(&running.trial);
                let line = format!("    {who}  {elapsed:>5}  {:<8}", running.phase);
                style.dim(format!("{line}  {}", running.detail).trim_end())
            })
            .collect();
        let hidden = self.running.len() - shown;
        if hidden > 0 && most > 0 {
            lines.push(style.dim(&format!("    … and {hidden} more")));
        }
        lines
    }

    fn who(&self, trial: &TrialId) -> String {
        match self.planned.get(trial) {
            Some(planned) => self.columns.who(
                planned.task.as_str(),
                &planned.agent,
                planned.model.as_deref(),
                planned.attempt,
            ),
            None => sanitize(trial.as_str()),
        }
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
        lines.extend(progress.running(now, 8, Style::PLAIN));
        lines.join("\n")
    }

    #[test]
    fn running_trials_stand_below_the_status() {
        let (progress, now) = scene(4, Duration::from_secs(12));
        insta::assert_snapshot!(text(&progress, now), @r"
        0/8 ▕                ▏ 2 running · 0 resolved · 0 errors
           repo/glob-star         loop  1/2   0:12  agent     step 11  bash  nginx -t
           repo/glob-star         nop   1/2   0:12
        ");
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
        let lines = progress.running(now, 1, Style::PLAIN);
        assert_eq!(lines, ["    … and 2 more"]);
        assert!(lines.iter().all(|line| width(&fit(line, 10)) <= 10));
    }
}
