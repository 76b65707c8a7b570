//! Going in circles: the same calls with the same results, over and over.
//!
//! Owns what counts as a loop: N calls in a row that are the same and give the
//! same, one fewer where they fail, or two that alternate N − 1 times. Users of
//! other harnesses ask for just these (4, 3 and 6 calls where N is 4).

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What was called and what came of it, as far as a loop is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    hash: u64,
    failed: bool,
}

/// Watches calls for loops.
pub struct Circles {
    repeats: usize,
    steps: VecDeque<Step>,
}

impl Circles {
    /// `repeats`: how many of the same are a loop, 2 or more.
    pub fn new(repeats: u64) -> Self {
        Self {
            repeats: (repeats as usize).max(2),
            steps: VecDeque::new(),
        }
    }

    /// Takes a call with its result; says what the loop is, where it closes one.
    pub fn add(
        &mut self,
        tool: &str,
        arguments: &str,
        result: &str,
        failed: bool,
    ) -> Option<String> {
        let mut hasher = DefaultHasher::new();
        (tool, arguments, result).hash(&mut hasher);
        let step = Step {
            hash: hasher.finish(),
            failed,
        };
        self.steps.push_back(step);
        let alternation = 2 * (self.repeats - 1);
        while self.steps.len() > alternation.max(self.repeats) {
            self.steps.pop_front();
        }
        let same = self.steps.iter().rev().take_while(|seen| **seen == step);
        let same = same.count();
        let bound = match failed {
            true => (self.repeats - 1).max(2),
            false => self.repeats,
        };
        if same >= bound {
            let what = if failed { "error" } else { "result" };
            return Some(format!(
                "the same call of `{tool}` gave the same {what} {same} times in a row"
            ));
        }
        let last: Vec<Step> = self.steps.iter().rev().take(alternation).copied().collect();
        let alternates = last.len() == alternation
            && last.len() > 2
            && last[0] != last[1]
            && last.windows(3).all(|three| three[0] == three[2]);
        alternates.then(|| {
            format!(
                "two calls, the last one of `{tool}`, alternated {} times with the same results",
                self.repeats - 1
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many of these calls a loop is seen.
    fn closes(calls: &[(&str, &str, bool)]) -> Option<usize> {
        let mut circles = Circles::new(4);
        calls
            .iter()
            .position(|(arguments, result, failed)| {
                circles.add("bash", arguments, result, *failed).is_some()
            })
            .map(|at| at + 1)
    }

    #[test]
    fn four_of_the_same_are_a_loop_and_three_errors() {
        assert_eq!(closes(&[("ls", "a", false); 6]), Some(4));
        assert_eq!(closes(&[("ls", "no", true); 6]), Some(3));
    }

    #[test]
    fn another_result_is_progress() {
        let calls = [
            ("t", "1", false),
            ("t", "2", false),
            ("t", "3", false),
            ("t", "4", false),
        ];
        assert_eq!(closes(&calls), None);
    }

    #[test]
    fn two_that_alternate_are_a_loop() {
        let calls: Vec<_> = [("a", "1", false), ("b", "2", false)].repeat(4);
        assert_eq!(closes(&calls), Some(6));
        let broken = [("a", "1", false), ("b", "2", false), ("c", "3", false)].repeat(3);
        assert_eq!(closes(&broken), None);
    }
}
