//! The texts of two Dockerfiles: of an environment, which its instances share, and of
//! an instance, which is the environment with the repo at one commit.
//!
//! Both are for the classic builder: no mounts, no here-documents, and a line for the
//! shell is at most what a system takes. Packages and commands of the specification are
//! quoted, so that none of them can become another instruction.

use sha2::{Digest as _, Sha256};

use super::{Environment, Interpreter};
use crate::record::Digest;

/// Python's own environment, where there is one.
pub const PYTHON: &str = "/opt/proofyard/env";
/// Where official scripts look for conda.
pub const CONDA: &str = "/opt/miniconda3";
/// The commands that an instance's image was made by, kept in it.
const INSTALL: &str = "/opt/proofyard/install.sh";

/// The pip of an environment that names none. Distributions' own differ in what they
/// install: the oldest know no editable install of a `pyproject.toml`. This one still
/// installs what has nothing but a `setup.py`.
const PIP: &str = "pip==24.0";

/// What official scripts, and those who apply patches, need of any base.
const TOOLS: [&str; 3] = ["bash", "git", "patch"];
const TIDY: &str = "rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache \
                    /var/log/apt/* /var/log/dpkg.log /var/log/alternatives.log";

/// Official scripts source it; so do commands in an image.
const SHIM: &str = include_str!("shim/conda.sh");
const ACTIVATE: &str = include_str!("shim/activate");

/// Leaves a work tree as an agent should find it: what was changed in tracked files is
/// committed, as official images do, and the index knows the files as they lie there.
const SETTLE: [&str; 9] = [
    "if [ -e .git ] && ! git diff --quiet HEAD; then",
    "  GIT_AUTHOR_DATE=$(git show -s --format=%cI HEAD)",
    "  export GIT_AUTHOR_DATE GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE",
    "  git -c core.logAllRefUpdates=false -c core.hooksPath=/dev/null \\",
    "    -c commit.gpgSign=false -c user.name=environment -c user.email=environment@localhost \\",
    "    commit -q -a -m 'Changes of the environment'",
    "  rm -f .git/COMMIT_EDITMSG",
    "fi",
    "[ ! -e .git ] || git status --porcelain >/dev/null",
];

impl Environment {
    /// The Dockerfile of the environment's image: base, packages of the distribution,
    /// interpreter, pinned packages; nothing of any repo, and no context.
    pub fn dockerfile(&self) -> String {
        let mut text = Text::default();
        text.line(&format!("FROM {}", self.base));
        text.line("USER root");
        // Arguments are gone when the image is used.
        text.line("ARG DEBIAN_FRONTEND=noninteractive");
        text.line("ARG PIP_ROOT_USER_ACTION=ignore");
        text.line("ENV LANG=C.UTF-8");
        text.tools(&self.apt);
        match &self.interpreter {
            Some(Interpreter::Python(version)) => text.python(version),
            Some(Interpreter::Node(version)) => text.node(version),
            None => {}
        }
        text.shim();
        for (name, value) in &self.env {
            text.line(&format!("ENV {name}=\"{}\"", escaped(value)));
        }
        match &self.interpreter {
            Some(Interpreter::Python(version)) => {
                text.line(&format!("ENV PATH={PYTHON}/bin:$PATH"));
                let lines: Vec<&str> = self
                    .packages
                    .iter()
                    .chain(&self.requirements)
                    .map(String::as_str)
                    .collect();
                text.pip(&lines, version);
            }
            Some(Interpreter::Node(_)) => text.npm(&self.packages),
            None => {}
        }
        text.line("ENTRYPOINT []");
        text.line("CMD [\"/bin/bash\"]");
        text.0
    }

    /// The Dockerfile of an instance's image. `from` is the tag of the environment's
    /// image; `folder` the name, in the context, of the folder with the work tree, a git
    /// work tree at the base commit. It must not be the context itself, where the repo's
    /// own `.dockerignore` would leave files out.
    pub fn instance_dockerfile(&self, from: &str, folder: &str) -> String {
        let mut text = Text::default();
        text.line(&format!("FROM {from}"));
        text.line("ARG DEBIAN_FRONTEND=noninteractive");
        text.line("ARG PIP_NO_CACHE_DIR=1");
        text.line("ARG PIP_DISABLE_PIP_VERSION_CHECK=1");
        text.line("ARG PIP_ROOT_USER_ACTION=ignore");
        let names = [folder.trim_end_matches('/'), &self.workdir];
        text.line(&format!("COPY {}", serde_json::json!(names)));
        text.line(&format!("WORKDIR {}", self.workdir));
        let before = [
            format!("source {CONDA}/bin/activate"),
            "conda activate testbed".to_owned(),
            format!("cd {}", self.workdir),
        ];
        let commands = self
            .pre_install
            .iter()
            .chain(&self.install)
            .chain(&self.build);
        let after = [
            // What they left in the way of caches belongs to nobody.
            format!("cd {}", self.workdir),
            format!("rm -rf /root/.cache/pip /root/.npm; {TIDY}"),
        ];
        let script = before.iter().chain(commands).chain(&after);
        text.run(
            script.flat_map(|command| command.lines()).chain(SETTLE),
            &format!("> {INSTALL} \\\n && bash -euxo pipefail {INSTALL}"),
        );
        text.0
    }

    /// Of what the environment's image is made from, its base by name alone: instances
    /// with the same one share the image.
    pub fn digest(&self) -> Digest {
        of_parts(&["proofyard/environment/1", &self.dockerfile()])
    }

    /// Of all that the specification says about an instance, its image and its verdict;
    /// but for where the repo is brought from.
    pub fn meaning(&self) -> Digest {
        let timeout = self.timeout.map(|timeout| timeout.as_secs_f64());
        let rest = serde_json::json!({
            "instance": self.instance_dockerfile("environment", "repo"),
            "history": format!("{:?}", self.history),
            "build": self.build,
            "install": self.install,
            "test": self.test,
            "eval_commands": self.eval_commands,
            "parser": self.parser,
            "eval_type": self.eval_type.name(),
            "network": self.network.as_ref().map(|network| format!("{network:?}")),
            "cpus": self.cpus,
            "memory": self.memory_bytes,
            "timeout": timeout,
        });
        let rest = rest.to_string();
        of_parts(&["proofyard/environment-meaning/1", &self.dockerfile(), &rest])
    }
}

fn of_parts(parts: &[&str]) -> Digest {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    Digest::of_sha256(&hash.finalize())
}

/// A Dockerfile in the making.
#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// A `RUN` of several lines for the shell.
    fn shell(&mut self, lines: &[String]) {
        let joined = lines.join(" \\\n      ");
        self.line(&format!("RUN {joined}"));
    }

    /// A `RUN` that writes lines to where `then` says, and goes on with it.
    fn run<'l>(&mut self, lines: impl Iterator<Item = &'l str>, then: &str) {
        self.0.push_str("RUN printf '%s\\n' \\\n");
        for line in lines {
            self.0.push_str("      ");
            self.0.push_str(&quoted(line));
            self.0.push_str(" \\\n");
        }
        self.line(&format!("    {then}"));
    }

    /// Bash, git and patch, and packages of the distribution.
    fn tools(&mut self, apt: &[String]) {
        let needed = match apt.is_empty() {
            // A base that has them needs no distribution.
            true => TOOLS.map(|tool| format!("command -v {tool}")).join(" && "),
            false => "false".to_owned(),
        };
        let packages: Vec<String> = apt.iter().map(|package| quoted(package)).collect();
        let mut lines = vec![
            "set -eu;".to_owned(),
            format!("{{ {needed}; }} >/dev/null || {{"),
            "  command -v apt-get >/dev/null || {".to_owned(),
            format!(
                "    echo 'the base has no apt-get to install {} and what `apt` says; it must have them' >&2; exit 1;",
                TOOLS.join(", ")
            ),
            "  };".to_owned(),
            "  apt-get update;".to_owned(),
            "  apt-get install -y --no-install-recommends".to_owned(),
            format!("    ca-certificates {}", TOOLS.join(" ")),
        ];
        lines.extend(packages.iter().map(|package| format!("    {package}")));
        lines.push("  ;".to_owned());
        lines.push(format!("  {TIDY};"));
        lines.push("}".to_owned());
        self.shell(&lines);
    }

    /// An environment of its own for the version of Python that is asked for: the base's,
    /// else the distribution's.
    fn python(&mut self, version: &str) {
        let parts: Vec<&str> = version.split('.').collect();
        let short = parts.iter().take(2).copied().collect::<Vec<_>>().join(".");
        let shown = vec!["%d"; parts.len()].join(".");
        let count = parts.len();
        let python = format!("python{short}");
        self.shell(&[
            "set -eu;".to_owned(),
            "python=;".to_owned(),
            "look() {".to_owned(),
            format!("  for one in {python} /usr/local/bin/python3 python3 /usr/bin/python3; do"),
            format!(
                "    said=$(\"$one\" -c 'import ensurepip, sys, venv; print(\"{shown}\" % sys.version_info[:{count}])' 2>/dev/null) || continue;"
            ),
            format!("    [ \"$said\" != {version} ] || {{ python=$one; return 0; }};"),
            "  done;".to_owned(),
            "  return 1;".to_owned(),
            "};".to_owned(),
            "look || ! command -v apt-get >/dev/null || {".to_owned(),
            "  apt-get update;".to_owned(),
            format!("  apt-get install -y --no-install-recommends {python} {python}-venv || true;"),
            format!("  {TIDY};"),
            "};".to_owned(),
            format!(
                "look || {{ echo 'the base has no Python {version} with venv and ensurepip, and its distribution none' >&2; exit 1; }};"
            ),
            format!("\"$python\" -m venv {PYTHON}"),
        ]);
    }

    fn node(&mut self, version: &str) {
        self.shell(&[
            "set -eu;".to_owned(),
            "look() {".to_owned(),
            format!(
                "  case \"$(node --version 2>/dev/null)\" in v{version} | v{version}.*) command -v npm >/dev/null ;; *) return 1 ;; esac;"
            ),
            "};".to_owned(),
            "look || ! command -v apt-get >/dev/null || {".to_owned(),
            "  apt-get update;".to_owned(),
            "  apt-get install -y --no-install-recommends nodejs npm || true;".to_owned(),
            format!("  {TIDY};"),
            "};".to_owned(),
            format!(
                "look || {{ echo 'the base has no Node {version} with npm, and its distribution none' >&2; exit 1; }}"
            ),
        ]);
    }

    /// What stands in for conda, and a root's shell that is in the environment at once.
    fn shim(&mut self) {
        let script = format!("{CONDA}/etc/profile.d/conda.sh");
        self.line(&format!(
            "RUN mkdir -p {CONDA}/bin {CONDA}/etc/profile.d {CONDA}/envs /opt/proofyard \\\n \
             && ln -s {PYTHON} {CONDA}/envs/testbed"
        ));
        self.run(SHIM.lines(), &format!("> {script}"));
        self.run(ACTIVATE.lines(), &format!("> {CONDA}/bin/activate"));
        let rc = format!(". {script} && conda activate testbed");
        self.run(
            [rc.as_str()].into_iter(),
            // First, since some leave at once where nobody types.
            "> /root/.bashrc.new \\\n \
             && { [ ! -e /root/.bashrc ] || cat /root/.bashrc >> /root/.bashrc.new; } \\\n \
             && mv /root/.bashrc.new /root/.bashrc \\\n \
             && { [ -e /root/.profile ] || echo '. /root/.bashrc' > /root/.profile; }",
        );
    }

    /// Packages, by the pip that they name, else by one that is the same on every base.
    fn pip(&mut self, lines: &[&str], python: &str) {
        let pip = format!(
            "{PYTHON}/bin/python -m pip install --no-cache-dir --disable-pip-version-check"
        );
        let own = lines.iter().copied().find(|line| names_pip(line));
        if own.is_some() || has_pip(python) {
            self.line(&format!("RUN {pip} {}", quoted(own.unwrap_or(PIP))));
        }
        if !lines.is_empty() {
            let file = format!("{PYTHON}/requirements.txt");
            // What an instance says of isolation is about the repo; a package that has to
            // be built must not wait for backends that come with the same command.
            self.run(
                lines.iter().copied(),
                &format!("> {file} \\\n && env -u PIP_NO_BUILD_ISOLATION {pip} -r {file}"),
            );
        }
    }

    fn npm(&mut self, packages: &[String]) {
        if packages.is_empty() {
            return;
        }
        let mut lines = vec!["npm install -g --no-fund --no-audit".to_owned()];
        lines.extend(packages.iter().map(|package| quoted(package)));
        lines.push("&& rm -rf /root/.npm".to_owned());
        self.shell(&lines);
    }
}

/// Whether a requirement is one of pip itself.
fn names_pip(line: &str) -> bool {
    let name = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_' | '.');
    let end = line.find(|sign| !name(sign)).unwrap_or(line.len());
    line[..end].eq_ignore_ascii_case("pip")
}

/// Whether [`PIP`] is for this version of Python.
fn has_pip(python: &str) -> bool {
    let minor = python
        .split('.')
        .nth(1)
        .and_then(|part| part.parse::<u32>().ok());
    minor.is_some_and(|minor| (7..=13).contains(&minor))
}

/// A text as one word for the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A value within double quotes of an `ENV`, of which the builder fills in nothing.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        if matches!(sign, '"' | '\\' | '$') {
            escaped.push('\\');
        }
        escaped.push(sign);
    }
    escaped
}
