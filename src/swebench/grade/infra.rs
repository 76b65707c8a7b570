//! Signs in a log that the environment, not the patch, is what failed (5.0). They advise
//! and decide nothing.

use std::sync::LazyLock;

use regex::Regex;

use super::text;

/// What a log says of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Infra {
    /// The official name of the reason.
    pub reason: &'static str,
    pub tier: Tier,
}

/// Whose fault a sign is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// No patch of sources causes it.
    Environment,
    /// The environment's, or the patch's.
    Ambiguous,
}

/// Reason, tier, pattern: in this order, of which the first that is found holds.
const SIGNS: [(&str, Tier, &str); 8] = [
    (
        "browser_launch_failed",
        Tier::Environment,
        "Failed to launch|Failed to connect to the bus",
    ),
    (
        "display_unavailable",
        Tier::Environment,
        "cannot open display|Missing X server|unable to open X display",
    ),
    (
        "out_of_memory",
        Tier::Environment,
        "Cannot allocate memory|OutOfMemoryError|^Killed$",
    ),
    (
        "container_unavailable",
        Tier::Environment,
        "Error response from daemon|Cannot connect to the Docker daemon",
    ),
    (
        "network_unreachable",
        Tier::Environment,
        "Could not resolve host|Temporary failure in name resolution",
    ),
    (
        "missing_module",
        Tier::Ambiguous,
        "Cannot find module|MODULE_NOT_FOUND|ModuleNotFoundError",
    ),
    (
        "no_tests_collected",
        Tier::Ambiguous,
        "no tests ran|collected 0 items",
    ),
    (
        "tests_timed_out",
        Tier::Ambiguous,
        r"Timeout error: \d+ seconds exceeded",
    ),
];

/// What the logs of an instance say together, as the run's summary asks: the tests'
/// output and the log of the run, as far as they are there.
pub fn classify(logs: &[&[u8]]) -> Option<Infra> {
    let texts: Vec<_> = logs.iter().map(|log| text::lossy(log)).collect();
    first(|sign| texts.iter().any(|text| sign.is_match(text)))
}

/// What one text says.
pub(super) fn classify_text(text: &str) -> Option<Infra> {
    first(|sign| sign.is_match(text))
}

fn first(found: impl Fn(&Regex) -> bool) -> Option<Infra> {
    static PATTERNS: LazyLock<Vec<(Infra, Regex)>> = LazyLock::new(|| {
        let compiled = |(reason, tier, pattern): (_, _, &str)| {
            let pattern = Regex::new(&format!("(?m){pattern}")).expect("a constant pattern");
            (Infra { reason, tier }, pattern)
        };
        SIGNS.map(compiled).into()
    });
    PATTERNS
        .iter()
        .find(|(_, pattern)| found(pattern))
        .map(|(infra, _)| *infra)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_signs_decides_not_that_of_logs() {
        let found = classify(&[b"collected 0 items\n", b"x\r\nKilled"]).unwrap();
        assert_eq!(found.reason, "out_of_memory");
        assert_eq!(found.tier, Tier::Environment);
        assert_eq!(classify(&[b"a Killed b", b"\xff"]), None);
        assert_eq!(classify(&[]), None);
    }
}
