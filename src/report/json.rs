//! A run for machines: one JSON object a line, and nothing else.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::Reporter;
use crate::record::{RunId, RunRecord, TrialId, TrialRecord};
use crate::run::{RunEvent, Summary, summarise};

/// Writes events as JSON lines.
pub struct JsonLines<W: Write> {
    out: W,
    run: Option<Box<RunRecord>>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    RunStarted {
        run: &'a RunId,
        dir: &'a Path,
        tasks: usize,
        agents: usize,
        attempts: u32,
        trials: usize,
        /// By an earlier invocation.
        finished: usize,
        jobs: usize,
    },
    TrialStarted {
        trial_id: &'a TrialId,
    },
    TrialFinished {
        trial_id: &'a TrialId,
        trial: &'a TrialRecord,
    },
    RunFinished {
        run: &'a RunId,
        dir: &'a Path,
        interrupted: bool,
        missing: usize,
        summary: Option<Summary>,
    },
    Warning {
        message: &'a str,
    },
}

impl<W: Write> JsonLines<W> {
    /// Lines go to `out`; one that cannot be written is no reason to end a run.
    pub fn new(out: W) -> Self {
        Self { out, run: None }
    }

    fn line(&mut self, line: &Line<'_>) {
        let Ok(mut bytes) = serde_json::to_vec(line) else {
            return;
        };
        bytes.push(b'\n');
        let _ = self.out.write_all(&bytes).and_then(|()| self.out.flush());
    }
}

impl<W: Write + Send> Reporter for JsonLines<W> {
    fn event(&mut self, event: &RunEvent) {
        match event {
            RunEvent::Started {
                run,
                dir,
                finished,
                jobs,
            } => {
                self.line(&Line::RunStarted {
                    run: &run.run,
                    dir,
                    tasks: run.tasks.len(),
                    agents: run.agents.len(),
                    attempts: run.attempts,
                    trials: run.trials.len(),
                    finished: finished.len(),
                    jobs: *jobs,
                });
                self.run = Some(run.clone());
            }
            RunEvent::TrialStarted { trial } => {
                self.line(&Line::TrialStarted { trial_id: trial });
            }
            RunEvent::TrialFinished { record } => self.line(&Line::TrialFinished {
                trial_id: &record.trial,
                trial: record,
            }),
            RunEvent::Finished {
                run,
                dir,
                records,
                missing,
                interrupted,
            } => {
                let plan = self.run.take();
                self.line(&Line::RunFinished {
                    run,
                    dir,
                    interrupted: *interrupted,
                    missing: *missing,
                    summary: plan.map(|plan| summarise(&plan, records)),
                });
            }
            RunEvent::Warning { message } => self.line(&Line::Warning { message }),
            RunEvent::Preparing { .. } | RunEvent::TrialProgress { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use serde_json::Value;

    #[test]
    fn every_line_is_an_object_that_names_its_event() {
        let mut out = Vec::new();
        let mut json = JsonLines::new(&mut out);
        for event in fixture::events() {
            json.event(&event);
        }
        drop(json);
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let names: Vec<&str> = lines.iter().map(|l| l["event"].as_str().unwrap()).collect();
        let mut short = names.clone();
        short.dedup();
        assert_eq!(
            short,
            [
                "run_started",
                "trial_started",
                "trial_finished",
                "warning",
                "run_finished"
            ]
        );
        let first = names.iter().position(|n| *n == "trial_finished").unwrap();
        let trial: TrialRecord = serde_json::from_value(lines[first]["trial"].clone()).unwrap();
        assert_eq!(trial.trial.as_str(), lines[first]["trial_id"]);
        let last = lines.last().unwrap();
        assert_eq!(last["summary"]["agents"][0]["resolved"], 2);
        assert_eq!(last["missing"], 1);
    }
}
