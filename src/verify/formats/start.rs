//! How a runner is started, and where its report is found.
//!
//! Owns the way from a task's own start command to an argument vector. Must not
//! know any runner's options.

/// Where a report comes from, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// An open file descriptor that records leave by as they happen; its number is
    /// the caller's, and stands in the argument vector.
    Descriptor,
    /// Standard output, and nothing else.
    Stdout,
    /// A file in the sandbox, read when every process is dead.
    File(&'static str),
}

/// A runner's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    pub argv: Vec<String>,
    pub channel: Channel,
}

/// The words of a start command with arguments behind them.
///
/// Plain words (letters, digits and `_@%+=:,./-`, the first without `=`) are taken
/// as they are, so that no shell is needed; anything else is given to `sh -c` with
/// the arguments behind it.
pub(super) fn argv<'a>(start: &str, arguments: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut argv: Vec<String> = if is_plain(start) {
        start.split_whitespace().map(str::to_owned).collect()
    } else {
        shell(&format!("{start} \"$@\""))
    };
    argv.extend(arguments.into_iter().map(str::to_owned));
    argv
}

/// The same with standard error joined to standard output, in the order in which
/// both were written.
pub(super) fn joined<'a>(start: &str, arguments: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut argv = shell(&format!("{start} \"$@\" 2>&1"));
    argv.extend(arguments.into_iter().map(str::to_owned));
    argv
}

/// A path that no runner takes for an option.
pub(super) fn path(file: &str) -> String {
    match file.strip_prefix('-') {
        Some(_) => format!("./{file}"),
        None => file.to_owned(),
    }
}

fn shell(script: &str) -> Vec<String> {
    ["sh", "-c", script, "sh"].map(str::to_owned).to_vec()
}

/// Whether a start command needs no shell.
pub fn is_plain(start: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./- \t".contains(&byte);
    let first = start.split_whitespace().next();
    start.bytes().all(known) && first.is_some_and(|word| !word.contains('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_need_no_shell() {
        assert_eq!(argv("a -b c/d", ["e f"]), ["a", "-b", "c/d", "e f"]);
        for start in ["cd x && a", "A=1 a", "'my a'"] {
            let script = format!("{start} \"$@\"");
            assert_eq!(argv(start, ["e"]), ["sh", "-c", &script, "sh", "e"]);
        }
        assert_eq!(joined("a", ["e"]), ["sh", "-c", "a \"$@\" 2>&1", "sh", "e"]);
        assert_eq!(path("-x.js"), "./-x.js");
    }
}
