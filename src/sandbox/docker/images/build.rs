//! One build by the engine's classic builder: the context goes in, steps come out.
//!
//! Owns the log, the progress and the failure's place. Dropping the future closes
//! the connection, upon which the engine ends the build and removes its container.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::BuildInfo;
use bollard::query_parameters::BuildImageOptionsBuilder;
use bollard::{Docker, body_try_stream};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::io::AsyncReadExt;

use super::context::SENT_DOCKERFILE;
use super::error::{BuildFailure, ImageError};
use super::host::BuildHost;
use super::layers::Layers;
use super::recipe::Recipe;
use super::rewrite::{KIND, Sent};
use super::text::{Tail, plain};
use super::{ImageProgress, Progress};

/// The label with the recipe's digest.
pub(super) const RECIPE: &str = "proofyard.recipe";
/// Lines of the log that an error carries.
pub(super) const TAIL: usize = 15;
/// Longest log, bytes; what is beyond is not kept.
const MOST_LOG: u64 = 64 << 20;
/// Longest line that is kept together, bytes.
const MOST_LINE: usize = 64 << 10;

/// A build to be performed.
pub(super) struct Build<'a> {
    pub docker: &'a Docker,
    pub recipe: &'a Recipe,
    /// What the image is called.
    pub tag: String,
    pub sent: Sent,
    pub host: BuildHost,
    /// Whether steps that earlier builds took may be used.
    pub cached: bool,
    pub timeout: Duration,
    pub state: &'a Path,
    pub layers: &'a Layers,
    pub progress: &'a Progress<'a>,
}

impl Build<'_> {
    /// Builds and tags with the recipe's digest.
    pub(super) async fn run(self) -> Result<(), ImageError> {
        let name = format!("image-{}-{}.log", self.recipe.name, self.recipe.short());
        let mut log = Log::create(&self.state.join("logs"), &name)?;
        let followed = tokio::time::timeout(self.timeout, self.perform(&mut log)).await;
        log.flush()?;
        followed.unwrap_or_else(|_| {
            Err(ImageError::Timeout {
                name: self.recipe.name.clone(),
                seconds: self.timeout.as_secs(),
                log: log.path.clone(),
            })
        })
    }

    async fn perform(&self, log: &mut Log) -> Result<(), ImageError> {
        let context = self.packed().await?;
        let labels = HashMap::from([(RECIPE, self.recipe.digest.as_str()), (KIND, "image")]);
        let mut arguments = self.host.arguments.clone();
        arguments.extend(self.recipe.args.clone());
        let mut options = BuildImageOptionsBuilder::new();
        if let Some(target) = &self.recipe.target {
            options = options.target(target);
        }
        let options = options
            .dockerfile(SENT_DOCKERFILE)
            .t(&self.tag)
            .rm(true)
            .forcerm(true)
            .nocache(!self.cached)
            .labels(&labels)
            .buildargs(&arguments)
            .build();
        // The connection's own limit would cut a build that is silent for long.
        let docker = self.docker.clone().with_timeout(self.timeout);
        let body = body_try_stream(chunks(context));
        let mut answers = std::pin::pin!(docker.build_image(options, None, Some(body)));
        let mut at = None;
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(said) => self.heard(said, log, &mut at)?,
                Err(Error::DockerStreamError { error: message })
                | Err(Error::DockerResponseServerError {
                    status_code: 400,
                    message,
                }) => return Err(self.failure(&message, at, log)),
                Err(source) => {
                    let doing = format!("building the image {}", self.recipe.name);
                    return Err(ImageError::engine(doing, source));
                }
            }
        }
        Ok(())
    }

    /// The context in a file that has no name.
    async fn packed(&self) -> Result<File, ImageError> {
        let scratch = self.state.join("scratch");
        let recipe = self.recipe;
        let (context, text) = (recipe.context.clone(), self.sent.text.clone());
        let expected = recipe.context_digest;
        let dir = recipe.file.parent().unwrap_or(&recipe.file).to_owned();
        let packed = tokio::task::spawn_blocking(move || {
            let wrap = |source| ImageError::host("writing to", &scratch, source);
            std::fs::create_dir_all(&scratch).map_err(wrap)?;
            let mut file = tempfile::tempfile_in(&scratch).map_err(wrap)?;
            if context.pack(&text, BufWriter::new(&mut file))? != expected {
                return Err(ImageError::Context {
                    dir,
                    message: "changed since its digest was taken".into(),
                });
            }
            file.rewind().map_err(wrap)?;
            Ok(file)
        });
        packed.await.unwrap_or_else(|error| {
            let error = std::io::Error::other(error);
            Err(ImageError::host("packing", &recipe.file, error))
        })
    }

    fn heard(
        &self,
        said: BuildInfo,
        log: &mut Log,
        at: &mut Option<usize>,
    ) -> Result<(), ImageError> {
        let text = match (said.stream, said.status) {
            (Some(text), _) => text,
            (None, Some(status)) => format!("{status}\n"),
            (None, None) => return Ok(()),
        };
        for line in log.write(&text)? {
            if let Some(step) = step(&line) {
                *at = Some(step - 1);
                self.tell(step - 1);
            } else if let Some(id) = layer(&line)
                && !at.is_some_and(|at| self.starts_stage(at))
            {
                self.layers.note(id)?;
            }
        }
        Ok(())
    }

    fn tell(&self, step: usize) {
        let Some(Some(index)) = self.sent.steps.get(step).copied() else {
            return;
        };
        let instructions = &self.recipe.dockerfile.instructions;
        let instruction = &instructions[index];
        (self.progress)(ImageProgress::Building {
            name: self.recipe.name.clone(),
            step: index + 1,
            of: instructions.len(),
            text: plain(&format!(
                "{} {}",
                instruction.keyword, instruction.arguments
            )),
        });
    }

    /// Whether a step only names what is there already.
    fn starts_stage(&self, step: usize) -> bool {
        let index = self.sent.steps.get(step).copied().flatten();
        index.is_some_and(|index| {
            let keyword = &self.recipe.dockerfile.instructions[index].keyword;
            keyword == "FROM" || keyword == "ARG"
        })
    }

    fn failure(&self, message: &str, at: Option<usize>, log: &mut Log) -> ImageError {
        let instructions = &self.recipe.dockerfile.instructions;
        let step = at.and_then(|at| self.sent.steps.get(at).copied().flatten());
        let line = match step {
            Some(index) => Some(instructions[index].line),
            None => parse_error_line(message)
                .and_then(|line| self.sent.lines.get(line - 1).copied())
                .filter(|line| *line > 0),
        };
        let text = |line: usize| {
            let holds = |one: &&super::dockerfile::Instruction| {
                (one.line..one.line + one.source.lines().count()).contains(&line)
            };
            let source = instructions.iter().find(holds);
            let first = source.and_then(|one| one.source.lines().nth(line - one.line));
            plain(first.unwrap_or_default().trim_end())
        };
        ImageError::Build(Arc::new(BuildFailure {
            name: self.recipe.name.clone(),
            message: plain(message.trim()),
            dockerfile: self.recipe.file.clone(),
            at: line.map(|line| (line, text(line))),
            tail: log.take_tail(),
            log: log.path.clone(),
        }))
    }
}

/// `Step 3/7 : RUN make` → 3.
fn step(line: &str) -> Option<usize> {
    let (number, _) = line.strip_prefix("Step ")?.split_once('/')?;
    number.parse().ok().filter(|number| *number > 0)
}

/// ` ---> 0123456789ab` → the id.
fn layer(line: &str) -> Option<&str> {
    let id = line.strip_prefix(" ---> ")?.trim_end();
    let is_id = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then_some(id)
}

/// What the builder says of its own doings, which explains no failure.
fn is_chatter(line: &str) -> bool {
    line.starts_with(" ---> ") || line.starts_with("Removing intermediate container ")
}

/// `dockerfile parse error line 4: …` → 4.
fn parse_error_line(message: &str) -> Option<usize> {
    let (_, rest) = message.split_once("parse error line ")?;
    let digits = rest.split(|one: char| !one.is_ascii_digit()).next()?;
    digits.parse().ok().filter(|line| *line > 0)
}

/// A file as the body of a request.
pub(super) fn chunks(file: File) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
    stream::try_unfold(tokio::fs::File::from_std(file), |mut file| async move {
        let mut chunk = vec![0; 128 << 10];
        let read = file.read(&mut chunk).await?;
        chunk.truncate(read);
        Ok((read > 0).then(|| (Bytes::from(chunk), file)))
    })
}

/// The log of a build: whole on disk, its last lines at hand.
struct Log {
    path: PathBuf,
    file: BufWriter<File>,
    written: u64,
    tail: Tail,
    /// The beginning of a line that has not ended yet.
    begun: String,
}

impl Log {
    fn create(folder: &Path, name: &str) -> Result<Self, ImageError> {
        let path = folder.join(name);
        let file = std::fs::create_dir_all(folder)
            .and_then(|()| File::create(&path))
            .map_err(|source| ImageError::host("writing", &path, source))?;
        Ok(Self {
            path,
            file: BufWriter::new(file),
            written: 0,
            tail: Tail::new(TAIL),
            begun: String::new(),
        })
    }

    /// Writes a piece and returns the lines that it ends.
    fn write(&mut self, text: &str) -> Result<Vec<String>, ImageError> {
        let length = text.len() as u64;
        if self.written + length <= MOST_LOG {
            self.file
                .write_all(text.as_bytes())
                .map_err(|source| ImageError::host("writing", &self.path, source))?;
            self.written += length;
        }
        self.begun.push_str(text);
        let mut lines = Vec::new();
        while let Some(end) = self.begun.find('\n') {
            let line: String = self.begun.drain(..=end).collect();
            if !is_chatter(&line) {
                self.tail.push(&line);
            }
            lines.push(line.trim_end_matches(['\n', '\r']).to_owned());
        }
        // A line without an end is none of the engine's own.
        if self.begun.len() > MOST_LINE {
            self.tail.push(&self.begun);
            self.begun.clear();
        }
        Ok(lines)
    }

    fn flush(&mut self) -> Result<(), ImageError> {
        self.file
            .flush()
            .map_err(|source| ImageError::host("writing", &self.path, source))
    }

    fn take_tail(&mut self) -> Vec<String> {
        let begun = std::mem::take(&mut self.begun);
        self.tail.push(&begun);
        std::mem::replace(&mut self.tail, Tail::new(0)).into_lines()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_s_lines_are_understood() {
        assert_eq!(step("Step 3/7 : RUN make"), Some(3));
        assert_eq!(step("Step by step"), None);
        assert_eq!(layer(" ---> 0123456789ab"), Some("0123456789ab"));
        assert_eq!(layer(" ---> Running in 0123456789ab"), None);
        assert_eq!(
            parse_error_line("dockerfile parse error line 4: unknown instruction: RUM"),
            Some(4)
        );
    }

    #[test]
    fn a_log_keeps_lines_whole_across_pieces() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::create(dir.path(), "x.log").unwrap();
        assert!(log.write("Step 1").unwrap().is_empty());
        assert_eq!(
            log.write("/2 : FROM a\nhalf").unwrap(),
            ["Step 1/2 : FROM a"]
        );
        assert_eq!(log.take_tail(), ["Step 1/2 : FROM a", "half"]);
    }
}
