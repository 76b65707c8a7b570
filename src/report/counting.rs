//! How far something is that takes a while: so many of so many, on standard error.

use std::io::Write;
use std::time::{Duration, Instant};

use console::Term;

/// What is done within it needs no progress.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two plain lines.
const LINE: Duration = Duration::from_secs(10);
/// Between two drawings in place.
const DRAW: Duration = Duration::from_millis(100);

/// Counts towards an end: in place on a terminal, else as a line now and then. Says
/// nothing of what is done within a second.
pub struct Counting {
    /// `audited`
    done: &'static str,
    /// `trials`
    what: &'static str,
    term: Term,
    next: Instant,
    drawn: bool,
}

impl Counting {
    /// Begins now.
    pub fn new(done: &'static str, what: &'static str) -> Self {
        Self {
            done,
            what,
            term: Term::stderr(),
            next: Instant::now() + PATIENCE,
            drawn: false,
        }
    }

    /// So many of so many are done.
    pub fn show(&mut self, done: usize, of: usize) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        let line = format!("{done} of {of} {} {}", self.what, self.done);
        if self.term.is_term() {
            self.clear();
            let _ = self.term.write_str(&line);
            self.drawn = true;
            self.next = now + DRAW;
        } else {
            let _ = writeln!(std::io::stderr(), "{line}");
            self.next = now + LINE;
        }
    }

    /// Takes the line in place away.
    pub fn end(&mut self) {
        self.clear();
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = self.term.clear_line();
        }
    }
}
