//! Quarto's tests under Deno.
//!
//! Must not know other output of Deno's.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use regex::{NoExpand, Regex};

use super::super::text::{pattern, strip};
use super::super::{FAILED, Input, PASSED, Raised, Statuses};

/// `[smoke] name ... ok` in colours, up to the errors. Temporary files in names are
/// counted; a test without a status failed.
pub fn quarto_cli(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    let mut files = Files::default();
    for line in input.log.split('\n') {
        if line.contains("ERRORS") || line.contains("failures:") {
            break;
        }
        if !line.contains("[smoke]") && !line.contains("[unit]") {
            continue;
        }
        let line = files.counted(line);
        let is_none = line.starts_with("test result:")
            || ["passed", "failed", "steps"]
                .iter()
                .all(|word| line.contains(word))
            || line.contains("34mINFO");
        if is_none {
            continue;
        }
        let name = strip(line.split("...").next().unwrap_or(&line));
        if line.contains("32mok") {
            statuses.insert(name, PASSED);
        } else if line.contains("31mFAILED") || !statuses.has(name) {
            statuses.insert(name, FAILED);
        }
    }
    Ok(())
}

/// The temporary files so far, by their number.
#[derive(Default)]
struct Files(HashMap<String, usize>);

impl Files {
    /// The line with the temporary files of one way of naming as the first one's number.
    fn counted<'a>(&mut self, line: &'a str) -> Cow<'a, str> {
        static NAMES: LazyLock<[Regex; 2]> =
            LazyLock::new(|| [r"/tmp/\w+\.qmd", r"/tmp/\w+/"].map(pattern));
        let mut line = Cow::Borrowed(line);
        for name in NAMES.iter() {
            let Some(found) = name.find(&line) else {
                continue;
            };
            let next = self.0.len();
            let number = *self.0.entry(found.as_str().to_owned()).or_insert(next);
            let plain = format!("/tmp/{number}");
            line = Cow::Owned(name.replace_all(&line, NoExpand(&plain)).into_owned());
        }
        line
    }
}
