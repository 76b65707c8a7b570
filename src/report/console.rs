//! The listeners of one invocation, and the task that feeds them.

use std::io;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{JsonLines, Plain, Reporter, Style, Terminal};
use crate::run::{Events, RunEvent};

/// How often listeners hear that time has passed.
const TICK: Duration = Duration::from_millis(250);

/// How progress is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProgressMode {
    /// In place on a terminal, else as plain lines.
    #[default]
    Auto,
    Plain,
    None,
}

/// What an invocation shows while it runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct View {
    /// Events as JSON lines on standard output.
    pub json: bool,
    /// On standard error.
    pub progress: ProgressMode,
}

impl View {
    fn reporters(self) -> Vec<Box<dyn Reporter>> {
        let mut reporters: Vec<Box<dyn Reporter>> = Vec::new();
        if self.json {
            reporters.push(Box::new(JsonLines::new(io::stdout())));
        }
        let in_place = self.progress == ProgressMode::Auto && console::Term::stderr().is_term();
        match self.progress {
            ProgressMode::None => {}
            _ if in_place => reporters.push(Box::new(Terminal::new(Style::stderr()))),
            _ => reporters.push(Box::new(Plain::new(io::stderr()))),
        }
        reporters
    }
}

/// Feeds listeners with what is sent to its [`Events`], from before a run begins
/// until [`Console::close`].
#[derive(Debug)]
pub struct Console {
    events: Events,
    closing: CancellationToken,
    task: JoinHandle<()>,
}

impl Console {
    /// Starts listening; needs the runtime.
    pub fn start(view: View) -> Self {
        let (events, receiver) = Events::channel();
        let closing = CancellationToken::new();
        let task = tokio::spawn(feed(view.reporters(), receiver, closing.clone()));
        Self {
            events,
            closing,
            task,
        }
    }

    /// Where events go.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Shows what was sent so far and lets go of the terminal.
    pub async fn close(self) {
        self.closing.cancel();
        if let Err(error) = self.task.await {
            tracing::warn!("progress ended early: {error}");
        }
    }
}

async fn feed(
    mut reporters: Vec<Box<dyn Reporter>>,
    mut receiver: UnboundedReceiver<RunEvent>,
    closing: CancellationToken,
) {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            biased;
            event = receiver.recv() => match event {
                Some(event) => reporters.iter_mut().for_each(|r| r.event(&event)),
                None => return,
            },
            // Everything sent before has been shown: this arm is polled second.
            () = closing.cancelled() => return,
            _ = ticks.tick() => reporters.iter_mut().for_each(|r| r.tick()),
        }
    }
}
