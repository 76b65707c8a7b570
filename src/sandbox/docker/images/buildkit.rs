//! What only BuildKit can do, told from the text before anything is built.

use super::dockerfile::{DockerfileError, Instruction, leading_flags};

/// Stock frontends say nothing that the classic builder would not do by itself;
/// what only they can do is found at its own instruction.
pub(super) fn is_stock_frontend(frontend: &str) -> bool {
    let name = frontend.strip_prefix("docker.io/").unwrap_or(frontend);
    name.starts_with("docker/dockerfile:") || name == "docker/dockerfile"
}

pub(super) fn needs_buildkit(line: usize, what: &str) -> DockerfileError {
    DockerfileError {
        line,
        message: format!("needs BuildKit: {what} is beyond the engine's classic builder"),
    }
}

/// What an instruction has that only BuildKit can do.
pub(super) fn buildkit_feature(
    instruction: &Instruction,
    lines: &[&str],
) -> Option<DockerfileError> {
    let flags: &[&str] = match instruction.keyword.as_str() {
        "RUN" => &["--mount", "--network", "--security"],
        "COPY" => &["--link", "--chmod", "--parents", "--exclude"],
        "ADD" => &[
            "--link",
            "--chmod",
            "--checksum",
            "--keep-git-dir",
            "--exclude",
        ],
        _ => return None,
    };
    for flag in leading_flags(&instruction.arguments) {
        let name = flag.split('=').next().unwrap_or(flag);
        if flags.contains(&name) {
            let what = format!("{} {name}", instruction.keyword);
            return Some(needs_buildkit(instruction.line, &what));
        }
    }
    for word in instruction.arguments.split_whitespace() {
        let Some(end) = heredoc_end(word) else {
            continue;
        };
        // A shift or a quoted text has no line that would end it.
        let after = lines.iter().skip(instruction.line);
        if after
            .map(|line| line.trim_start_matches('\t'))
            .any(|line| line == end)
        {
            return Some(needs_buildkit(
                instruction.line,
                &format!("the here-document <<{end}"),
            ));
        }
    }
    None
}

/// The name that ends a here-document which this word would open.
fn heredoc_end(word: &str) -> Option<&str> {
    let (_, rest) = word
        .split_once("<<")
        .filter(|(fd, _)| fd.bytes().all(|byte| byte.is_ascii_digit()))?;
    let name = rest
        .strip_prefix('-')
        .unwrap_or(rest)
        .trim_matches(['"', '\'']);
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (plain && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::super::dockerfile::Dockerfile;

    fn refusal(text: &str) -> (usize, String) {
        let error = Dockerfile::parse(text).unwrap_err();
        (error.line, error.message)
    }

    #[test]
    fn what_needs_buildkit_is_named_with_its_line() {
        let (line, message) = refusal("FROM a\n\nRUN --mount=type=cache,target=/x true\n");
        assert_eq!(line, 3);
        insta::assert_snapshot!(message, @"needs BuildKit: RUN --mount is beyond the engine's classic builder");
        assert_eq!(refusal("FROM a\nCOPY --chmod=755 x /x\n").0, 2);
        assert_eq!(refusal("FROM a\nCOPY --from=b --link x /x\n").0, 2);
        assert_eq!(refusal("FROM a\nRUN <<EOF\ntrue\nEOF\n").0, 2);
        assert_eq!(refusal("FROM a\nCOPY <<-\"X\" /y\n\ttext\n\tX\n").0, 2);
        assert_eq!(refusal("# syntax=some/frontend:1\nFROM a\n").0, 1);
    }

    #[test]
    fn what_only_looks_like_buildkit_is_no_refusal() {
        for text in [
            "# syntax=docker/dockerfile:1\nFROM a\n",
            "FROM a\nRUN echo $((1 <<COUNT))\n",
            "FROM a\nRUN echo --mount\n",
            "FROM a\nHEALTHCHECK --interval=1s CMD true\n",
        ] {
            assert!(Dockerfile::parse(text).is_ok(), "{text}");
        }
    }
}
