//! Carries out a run that is planned: scheduler, listeners, Ctrl-C, exit code.

use std::io::Write;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Exit;
use crate::diagnose::printable;
use crate::record::Outcome;
use crate::report::{Console, Style, next_steps, stdout_columns, table};
use crate::run::{ExecuteTrial, Fatal, RunEnd, RunEvent, RunStore, Schedule, run_plan, summarise};

/// What the user asks of a run by signals: Ctrl-C, or the end of its terminal or
/// its supervisor.
#[derive(Debug, Clone, Default)]
pub struct Interrupts {
    /// The first: begin nothing, let what runs come to an end.
    pub stop: CancellationToken,
    /// The second: end at once.
    pub now: CancellationToken,
    /// What no trial of the run can do without stops it as the first one does.
    pub fatal: Fatal,
}

impl Interrupts {
    /// Listens from now on; needs the runtime.
    ///
    /// # Errors
    /// Where the system does not let us hear signals.
    pub fn listen() -> std::io::Result<Self> {
        let stop = CancellationToken::new();
        let interrupts = Self {
            fatal: Fatal::new(stop.clone()),
            stop,
            now: CancellationToken::new(),
        };
        let heard = interrupts.clone();
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        tokio::spawn(async move {
            for token in [heard.stop, heard.now] {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hang_up.recv() => {}
                }
                token.cancel();
            }
        });
        Ok(interrupts)
    }
}

/// Runs what a schedule says and shows it; the final table goes to standard
/// output, or with `json` nothing but events.
pub async fn drive(
    store: RunStore,
    executor: Arc<dyn ExecuteTrial>,
    schedule: Schedule,
    console: Console,
    interrupts: &Interrupts,
    json: bool,
) -> Exit {
    let store = Arc::new(store);
    let events = console.events().clone();
    let run = run_plan(
        Arc::clone(&store),
        executor,
        schedule,
        &events,
        &interrupts.stop,
    );
    tokio::pin!(run);
    let mut told = false;
    let end = loop {
        tokio::select! {
            end = &mut run => break Some(end),
            () = interrupts.now.cancelled() => break None,
            () = interrupts.stop.cancelled(), if !told => {
                told = true;
                if interrupts.fatal.why().is_none() {
                    events.send(RunEvent::Warning {
                        message: "interrupted: running trials come to an end, none begins; \
                                  once more ends them at once".to_owned(),
                    });
                }
            }
        }
    };
    console.close().await;
    let Some(end) = end else {
        let left = "ended at once; `proofyard clean` removes what trials left in the engine";
        let _ = writeln!(std::io::stderr(), "{left}");
        return Exit::Interrupted;
    };
    let never_began = interrupts.fatal.why().is_some() && end.records.is_empty();
    if !json && !never_began {
        let style = Style::stdout();
        let summary = summarise(store.run(), &end.records);
        let steps = next_steps(&summary, store.dir(), style);
        let table = table(&summary, stdout_columns(), style);
        // A reader that is gone (`| head`) is no reason to fail.
        let _ = write!(std::io::stdout(), "\n{table}\n{steps}");
    }
    if let Some(why) = interrupts.fatal.why() {
        let _ = writeln!(std::io::stderr(), "error: {}", printable(why));
        return Exit::Unreachable;
    }
    exit_of(&end)
}

/// The exit code that a run ends with.
pub fn exit_of(end: &RunEnd) -> Exit {
    let errors = end.records.iter().any(|r| r.outcome == Outcome::Error);
    if end.interrupted {
        Exit::Interrupted
    } else if errors || end.missing > 0 {
        Exit::TrialErrors
    } else {
        Exit::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ProgressMode, View};
    use crate::run::Machine;
    use crate::run::fixture::{FakeExecutor, plan_of};

    /// Drives a run of these tasks; `hanging` happens once one of them hangs.
    async fn exit(names: &[&str], interrupts: &Interrupts, hanging: impl FnOnce()) -> Exit {
        let out = tempfile::tempdir().unwrap();
        let store = RunStore::create(out.path(), plan_of(names)).unwrap();
        let executor = FakeExecutor::new(store.run());
        let hung = executor.hanging.clone();
        let machine = Machine::of(&store.run().host);
        let schedule = Schedule::new(store.todo(false), machine);
        let console = Console::start(View {
            json: false,
            progress: ProgressMode::None,
        });
        // `json` keeps the table out of the test's output.
        let driven = drive(store, executor, schedule, console, interrupts, true);
        tokio::pin!(driven);
        tokio::select! {
            exit = &mut driven => return exit,
            () = hung.cancelled() => hanging(),
        }
        driven.await
    }

    #[tokio::test]
    async fn the_agents_success_is_no_exit_code() {
        let calm = Interrupts::default();
        let judged = exit(&["a", "fail", "cheat"], &calm, || {}).await;
        assert_eq!(judged, Exit::Done);
        let failed = exit(&["a", "fault"], &calm, || {}).await;
        assert_eq!(failed, Exit::TrialErrors);
    }

    #[tokio::test]
    async fn an_interrupted_run_says_that_it_can_be_resumed() {
        let interrupts = Interrupts::default();
        let ended = exit(&["hang"], &interrupts, || interrupts.stop.cancel()).await;
        assert_eq!(ended, Exit::Interrupted);
    }

    #[tokio::test]
    async fn a_second_interrupt_does_not_wait_for_the_grace() {
        let interrupts = Interrupts::default();
        let twice = || {
            interrupts.stop.cancel();
            interrupts.now.cancel();
        };
        let ended = exit(&["deaf"], &interrupts, twice).await;
        assert_eq!(ended, Exit::Interrupted);
    }
}
