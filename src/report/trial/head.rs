//! What a trial was, how it ended, and where its time, tokens and money went.
//!
//! Owns the first lines of a trial. Must not know what happened in between.

use crate::record::{Evidence, Timing, TrialRecord, Usage};
use crate::report::line::{label, why};
use crate::report::number::{money, thousands};
use crate::report::style::{Style, word};
use crate::report::text::{clock, plural, sanitize, width};
use crate::report::warning_text;
use crate::run::Phase;

/// The share of a trial's time from which on a phase has a term of its own.
const WORTH: f64 = 0.03;

/// Below this many milliseconds a wait is not worth a term.
const SHORT: u64 = 50;

pub(super) fn head(record: &TrialRecord, columns: usize, style: Style) -> Vec<String> {
    let model = record.model.as_ref().map(|model| model.id.as_str());
    let who = format!(
        "{} · {} · attempt {}",
        sanitize(record.task.name.as_str()),
        label(&record.agent.name, model),
        record.attempt
    );
    let evidence = match record.verdict.evidence {
        Some(Evidence::Probed) => " · probed",
        Some(Evidence::Records) => " · records",
        Some(Evidence::Asserted) => " · asserted",
        None => "",
    };
    let verdict = format!(
        "{}{evidence} · ended {}",
        style.outcome(record.outcome, word(record.outcome)),
        record.trajectory.end
    );
    let who = style.bold(&who);
    let mut lines = match width(&who) + 3 + width(&verdict) <= columns {
        true => vec![format!("{who}   {verdict}")],
        false => vec![who, format!("  {verdict}")],
    };
    let mut below = vec![why(record), times(&record.timing_ms)];
    if record.model.is_some() {
        below.push(length(record));
        below.push(spent(record));
    }
    below.retain(|line| !line.is_empty());
    lines.extend(below.iter().map(|line| format!("  {line}")));
    for warning in &record.warnings {
        lines.push(format!("  {}", style.warn(&warning_text(warning))));
    }
    lines
}

/// `9 turns · 14 calls · 1 error`.
fn length(record: &TrialRecord) -> String {
    let trajectory = &record.trajectory;
    let mut parts = vec![
        plural(trajectory.turns as usize, "turn"),
        plural(trajectory.tool_calls as usize, "call"),
    ];
    if trajectory.tool_errors > 0 {
        parts.push(plural(trajectory.tool_errors as usize, "error"));
    }
    parts.join(" · ")
}

/// `31 k tokens = input 24 k + cached 5.2 k + output 1.8 k · $0.021`.
fn spent(record: &TrialRecord) -> String {
    let Usage {
        input,
        cache_read,
        cache_write,
        output,
        reasoning,
    } = record.usage;
    let terms: Vec<String> = [
        ("input", input),
        ("cached", cache_read),
        ("to cache", cache_write),
        ("output", output),
        ("reasoning", reasoning),
    ]
    .into_iter()
    .filter(|(_, tokens)| *tokens > 0)
    .map(|(name, tokens)| format!("{name} {}", thousands(tokens as f64)))
    .collect();
    let tokens = match record.usage.total() {
        0 => "no tokens told".to_owned(),
        all => format!("{} tokens = {}", thousands(all as f64), terms.join(" + ")),
    };
    match record.cost_microusd {
        Some(cost) => format!("{tokens} · {}", money(cost as f64)),
        None => format!("{tokens} · unpriced"),
    }
}

/// `17.2 s = model 9.1 + waits 0.4 + tools 4.4 + verify 2.9 + rest 0.4`; the queue
/// beside it. The terms add up as they are shown.
fn times(timing: &Timing) -> String {
    let tenths = |ms: u64| (ms + 50) / 100;
    let shown = |tenths: u64| format!("{}.{}", tenths / 10, tenths % 10);
    let wall = timing.total.saturating_sub(timing.queue);
    let mut rest = tenths(wall);
    let mut sum = Vec::new();
    for phase in Phase::ALL {
        let ms = phase.of(timing);
        let told = match phase {
            Phase::Queue => false,
            Phase::ModelWait => ms >= SHORT,
            _ => ms as f64 >= wall as f64 * WORTH && ms >= SHORT,
        };
        if told && tenths(ms) <= rest {
            rest -= tenths(ms);
            sum.push(format!("{} {}", name(phase), shown(tenths(ms))));
        }
    }
    if rest > 0 && !sum.is_empty() {
        sum.push(format!("rest {}", shown(rest)));
    }
    let mut line = format!("{} s", shown(tenths(wall)));
    if !sum.is_empty() {
        line.push_str(&format!(" = {}", sum.join(" + ")));
    }
    if timing.queue >= 1000 {
        line.push_str(&format!(
            " · queued {}",
            clock(timing.queue as f64 / 1000.0)
        ));
    }
    line
}

fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::ModelWait => "waits",
        phase => phase.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terms_of_a_time_add_up_as_they_are_shown() {
        let timing = Timing {
            queue: 4_000,
            sandbox: 349,
            model: 9_149,
            model_wait: 380,
            tools: 4_449,
            verify: 2_920,
            teardown: 2,
            total: 4_000 + 17_249,
            ..Timing::default()
        };
        assert_eq!(
            times(&timing),
            "17.2 s = model 9.1 + waits 0.4 + tools 4.4 + verify 2.9 + rest 0.4 · queued 0:04"
        );
        assert_eq!(times(&Timing::default()), "0.0 s");
    }
}
