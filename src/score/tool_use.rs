//! Stand-in until the rules land.
use crate::record::{Flag, Reason, ToolUse};
use crate::task::ToolRules;
use crate::trajectory::Event;
/// What is said of the calls of a trial.
#[derive(Debug, Default)]
pub struct ToolJudgement {
    pub tool_use: Option<ToolUse>,
    pub flags: Vec<Flag>,
    pub unmet: Option<(Reason, String)>,
}
/// Judges.
pub fn judge_tools(_: &ToolRules, _: &[Event], _: Option<&[String]>) -> ToolJudgement {
    ToolJudgement::default()
}
