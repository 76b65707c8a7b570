//! Jest without `--verbose`: a line for each file of tests.
//!
//! Must not know single tests.

use std::sync::LazyLock;

use regex::Regex;

use super::super::text::{pattern, strip};
use super::super::{FAILED, Input, PASSED, Raised, Statuses};

/// `PASS path (5 s)`: a time goes with all that stands behind it.
pub fn carbon(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static FILE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(PASS|FAIL)\s(.*)"));
    static TIMES: LazyLock<[Regex; 3]> = LazyLock::new(|| {
        ["ms", r"\ss", "s"].map(|unit| pattern(&format!(r"^(.*)\s\([\d\.]+{unit}\)")))
    });
    let lines = input.log.split('\n');
    for line in lines.filter(|line| line.starts_with(['P', 'F'])) {
        let Some(found) = FILE.captures(line) else {
            continue;
        };
        let (_, [word, rest]) = found.extract();
        let timed = TIMES.iter().find_map(|time| time.captures(rest)?.get(1));
        let name = timed.map_or(rest, |name| name.as_str());
        statuses.insert(name, if word == "PASS" { PASSED } else { FAILED });
    }
    Ok(())
}

/// The same for grommet, the failures first; a name may stand on the line below its word.
pub fn grommet(input: &Input<'_>, statuses: &mut Statuses) -> Result<(), Raised> {
    static FAIL: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^FAIL\s(.*)"));
    static PASS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^PASS\s(.*)"));
    static TIME: LazyLock<Regex> = LazyLock::new(|| pattern(r"\s\([\d\.]+\s?(?:ms|s)\)$"));
    for (file, status) in [(&FAIL, FAILED), (&PASS, PASSED)] {
        for found in file.captures_iter(input.log) {
            let (_, [name]) = found.extract();
            statuses.insert(&TIME.replace(strip(name), ""), status);
        }
    }
    Ok(())
}
