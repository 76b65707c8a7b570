//! The reference solutions of Terminal-Bench 1: `solution.sh` on a terminal, or the
//! commands of `solution.yaml` typed into one.
//!
//! Owns which keys a command is. Must not know how a terminal is played.

use std::path::Path;
use std::time::Duration;

use super::{AgentError, Session, SessionError, solving};
use crate::record::End;
use crate::sandbox::guest::terminal::{IN_VAIN, Keys, Play, Wait, login_shell};
use crate::sandbox::{
    Ended, Exec, ExecOutput, Interpreter, SandboxError, ShellCommand, User, shown, wire,
};
use crate::task::Task;
use crate::task::terminal_bench::{Command, commands};
use crate::tool::ToolError;
use crate::trajectory::Event;

/// Where the solution lies while it is performed; never part of a change.
const ORACLE: &str = "/oracle";
const SCRIPT: &str = "/oracle/solution.sh";
const OUTPUT_BYTES: u64 = 1 << 20;
/// The session's own limit ends it; this one only keeps the call finite.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

/// Whether a task has a solution that can be performed here.
pub fn fits(task: &Task) -> Result<(), AgentError> {
    let unfit = |reason: String| AgentError::Unfit {
        agent: "oracle".into(),
        task: task.id.to_string(),
        reason,
    };
    match &task.solution {
        None => Err(unfit("it has no solution.sh and no solution.yaml".into())),
        Some(path) if is_script(path) => Ok(()),
        Some(path) => commands(path)
            .map(drop)
            .map_err(|error| unfit(error.to_string())),
    }
}

fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|kind| kind == "sh")
}

/// Performs the solution that lies in this file.
pub async fn perform(path: &Path, session: &Session<'_>) -> Result<End, SessionError> {
    if is_script(path) {
        return script(path, session).await;
    }
    let commands = match commands(path) {
        Ok(commands) => commands,
        Err(error) => {
            let event = Event::harness("no_solution", error.to_string());
            session.tools.recorder().record(event)?;
            return Ok(End::AgentError);
        }
    };
    let shared = session.task.verification.same_shell;
    if shared && commands.iter().all(Command::ends) {
        return in_the_shell(&commands, session).await;
    }
    let typed: Vec<&str> = commands.iter().map(|one| one.command.as_str()).collect();
    let play = Play {
        argv: login_shell(),
        keys: commands.iter().map(keys).collect(),
        stays: true,
    };
    solving::called(&typed.join("\n"), session)?;
    let ran = on_terminal(&play, session).await?;
    told(&ran, session)?;
    Ok(match ran.ended {
        Ended::Exited(status) if status != i32::from(IN_VAIN) => End::Done,
        _ => End::AgentError,
    })
}

async fn script(path: &Path, session: &Session<'_>) -> Result<End, SessionError> {
    let sandbox = session.tools.sandbox();
    let read = std::fs::read(path).map_err(|source| {
        ToolError::from(SandboxError::Host {
            doing: "read the solution".into(),
            source,
        })
    })?;
    let laid = sandbox.write(SCRIPT, &read, Some(0o755), &User::Root).await;
    laid.map_err(ToolError::from)?;
    let command = format!("bash {SCRIPT}");
    // A shell goes on after it, so that what it leaves running does too.
    let play = Play {
        argv: login_shell(),
        keys: vec![Keys {
            keys: vec![command.clone()],
            wait: Wait::Done(LONGEST.as_millis() as u64),
        }],
        stays: true,
    };
    solving::called(&command, session)?;
    let ran = on_terminal(&play, session).await?;
    let gone = sandbox.unpack("/", &[ORACLE.into()], &[]).await;
    gone.map_err(ToolError::from)?;
    told(&ran, session)
}

/// Commands that are waited for go where the agent's own go, so that tests which run in
/// that shell find what they did to it.
async fn in_the_shell(commands: &[Command], session: &Session<'_>) -> Result<End, SessionError> {
    for command in commands {
        solving::called(&command.command, session)?;
        let ask = ShellCommand {
            interpreter: Interpreter::Shell,
            command: command.command.clone(),
            user: User::Default,
            timeout: command.most,
            output_bytes: OUTPUT_BYTES,
        };
        let ran = session.tools.sandbox().shell(ask).await;
        let ran = ran.map_err(ToolError::from)?;
        told(&ran, session)?;
        if ran.ended == Ended::TimedOut {
            return Ok(End::AgentError);
        }
    }
    Ok(End::Done)
}

async fn on_terminal(play: &Play, session: &Session<'_>) -> Result<ExecOutput, SessionError> {
    let sandbox = session.tools.sandbox();
    let ran = sandbox
        .exec(Exec {
            stdin: serde_json::to_vec(play).unwrap_or_default(),
            timeout: LONGEST,
            output_bytes: OUTPUT_BYTES,
            ..Exec::new([wire::HELPER, "terminal"])
        })
        .await;
    Ok(ran.map_err(ToolError::from)?)
}

/// What is typed for a command, and what follows. Only a line that is sent can be waited
/// for: Enter, and line ends before it, give way to what tells of its end.
fn keys(command: &Command) -> Keys {
    let sent = command.enter || command.command.ends_with(['\n', '\r']);
    let mut keys = vec![command.command.clone()];
    if command.block && sent {
        let line = command.command.trim_end_matches(['\n', '\r']).to_owned();
        return Keys {
            keys: vec![line],
            wait: Wait::Done(command.most.as_millis() as u64),
        };
    }
    if command.enter {
        keys.push("Enter".to_owned());
    }
    Keys {
        keys,
        wait: Wait::Least(command.least.as_millis() as u64),
    }
}

/// What a terminal shows of it, with no control sequence.
fn told(ran: &ExecOutput, session: &Session<'_>) -> Result<End, SessionError> {
    let text = format!("{}{}", ran.stdout.text(), ran.stderr.text());
    solving::told(ran, shown(text.as_bytes()), session)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str, block: bool, enter: bool) -> Command {
        Command {
            command: text.into(),
            block,
            least: Duration::from_millis(500),
            most: Duration::from_secs(180),
            enter,
        }
    }

    #[test]
    fn only_a_line_that_is_sent_is_waited_for() {
        let of = |text, block, enter| {
            let keys = keys(&command(text, block, enter));
            (keys.keys.join("+"), keys.wait)
        };
        let (done, least) = (Wait::Done(180_000), Wait::Least(500));
        assert_eq!(of("make", true, true), ("make".into(), done));
        assert_eq!(of("make\n\n", true, false), ("make".into(), done));
        assert_eq!(of("make", true, false), ("make".into(), least));
        assert_eq!(of("vim x", false, true), ("vim x+Enter".into(), least));
        assert_eq!(of("Escape", false, false), ("Escape".into(), least));
    }
}
