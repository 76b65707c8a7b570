//! How a reference solution that is a program stands in the trajectory: as one call, with
//! what came of it.

use super::{Session, SessionError};
use crate::record::End;
use crate::sandbox::ExecOutput;
use crate::trajectory::{Event, EventKind};

/// Records that this command begins.
pub fn called(command: &str, session: &Session<'_>) -> Result<(), SessionError> {
    session.tools.recorder().record(Event {
        id: Some("solve".into()),
        tool: Some("bash".into()),
        arguments: Some(serde_json::json!({ "command": command })),
        ..Event::new(EventKind::ToolCall)
    })?;
    Ok(())
}

/// Records how it ended, with the text that it printed; how the session ends by that.
pub fn told(ran: &ExecOutput, text: String, session: &Session<'_>) -> Result<End, SessionError> {
    let ok = ran.ended.success();
    session.tools.recorder().record(Event {
        id: Some("solve".into()),
        ok: Some(ok),
        output: Some(text),
        truncated: (ran.stdout.cut + ran.stderr.cut > 0).then_some(true),
        exit_code: ran.ended.code(),
        ms: Some(ran.elapsed.as_millis() as u64),
        ..Event::new(EventKind::ToolResult)
    })?;
    Ok(match ok {
        true => End::Done,
        false => End::AgentError,
    })
}
