//! What this machine has, and whether a trial fits.

use super::{Demand, PlanError};
use crate::record::{HostRecord, TaskId};

/// What trials may share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Machine {
    pub cpus: f64,
    /// All of it, bytes.
    pub memory_bytes: u64,
}

impl Machine {
    /// The machine of a host record.
    pub fn of(host: &HostRecord) -> Self {
        Self {
            cpus: host.cpus as f64,
            memory_bytes: host.memory_bytes,
        }
    }

    /// Memory that trials may declare together: all but a reserve for the engine
    /// and the harness, an eighth and at most 1 GiB.
    pub fn memory_for_trials(&self) -> u64 {
        self.memory_bytes - (self.memory_bytes / 8).min(1 << 30)
    }
}

/// This machine, from `/proc`.
pub fn host_record() -> HostRecord {
    let line = |path: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.trim().to_owned()
    };
    let cpus = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    HostRecord {
        name: line("/proc/sys/kernel/hostname"),
        cpus,
        memory_bytes: total_memory(&line("/proc/meminfo")).unwrap_or(0),
        kernel: line("/proc/sys/kernel/osrelease"),
    }
}

fn total_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// What a trial of a task gets of what it asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Granted {
    pub demand: Demand,
    /// What was clamped; for the record of each trial.
    pub warnings: Vec<String>,
}

/// Clamps what a task can live with (fewer processors: slower), refuses what it
/// cannot (less memory: the agent would be killed for what the machine lacks).
///
/// Memory that fits the machine but not beside its reserve is granted; such a
/// trial runs alone.
///
/// # Errors
/// [`PlanError::Memory`] where the task needs more memory than the machine has.
pub fn check_demand(
    task: &TaskId,
    demand: Demand,
    machine: &Machine,
) -> Result<Granted, PlanError> {
    if demand.memory_bytes > machine.memory_bytes {
        return Err(PlanError::Memory {
            task: task.clone(),
            wanted_mib: demand.memory_bytes.div_ceil(1 << 20),
            machine_mib: machine.memory_bytes >> 20,
        });
    }
    let mut granted = Granted {
        demand,
        warnings: Vec::new(),
    };
    if demand.cpus > machine.cpus {
        granted.demand.cpus = machine.cpus;
        granted.warnings.push(format!(
            "{} cpus were asked for, {} are here: clamped, times are not comparable",
            demand.cpus, machine.cpus
        ));
    }
    if demand.memory_bytes > machine.memory_for_trials() {
        granted.warnings.push(format!(
            "the task declares {} MiB of the machine's {} MiB: its trials run alone",
            demand.memory_bytes >> 20,
            machine.memory_bytes >> 20
        ));
    }
    Ok(granted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;
    const SMALL: Machine = Machine {
        cpus: 2.0,
        memory_bytes: 4 * GIB,
    };

    fn ask(cpus: f64, memory_bytes: u64) -> Result<Granted, PlanError> {
        let demand = Demand { cpus, memory_bytes };
        check_demand(&TaskId::new("t"), demand, &SMALL)
    }

    #[test]
    fn too_many_cpus_are_clamped_with_a_warning() {
        let granted = ask(4.0, GIB).unwrap();
        assert_eq!(granted.demand.cpus, 2.0);
        assert_eq!(granted.warnings.len(), 1);
    }

    #[test]
    fn more_memory_than_there_is_is_refused() {
        let refused = ask(1.0, 5 * GIB).unwrap_err().to_string();
        assert!(
            refused.contains("5120 MiB") && refused.contains("4096 MiB"),
            "{refused}"
        );
    }

    #[test]
    fn memory_beside_which_nothing_fits_is_granted_alone() {
        assert_eq!(ask(1.0, 4 * GIB).unwrap().warnings.len(), 1);
        assert!(ask(1.0, 3 * GIB).unwrap().warnings.is_empty());
    }

    #[test]
    fn this_machine_says_what_it_has() {
        let host = host_record();
        assert!(host.cpus >= 1 && host.memory_bytes > 0 && !host.kernel.is_empty());
    }
}
