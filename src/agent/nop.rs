//! `nop`: does nothing. A task that it resolves asks for nothing.

use async_trait::async_trait;

use super::{Agent, Session, SessionError, instructed, reference};
use crate::record::{AgentRef, End};

pub struct Nop;

#[async_trait]
impl Agent for Nop {
    fn identity(&self) -> AgentRef {
        reference("nop")
    }

    async fn act(&self, session: &Session<'_>) -> Result<End, SessionError> {
        instructed(session)?;
        Ok(End::Done)
    }
}
