//! `nop`: does nothing. A task that it resolves asks for nothing.

use async_trait::async_trait;

use super::{Agent, Session, SessionError, reference};
use crate::record::{AgentRef, End};

pub struct Nop;

#[async_trait]
impl Agent for Nop {
    fn identity(&self) -> AgentRef {
        reference("nop")
    }

    async fn act(&self, _: &Session<'_>) -> Result<End, SessionError> {
        Ok(End::Done)
    }
}
