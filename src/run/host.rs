//! The machine while a trial runs: its load, and the time that others took of it.

/// A look at the machine.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Load {
    /// Load average of one minute.
    pub load: f64,
    stolen: u64,
    ticks: u64,
}

/// Looks now; zeros where the system does not say.
pub fn host_load() -> Load {
    let first = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let load = first("/proc/loadavg")
        .split(' ')
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0.0);
    let (stolen, ticks) = processor_ticks(&first("/proc/stat"));
    Load {
        load,
        stolen,
        ticks,
    }
}

impl Load {
    /// The share of processor time that the hypervisor took since `before`, 0 to 1.
    pub fn steal_since(&self, before: &Load) -> f64 {
        match self.ticks.saturating_sub(before.ticks) {
            0 => 0.0,
            ticks => self.stolen.saturating_sub(before.stolen) as f64 / ticks as f64,
        }
    }
}

/// Stolen and all ticks of the first line of `/proc/stat`: user, nice, system,
/// idle, iowait, irq, softirq, steal (guest time is part of user).
fn processor_ticks(stat: &str) -> (u64, u64) {
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .take(8)
        .filter_map(|tick| tick.parse().ok())
        .collect();
    (ticks.get(7).copied().unwrap_or(0), ticks.iter().sum())
}

/// The time now, RFC 3339, UTC, milliseconds.
pub fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Millisecond)
        .unwrap_or(now)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steal_is_a_share_of_all_ticks() {
        let at = |text: &str| {
            let (stolen, ticks) = processor_ticks(text);
            Load {
                load: 0.0,
                stolen,
                ticks,
            }
        };
        let (before, after) = (
            at("cpu 10 0 0 80 0 0 0 10 5 5"),
            at("cpu 20 0 0 150 0 0 0 30 5 5"),
        );
        assert_eq!(after.steal_since(&before), 0.2);
        assert_eq!(before.steal_since(&before), 0.0);
    }
}
