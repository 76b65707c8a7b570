//! A sandbox that goes on running while it is verified: who stands still meanwhile, and
//! which services are started again.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::processes::others;
use super::refuse;
use crate::sandbox::spec::Serving;
use crate::sandbox::wire::Reply;
use crate::sandbox::{GuestError, GuestErrorKind};

/// How long everything may take to stand still, or to end.
const BOUND: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(1);
/// What the kernel keeps of a program's name (`TASK_COMM_LEN` less its end).
const COMM: usize = 15;

/// Stops every process but the helper, and makes sure of it: what is born meanwhile is
/// stopped too.
pub fn freeze() -> Result<Reply, GuestError> {
    let until = Instant::now() + BOUND;
    loop {
        signal_all(Signal::SIGSTOP)?;
        let moving: Vec<i32> = others().into_iter().filter(|pid| moves(*pid)).collect();
        if moving.is_empty() {
            let processes = others().len() as u32;
            return Ok(Reply::Killed { processes });
        }
        if Instant::now() >= until {
            let message = format!("{} processes do not stand still", moving.len());
            return Err(GuestError {
                kind: GuestErrorKind::Other,
                message,
            });
        }
        std::thread::sleep(PAUSE);
    }
}

/// Lets every process go on.
pub fn thaw() -> Result<Reply, GuestError> {
    signal_all(Signal::SIGCONT).map(|()| Reply::Ok)
}

fn signal_all(signal: Signal) -> Result<(), GuestError> {
    match kill(Pid::from_raw(-1), signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(refuse("signal everything", &error.into())),
    }
}

/// Ends every process that is one of this service's, with all that it started.
pub fn end_service(command: &[String], reap: &mut dyn FnMut()) -> Result<(), GuestError> {
    let until = Instant::now() + BOUND;
    loop {
        let all: Vec<Seen> = others().into_iter().filter_map(look).collect();
        let ending = of_service(&all, command);
        if ending.is_empty() {
            return Ok(());
        }
        for pid in &ending {
            let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
        }
        reap();
        if Instant::now() >= until {
            let message = format!("`{}` does not end", command.join(" "));
            return Err(GuestError {
                kind: GuestErrorKind::Other,
                message,
            });
        }
        std::thread::sleep(PAUSE);
    }
}

/// What can be seen of a process by anybody.
#[derive(Debug, Clone)]
struct Seen {
    pid: i32,
    parent: i32,
    name: String,
    argv: Vec<String>,
}

/// A service's own processes, and those that descend from them.
fn of_service(all: &[Seen], command: &[String]) -> BTreeSet<i32> {
    let mut found: BTreeSet<i32> = all
        .iter()
        .filter(|seen| is_of(seen, command))
        .map(|seen| seen.pid)
        .collect();
    loop {
        let more: Vec<i32> = all
            .iter()
            .filter(|seen| found.contains(&seen.parent) && !found.contains(&seen.pid))
            .map(|seen| seen.pid)
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// Whether a process was started by this command, or by another path of its program.
fn is_of(seen: &Seen, command: &[String]) -> bool {
    let Some(program) = command.first() else {
        return false;
    };
    let base = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let cut = |name: &str| name.bytes().take(COMM).collect::<Vec<u8>>();
    // An interpreter's name stands for every script: there all words have to agree.
    let interpreted = command.len() > 1
        && [
            "python", "node", "ruby", "perl", "sh", "bash", "java", "php",
        ]
        .iter()
        .any(|name| base(program).starts_with(name));
    let same_words = seen.argv.len() >= command.len()
        && base(&seen.argv[0]) == base(program)
        && seen.argv[1..command.len()] == command[1..];
    match interpreted {
        true => same_words,
        false => same_words || cut(&seen.name) == cut(&base(program)),
    }
}

fn look(pid: i32) -> Option<Seen> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (name, rest) = named(&stat)?;
    let mut fields = rest.split_whitespace();
    // One that ended and is not buried yet is nobody any more.
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    let parent = fields.next()?.parse().ok()?;
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = line.split(|byte| *byte == 0);
    let mut argv: Vec<String> = words
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    argv.pop();
    let name = name.to_owned();
    Some(Seen {
        pid,
        parent,
        name,
        argv,
    })
}

/// The name of proc_pid_stat(5), which may hold anything, and the fields after it.
fn named(stat: &str) -> Option<(&str, &str)> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    Some((name, after.trim_start()))
}

/// Whether a process could do something: it is neither stopped nor ended.
fn moves(pid: i32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    let state = named(&stat).and_then(|(_, rest)| rest.chars().next());
    !matches!(state, None | Some('T' | 't' | 'Z' | 'X'))
}

/// How far a service is.
pub fn serving(command: &[String], port: u16) -> Result<Serving, GuestError> {
    if listens(port)? {
        return Ok(Serving::Listens);
    }
    let all: Vec<Seen> = others().into_iter().filter_map(look).collect();
    Ok(match of_service(&all, command).is_empty() {
        true => Serving::Gone,
        false => Serving::Starts,
    })
}

/// Whether somebody listens on a port, of whatever address.
fn listens(port: u16) -> Result<bool, GuestError> {
    let mut found = false;
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = match fs::read_to_string(table) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(refuse(&format!("read {table}"), &error)),
        };
        found |= listed(&text, port);
    }
    Ok(found)
}

/// Whether a table of proc_net(5) has a socket in the state `LISTEN` (0A) on a port.
fn listed(table: &str, port: u16) -> bool {
    table.lines().skip(1).any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, state) = (fields.next(), fields.nth(1));
        let at = local.and_then(|local| local.rsplit_once(':'));
        let at = at.and_then(|(_, port)| u16::from_str_radix(port, 16).ok());
        at == Some(port) && state == Some("0A")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(pid: i32, parent: i32, name: &str, argv: &[&str]) -> Seen {
        Seen {
            pid,
            parent,
            name: name.into(),
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    fn found(command: &[&str]) -> Vec<i32> {
        let all = [
            seen(10, 1, "nginx", &["nginx: master process nginx"]),
            seen(11, 10, "nginx", &["nginx: worker process"]),
            seen(12, 11, "helper", &["/usr/bin/helper"]),
            seen(
                20,
                1,
                "python3",
                &["python3", "/srv/app.py", "--port", "80"],
            ),
            seen(21, 1, "python3", &["python3", "/home/notes.py"]),
            seen(30, 1, "sleep", &["sleep", "600"]),
        ];
        let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        of_service(&all, &command).into_iter().collect()
    }

    #[test]
    fn a_service_is_its_program_and_what_that_started() {
        assert_eq!(found(&["/usr/sbin/nginx"]), [10, 11, 12]);
        assert_eq!(found(&["sleep", "1"]), [30]);
        assert_eq!(found(&["redis-server"]), [0; 0]);
        assert_eq!(found(&[]), [0; 0]);
    }

    #[test]
    fn of_an_interpreter_the_script_counts() {
        assert_eq!(found(&["/usr/bin/python3", "/srv/app.py"]), [20]);
        assert_eq!(found(&["python3", "/srv/other.py"]), [0; 0]);
    }

    #[test]
    fn a_port_is_listened_on_where_the_table_says_so() {
        let table = "  sl  local_address rem_address   st tx_queue\n\
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n\
            1: 0100007F:0050 0100007F:9999 01 00000000:00000000\n";
        assert!(listed(table, 8080));
        assert!(!listed(table, 80));
        assert!(!listed(table, 443));
    }

    #[test]
    fn a_name_may_hold_anything() {
        assert_eq!(named("7 (a) b) S 1"), Some(("a) b", "S 1")));
        assert_eq!(named("nothing"), None);
    }

    #[test]
    fn who_runs_is_told_from_who_stands_still() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = child.id() as i32;
        assert!(moves(pid));
        kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
        let until = Instant::now() + BOUND;
        while moves(pid) && Instant::now() < until {
            std::thread::sleep(PAUSE);
        }
        assert!(!moves(pid));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
