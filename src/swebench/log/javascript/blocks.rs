//! Printed objects and lists in a log of p5.js.
//!
//! Must not know JSON: lines' ends are all that is looked at.

use super::super::text::strip_end;

/// A log without its blocks: lines that end in an opening bracket, up to a line that is
/// its closing bracket alone, and lines that are whole in brackets.
pub fn without(log: &str) -> String {
    let (mut object, mut list) = (false, false);
    let is_kept = |line: &&str| {
        let line = strip_end(line);
        match line {
            _ if line.ends_with('{') => object = true,
            _ if line.ends_with('[') => list = true,
            "}" if object => object = false,
            "]" if list => list = false,
            _ if object || list => {}
            _ if line.starts_with('{') && line.ends_with('}') => {}
            _ if line.starts_with('[') && line.ends_with(']') => {}
            _ => return true,
        }
        false
    };
    let mut out = String::with_capacity(log.len());
    for (number, line) in log.split('\n').filter(is_kept).enumerate() {
        if number > 0 {
            out.push('\n');
        }
        out.push_str(line);
    }
    out
}
