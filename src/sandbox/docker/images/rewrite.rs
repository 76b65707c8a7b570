//! The Dockerfile that is sent: bases by digest, our mark, and what the host lends
//! to the build and takes back.
//!
//! What is added is no part of the recipe: the CA bundle and the variables are
//! arguments of the build, so the image's own environment stays untouched.

use super::dockerfile::{Dockerfile, FromLine};
use super::host::{BuildHost, CA_PATH, CA_VARIABLES};

/// The label that every layer of ours carries, with its value for built images.
pub(super) const KIND: &str = "proofyard.kind";

/// A Dockerfile as it is sent, and where its parts come from.
#[derive(Debug)]
pub(super) struct Sent {
    pub text: String,
    /// By step of the build: the instruction, where it is one of the original's.
    pub steps: Vec<Option<usize>>,
    /// By line of `text`: the line of the original, 0 where there is none.
    pub lines: Vec<usize>,
}

/// Rewrites a Dockerfile. `images` gives, by index of its references, the tag
/// that stands for the reference, where it is another than the one written.
pub(super) fn rewrite(
    dockerfile: &Dockerfile,
    images: &[Option<String>],
    host: &BuildHost,
) -> Sent {
    let mut sent = Sent {
        text: String::new(),
        steps: Vec::new(),
        lines: Vec::new(),
    };
    if dockerfile.backtick {
        sent.push("# escape=`", 0);
    }
    let mut own_stages: Vec<String> = Vec::new();
    for (index, instruction) in dockerfile.instructions.iter().enumerate() {
        let replaced = dockerfile
            .references
            .iter()
            .zip(images)
            .find(|(reference, _)| reference.instruction == index)
            .and_then(|(reference, image)| Some((reference, image.as_deref()?)));
        let from = (instruction.keyword == "FROM")
            .then(|| FromLine::parse(instruction).ok())
            .flatten();
        let text = match (&from, replaced) {
            (Some(from), Some((_, image))) => from.with_image(image),
            (None, Some((reference, image))) => instruction.source.replacen(
                &format!("--from={}", reference.image),
                &format!("--from={image}"),
                1,
            ),
            (_, None) => instruction.source.clone(),
        };
        sent.push(&text, instruction.line);
        sent.steps.push(Some(index));
        let Some(from) = from else { continue };
        let inherits = own_stages
            .iter()
            .any(|stage| stage.eq_ignore_ascii_case(from.image));
        own_stages.extend(from.stage.map(str::to_owned));
        let runs = dockerfile.instructions[index + 1..]
            .iter()
            .take_while(|later| later.keyword != "FROM")
            .any(|later| later.keyword == "RUN");
        sent.add(&format!("LABEL {KIND}=image"));
        if runs {
            sent.lend(host, inherits);
        }
    }
    sent
}

impl Sent {
    fn push(&mut self, text: &str, line: usize) {
        for (offset, part) in text.split('\n').enumerate() {
            self.text.push_str(part);
            self.text.push('\n');
            self.lines.push(if line == 0 { 0 } else { line + offset });
        }
    }

    fn add(&mut self, instruction: &str) {
        self.push(instruction, 0);
        self.steps.push(None);
    }

    /// What the host lends to the steps of a stage; `inherits` where an earlier
    /// stage of the file already brought the bundle.
    fn lend(&mut self, host: &BuildHost, inherits: bool) {
        if let Some(image) = &host.ca_image {
            if !inherits {
                self.add(&format!("COPY --from={image} /ca.pem {CA_PATH}"));
            }
            for variable in CA_VARIABLES {
                self.add(&format!("ARG {variable}={CA_PATH}"));
            }
        }
        for variable in &host.declared {
            self.add(&format!("ARG {variable}"));
        }
    }
}

impl FromLine<'_> {
    fn with_image(&self, image: &str) -> String {
        let mut words = vec!["FROM"];
        words.extend(&self.flags);
        words.push(image);
        if let Some(stage) = self.stage {
            words.extend(["AS", stage]);
        }
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "ARG V=12\nFROM --platform=linux/amd64 debian:$V AS build\nRUN make \\\n  all\n\nFROM build AS test\nRUN true\nFROM proofyard/c\nCOPY --from=proofyard/base /a /a\n";

    fn sent(host: &BuildHost) -> Sent {
        let images = [
            Some("proofyard/debian:bookworm"),
            Some("c:1"),
            Some("base:2"),
        ];
        let images = images.map(|image| image.map(str::to_owned));
        rewrite(&Dockerfile::parse(TEXT).unwrap(), &images, host)
    }

    #[test]
    fn bases_are_replaced_and_layers_marked() {
        insta::assert_snapshot!(sent(&BuildHost::default()).text, @r"
        ARG V=12
        FROM --platform=linux/amd64 proofyard/debian:bookworm AS build
        LABEL proofyard.kind=image
        RUN make \
          all
        FROM build AS test
        LABEL proofyard.kind=image
        RUN true
        FROM c:1
        LABEL proofyard.kind=image
        COPY --from=base:2 /a /a
        ");
    }

    #[test]
    fn the_host_lends_only_arguments_and_one_file() {
        let host = BuildHost {
            ca_image: Some("proofyard/ca:1".into()),
            declared: vec!["PIP_INDEX_URL".into()],
            arguments: Default::default(),
        };
        let text = sent(&host).text;
        assert_eq!(text.matches("COPY --from=proofyard/ca:1").count(), 1);
        assert_eq!(text.matches("ARG SSL_CERT_FILE=").count(), 2);
        assert_eq!(text.matches("ARG PIP_INDEX_URL\n").count(), 2);
        assert!(!text.contains("ENV"));
    }

    #[test]
    fn steps_and_lines_lead_back_to_the_original() {
        let sent = sent(&BuildHost::default());
        assert_eq!(sent.steps[3], Some(2));
        assert_eq!(sent.steps[2], None);
        assert_eq!(sent.lines, [1, 2, 0, 3, 4, 6, 0, 7, 8, 0, 9]);
    }
}
