//! What a Dockerfile says, as far as we must know: its instructions with their
//! lines, the images it starts from, and whether the classic builder can do it.
//!
//! Owns no I/O and knows no engine: text in, values or a line number out.

use std::collections::BTreeMap;

use regex::Regex;

/// One instruction, its continuation lines joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// First line of it, from 1.
    pub line: usize,
    /// Upper case.
    pub keyword: String,
    /// The rest, one line.
    pub arguments: String,
    /// As written, with its line breaks.
    pub source: String,
}

/// A reference to an image, in `FROM` or `COPY --from`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub line: usize,
    /// Index of the instruction.
    pub instruction: usize,
    /// The image, build arguments before the first `FROM` filled in.
    pub image: String,
}

/// A parsed Dockerfile.
#[derive(Debug, Clone)]
pub struct Dockerfile {
    pub instructions: Vec<Instruction>,
    /// Images from outside of the file; neither `scratch` nor its own stages.
    pub references: Vec<Reference>,
    /// Whether the escape character is the back quote.
    pub backtick: bool,
}

/// Why a Dockerfile cannot be built here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DockerfileError {
    pub line: usize,
    pub message: String,
}

impl Dockerfile {
    /// Reads a Dockerfile's text.
    ///
    /// # Errors
    /// Where it has no `FROM`, a reference cannot be told, or it needs BuildKit.
    pub fn parse(text: &str) -> Result<Self, DockerfileError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines: Vec<&str> = text.lines().collect();
        let directives = directives(&lines);
        if let Some((line, frontend)) = directives.get("syntax")
            && !is_stock_frontend(frontend)
        {
            return Err(needs_buildkit(*line, &format!("the syntax {frontend}")));
        }
        let backtick = directives
            .get("escape")
            .is_some_and(|(_, value)| value == "`");
        let instructions = instructions(&lines, if backtick { '`' } else { '\\' });
        if let Some(problem) = instructions
            .iter()
            .find_map(|instruction| buildkit_feature(instruction, &lines))
        {
            return Err(problem);
        }
        let references = references(&instructions)?;
        Ok(Self {
            instructions,
            references,
            backtick,
        })
    }
}

/// `# key=value` lines at the very top.
fn directives(lines: &[&str]) -> BTreeMap<String, (usize, String)> {
    let mut found = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(comment) = line.trim().strip_prefix('#') else {
            break;
        };
        let Some((key, value)) = comment.split_once('=') else {
            break;
        };
        let key = key.trim().to_ascii_lowercase();
        if key.is_empty() || key.contains(char::is_whitespace) {
            break;
        }
        found.insert(key, (index + 1, value.trim().to_owned()));
    }
    found
}

/// Stock frontends say nothing that the classic builder would not do by itself;
/// what only they can do is found at its own instruction.
fn is_stock_frontend(frontend: &str) -> bool {
    let name = frontend.strip_prefix("docker.io/").unwrap_or(frontend);
    name.starts_with("docker/dockerfile:") || name == "docker/dockerfile"
}

fn instructions(lines: &[&str], escape: char) -> Vec<Instruction> {
    let mut found = Vec::new();
    let mut index = 0;
    while index < lines.len() {
        let first = lines[index].trim_start();
        if first.is_empty() || first.starts_with('#') {
            index += 1;
            continue;
        }
        let start = index;
        let mut joined = String::new();
        while index < lines.len() {
            let line = lines[index];
            index += 1;
            // Comments and empty lines between continuation lines are skipped.
            let inner = line.trim_start();
            if index - 1 > start && (inner.is_empty() || inner.starts_with('#')) {
                continue;
            }
            match line.trim_end().strip_suffix(escape) {
                Some(head) => joined.push_str(head),
                None => {
                    joined.push_str(line);
                    break;
                }
            }
        }
        let joined = joined.trim();
        let (keyword, arguments) = joined
            .split_once(char::is_whitespace)
            .unwrap_or((joined, ""));
        found.push(Instruction {
            line: start + 1,
            keyword: keyword.to_ascii_uppercase(),
            arguments: arguments.trim().to_owned(),
            source: lines[start..index].join("\n"),
        });
    }
    found
}

fn needs_buildkit(line: usize, what: &str) -> DockerfileError {
    DockerfileError {
        line,
        message: format!("needs BuildKit: {what} is beyond the engine's classic builder"),
    }
}

/// What an instruction has that only BuildKit can do.
fn buildkit_feature(instruction: &Instruction, lines: &[&str]) -> Option<DockerfileError> {
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

fn leading_flags(arguments: &str) -> impl Iterator<Item = &str> {
    arguments
        .split_whitespace()
        .take_while(|word| word.starts_with("--"))
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

fn references(instructions: &[Instruction]) -> Result<Vec<Reference>, DockerfileError> {
    let mut arguments: BTreeMap<String, String> = BTreeMap::new();
    let mut stages: Vec<Option<String>> = Vec::new();
    let mut found = Vec::new();
    for (index, instruction) in instructions.iter().enumerate() {
        let line = instruction.line;
        let mut refer = |image: String, stages: &[Option<String>]| {
            let own = stages
                .iter()
                .flatten()
                .any(|stage| stage.eq_ignore_ascii_case(&image));
            if !own && image != "scratch" {
                found.push(Reference {
                    line,
                    instruction: index,
                    image,
                });
            }
        };
        match instruction.keyword.as_str() {
            "ARG" if stages.is_empty() => {
                if let Some((name, value)) = instruction.arguments.split_once('=') {
                    let value = fill(value.trim_matches(['"', '\'']), &arguments, line)?;
                    arguments.insert(name.trim().to_owned(), value);
                }
            }
            "FROM" => {
                let from = FromLine::parse(instruction)?;
                refer(fill(from.image, &arguments, line)?, &stages);
                stages.push(from.stage.map(str::to_owned));
            }
            "COPY" => {
                let from = leading_flags(&instruction.arguments)
                    .find_map(|flag| flag.strip_prefix("--from="));
                let earlier = |text: &str| {
                    text.parse::<usize>()
                        .is_ok_and(|number| number < stages.len())
                };
                if let Some(image) = from.filter(|image| !earlier(image)) {
                    refer(image.to_owned(), &stages);
                }
            }
            _ => {}
        }
    }
    if stages.is_empty() {
        return Err(DockerfileError {
            line: instructions.first().map_or(1, |first| first.line),
            message: "no FROM: a Dockerfile begins with the image it starts from".into(),
        });
    }
    Ok(found)
}

/// The parts of a `FROM` line.
pub(super) struct FromLine<'a> {
    /// `--platform=…`, as written.
    pub flags: Vec<&'a str>,
    pub image: &'a str,
    pub stage: Option<&'a str>,
}

impl<'a> FromLine<'a> {
    pub(super) fn parse(instruction: &'a Instruction) -> Result<Self, DockerfileError> {
        let flags: Vec<&str> = leading_flags(&instruction.arguments).collect();
        let words: Vec<&str> = instruction
            .arguments
            .split_whitespace()
            .skip(flags.len())
            .collect();
        let (image, stage) = match words.as_slice() {
            [image] => (*image, None),
            [image, r#as, stage] if r#as.eq_ignore_ascii_case("as") => (*image, Some(*stage)),
            _ => {
                return Err(DockerfileError {
                    line: instruction.line,
                    message: "FROM is followed by an image, and perhaps by AS and a name".into(),
                });
            }
        };
        Ok(Self {
            flags,
            image,
            stage,
        })
    }
}

/// Fills in `$NAME`, `${NAME}` and `${NAME:-default}`.
fn fill(
    text: &str,
    arguments: &BTreeMap<String, String>,
    line: usize,
) -> Result<String, DockerfileError> {
    if !text.contains('$') {
        return Ok(text.to_owned());
    }
    let pattern =
        Regex::new(r"\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})").map_err(|error| DockerfileError {
            line,
            message: error.to_string(),
        })?;
    let mut missing = None;
    let filled = pattern.replace_all(text, |found: &regex::Captures<'_>| {
        let name = found
            .get(1)
            .or(found.get(2))
            .map_or("", |name| name.as_str());
        let value = arguments.get(name).map(String::as_str);
        match value.or(found.get(3).map(|default| default.as_str())) {
            Some(value) => value.to_owned(),
            None => {
                missing.get_or_insert(name.to_owned());
                String::new()
            }
        }
    });
    match missing {
        Some(name) => Err(DockerfileError {
            line,
            message: format!("FROM uses ${name}, which no ARG before it gives a value"),
        }),
        None => Ok(filled.into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn images(text: &str) -> Vec<(usize, String)> {
        Dockerfile::parse(text)
            .unwrap()
            .references
            .into_iter()
            .map(|reference| (reference.line, reference.image))
            .collect()
    }

    fn refusal(text: &str) -> (usize, String) {
        let error = Dockerfile::parse(text).unwrap_err();
        (error.line, error.message)
    }

    #[test]
    fn every_from_of_a_multi_stage_file_is_found() {
        let text = "ARG TAG=12\nFROM --platform=linux/amd64 debian:${TAG} AS build\nRUN true\n\
                    FROM proofyard/python\nCOPY --from=build /a /a\nCOPY --from=0 /b /b\n\
                    COPY --from=some/tool:1 /c /c\nFROM build\nFROM scratch\n";
        assert_eq!(
            images(text),
            [
                (2, "debian:12".into()),
                (4, "proofyard/python".into()),
                (7, "some/tool:1".into())
            ]
        );
    }

    #[test]
    fn continuation_lines_keep_the_line_of_their_first() {
        let file = Dockerfile::parse("FROM a\nRUN x \\\n  # why\n\n  && y\nENV A=1\n").unwrap();
        let lines: Vec<_> = file
            .instructions
            .iter()
            .map(|instruction| (instruction.line, instruction.arguments.as_str()))
            .collect();
        assert_eq!(lines, [(1, "a"), (2, "x   && y"), (6, "A=1")]);
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

    #[test]
    fn a_base_that_cannot_be_told_is_an_error() {
        assert_eq!(refusal("FROM ${BASE}\n").0, 1);
        assert_eq!(refusal("FROM a b\n").0, 1);
        assert_eq!(refusal("RUN true\n").0, 1);
        assert_eq!(refusal("").0, 1);
        assert_eq!(
            images("FROM ${BASE:-debian:12}\n"),
            [(1, "debian:12".into())]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(FROM|RUN|ARG|COPY|#|\\\\|\\$\\{|<<| |\n|=|a|--from=|\t|é){0,60}") {
            if let Ok(file) = Dockerfile::parse(&text) {
                let lines = text.lines().count();
                prop_assert!(file.instructions.iter().all(|one| one.line >= 1 && one.line <= lines));
            }
        }
    }
}
