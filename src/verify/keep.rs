//! What is kept of a verification: whole files, and last words.
//!
//! Owns atomic writing into a folder that somebody hands out. Must not know which
//! folder that is.

use std::io::Write;
use std::path::Path;

use super::junit::cut;
use crate::sandbox::Captured;

const LINE_BYTES: usize = 300;

/// Writes a file through a temporary name beside it, durable before it appears.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// An output as bytes, with a line that says what was cut.
pub(super) fn bytes(captured: &Captured) -> Vec<u8> {
    let mut bytes = captured.head.clone();
    if captured.cut > 0 {
        bytes.extend(format!("\n[… {} bytes cut …]\n", captured.cut).into_bytes());
        bytes.extend(&captured.tail);
    }
    bytes
}

/// The last line that is not blank, without control characters.
pub(super) fn last_line(text: &str) -> Option<String> {
    let line = text
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())?;
    Some(cut(line, LINE_BYTES))
}

/// The last `count` lines of the last output that has any, on one line.
pub(super) fn last_lines(outputs: &[&Captured], count: usize) -> String {
    for output in outputs.iter().rev() {
        let text = String::from_utf8_lossy(&bytes(output)).into_owned();
        let mut lines: Vec<String> = text
            .lines()
            .rev()
            .map(|line| cut(line.trim(), LINE_BYTES))
            .filter(|line| !line.is_empty())
            .take(count)
            .collect();
        if !lines.is_empty() {
            lines.reverse();
            return lines.join(" / ");
        }
    }
    String::new()
}
