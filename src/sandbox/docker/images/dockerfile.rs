//! What a Dockerfile says, as far as we must know: its instructions with their
//! lines, the images it starts from, and whether the classic builder can do it.
//!
//! Owns no I/O and knows no engine: text in, values or a line number out.

use std::collections::BTreeMap;

use regex::Regex;

use super::buildkit::{buildkit_feature, is_stock_frontend, needs_buildkit};

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

pub(super) fn leading_flags(arguments: &str) -> impl Iterator<Item = &str> {
    arguments
        .split_whitespace()
        .take_while(|word| word.starts_with("--"))
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
