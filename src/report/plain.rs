//! Progress without control characters: one line per finished trial, and a sign
//! of life where nothing finishes for long.

use std::io::Write;
use std::time::{Duration, Instant};

use super::progress::{Progress, plan_line};
use super::style::word;
use super::text::{clock, sanitize};
use super::{Reporter, warning_text};
use crate::run::RunEvent;

/// Silence after which a sign of life is due.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Writes lines to a log, a pipe or a file.
pub struct Plain<W: Write> {
    out: W,
    progress: Progress,
    spoke: Instant,
    finished: bool,
}

impl<W: Write> Plain<W> {
    /// Lines go to `out`; one that cannot be written is no reason to end a run.
    pub fn new(out: W) -> Self {
        let now = Instant::now();
        Self {
            out,
            progress: Progress::new(now),
            spoke: now,
            finished: false,
        }
    }

    fn line(&mut self, line: &str, now: Instant) {
        let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
        self.spoke = now;
    }

    fn event_at(&mut self, event: &RunEvent, now: Instant) {
        self.progress.take_in(event, now);
        match event {
            RunEvent::Started {
                run,
                finished,
                jobs,
                ..
            } => {
                let plan = plan_line(run, finished.len(), Some(*jobs));
                self.line(&format!("plan: {plan}"), now);
            }
            RunEvent::Preparing {
                what,
                done,
                elapsed_ms,
            } => {
                let what = sanitize(what);
                let line = match done {
                    true => format!("prepared: {what} {}", clock(*elapsed_ms as f64 / 1000.0)),
                    false => format!("preparing: {what}"),
                };
                self.line(&line, now);
            }
            RunEvent::TrialFinished { record } => {
                let (done, total) = (self.progress.done(), self.progress.total());
                let digits = total.to_string().len();
                let line = format!(
                    "[{done:>digits$}/{total}] {:<10}  {}",
                    word(record.outcome),
                    self.progress.columns.finished(record)
                );
                self.line(&line, now);
            }
            RunEvent::Warning { message } => self.line(&warning_text(message), now),
            RunEvent::Finished { .. } => self.finished = true,
            RunEvent::TrialStarted { .. } | RunEvent::TrialProgress { .. } => {}
        }
    }

    fn tick_at(&mut self, now: Instant) {
        let due = now.duration_since(self.spoke) >= HEARTBEAT;
        if due && !self.finished && self.progress.total() > 0 {
            let (done, total) = (self.progress.done(), self.progress.total());
            let counts = self.progress.counts(now);
            self.line(&format!("[{done}/{total}] … {counts}"), now);
        }
    }
}

impl<W: Write + Send> Reporter for Plain<W> {
    fn event(&mut self, event: &RunEvent) {
        self.event_at(event, Instant::now());
    }

    fn tick(&mut self) {
        self.tick_at(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_line_per_finished_trial() {
        let mut out = Vec::new();
        let mut plain = Plain::new(&mut out);
        for event in fixture::events() {
            plain.event(&event);
        }
        drop(plain);
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        plan: 2 tasks × 2 agents × 2 attempts = 8 trials · engine docker 20.10 · 2 at a time
        [1/8] resolved    repo/glob-star         loop  1/2    14 calls   0:09
        [2/8] unresolved  repo/glob-star         nop   1/2     0 calls   0:01   2 of 5 fail_to_pass failed
        [3/8] resolved    terminal/torn-journal  loop  1/2     1 call    0:04
        [4/8] unresolved  terminal/torn-journal  nop   1/2     0 calls   0:09   2 of 5 fail_to_pass failed
        [5/8] tampered    repo/glob-star         loop  2/2    14 calls   0:09   conftest.py rewrites outcomes
        [6/8] error       repo/glob-star         nop   2/2    14 calls   0:09   engine error in sandbox: no such container
        [7/8] unresolved  terminal/torn-journal  loop  2/2    22 calls   1:17   2 of 5 fail_to_pass failed
        warning: 1 trial did not end
        ");
    }

    #[test]
    fn a_line_says_what_stopped_a_model() {
        let mut out = Vec::new();
        let mut plain = Plain::new(&mut out);
        let run = fixture::run_of(&["demo-1"], false);
        for event in fixture::under_way(&run, [None, None]) {
            plain.event(&event);
        }
        for record in fixture::finished(&run) {
            plain.event(&RunEvent::TrialFinished {
                record: Box::new(record),
            });
        }
        drop(plain);
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        plan: 2 tasks × 1 agent × 2 attempts = 4 trials · engine docker 20.10 · 2 at a time
        [1/4] resolved    repo/glob-star         loop · demo-1  1/2    14 calls   0:09
        [2/4] unresolved  terminal/torn-journal  loop · demo-1  1/2    14 calls   0:09   ended max_steps
        [3/4] resolved    repo/glob-star         loop · demo-1  2/2    14 calls   0:09
        [4/4] resolved    terminal/torn-journal  loop · demo-1  2/2    14 calls   0:09
        ");
    }

    #[test]
    fn silence_ends_after_half_a_minute() {
        let mut out = Vec::new();
        let mut plain = Plain::new(&mut out);
        let t0 = Instant::now();
        for event in fixture::events().into_iter().take(3) {
            plain.event_at(&event, t0);
        }
        plain.out.clear();
        plain.tick_at(t0 + Duration::from_secs(29));
        plain.tick_at(t0 + Duration::from_secs(30));
        plain.tick_at(t0 + Duration::from_secs(31));
        drop(plain);
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @"[0/8] … 2 running · 0 resolved · 0 errors");
    }
}
