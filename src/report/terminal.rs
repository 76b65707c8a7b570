//! Progress in a terminal: a line per finished trial scrolls by, a status line and
//! the running trials stay below.
//!
//! With [`super::style`] and [`super::text`] the only place that knows the
//! terminal's crates.

use std::time::Instant;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::progress::{Progress, plan_line};
use super::style::Style;
use super::text::{clock, fit, sanitize};
use super::{Reporter, warning_text};
use crate::run::RunEvent;

/// Shows a run on a terminal's standard error.
pub struct Terminal {
    progress: Progress,
    term: Term,
    style: Style,
    /// One block of lines that is drawn anew in place.
    block: ProgressBar,
}

impl Terminal {
    /// On standard error.
    pub fn new(style: Style) -> Self {
        let block = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        // The only template without anything that could fail to parse.
        if let Ok(template) = ProgressStyle::with_template("{msg}") {
            block.set_style(template);
        }
        Self {
            progress: Progress::new(Instant::now()),
            term: Term::stderr(),
            style,
            block,
        }
    }

    fn line(&self, line: &str) {
        self.block.println(fit(line, self.columns()));
    }

    /// The last column stays free: some terminals wrap when it is written.
    fn columns(&self) -> usize {
        usize::from(self.term.size().1).saturating_sub(1).max(20)
    }

    fn draw(&self) {
        if self.progress.total() == 0 {
            return;
        }
        let now = Instant::now();
        let rows = usize::from(self.term.size().0).saturating_sub(4).max(1);
        let mut lines = vec![self.progress.status(now, self.style)];
        let columns = self.columns();
        lines.extend(self.progress.running(now, rows, columns, self.style));
        let lines: Vec<String> = lines.iter().map(|line| fit(line, columns)).collect();
        self.block.set_message(lines.join("\n"));
    }
}

impl Reporter for Terminal {
    fn event(&mut self, event: &RunEvent) {
        self.progress.take_in(event, Instant::now());
        match event {
            RunEvent::Started {
                run,
                finished,
                jobs,
                ..
            } => {
                let plan = plan_line(run, finished.len(), Some(*jobs));
                self.line(&format!("{}      {plan}", self.style.bold("Plan")));
            }
            RunEvent::Preparing {
                what,
                done: true,
                elapsed_ms,
            } => {
                let time = clock(*elapsed_ms as f64 / 1000.0);
                let what = sanitize(what);
                self.line(&format!("{}  {what}  {time}", self.style.bold("Prepared")));
            }
            RunEvent::TrialFinished { record } => {
                self.line(&self.progress.columns.marked(record, self.style));
            }
            RunEvent::Warning { message } => {
                self.line(&self.style.warn(&warning_text(message)));
            }
            RunEvent::Finished { .. } => {
                self.block.finish_and_clear();
                return;
            }
            _ => {}
        }
        self.draw();
    }

    fn tick(&mut self) {
        if !self.block.is_finished() {
            self.draw();
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.block.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    /// On a terminal this shows a run; elsewhere nothing is drawn.
    #[test]
    fn a_run_is_shown_from_its_plan_to_its_end() {
        let mut terminal = Terminal::new(Style::PLAIN);
        for event in fixture::events() {
            terminal.event(&event);
            terminal.tick();
        }
        assert_eq!(terminal.progress.done(), fixture::records().len());
        assert!(terminal.block.is_finished());
    }
}
