//! Which tasks of many are meant.

use globset::GlobBuilder;

use super::{Task, TaskError};

/// Whether a filter names a task: shell-style globs on its name, several with
/// commas between, one of which must match. A glob without `/` also matches the
/// part of the name after its last `/`; `*` matches `/` too.
pub fn matches(pattern: &str, task: &Task) -> Result<bool, TaskError> {
    matches_name(pattern, task.id.as_str())
}

/// The same by the task's name alone.
pub fn matches_name(pattern: &str, name: &str) -> Result<bool, TaskError> {
    let last = name.rsplit('/').next().unwrap_or(name);
    let mut found = false;
    for glob in alternatives(pattern) {
        let matcher = GlobBuilder::new(glob)
            .build()
            .map_err(|source| TaskError::Filter {
                pattern: pattern.to_string(),
                source,
            })?
            .compile_matcher();
        found |= matcher.is_match(name) || (!glob.contains('/') && matcher.is_match(last));
    }
    Ok(found)
}

/// The globs between commas that are not inside braces.
fn alternatives(pattern: &str) -> Vec<&str> {
    let mut depth = 0i32;
    pattern
        .split(|sign| {
            match sign {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            sign == ',' && depth <= 0
        })
        .map(str::trim)
        .filter(|glob| !glob.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_the_name_or_its_last_part() {
        let name = "repo/glob-star";
        for glob in [
            "repo/*",
            "glob-*",
            "*star",
            "a,repo/glob-star",
            "{x,glob}-star",
        ] {
            assert!(matches_name(glob, name).unwrap(), "{glob}");
        }
        for glob in ["terminal/*", "glob", "", "repo"] {
            assert!(!matches_name(glob, name).unwrap(), "{glob}");
        }
    }

    #[test]
    fn a_filter_that_is_none_says_so() {
        let error = matches_name("repo/[", "repo/x").unwrap_err();
        assert_eq!(error.to_string(), "`repo/[` is not a filter");
    }
}
