//! Facts about the texts that images are built from, and about the shim in them.

use std::fs;
use std::process::Command;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::tests::one;
use super::*;

const PYTHON_KEYS: &str = "python = \"3.9\"\napt = [\"gcc=4:10.2.1-1\"]\n\
    packages = [\"pytest==7.4.0\", \"x>=1; python_version<'3.10'\"]\n\
    pre_install = [\"sed -i 's/a/b/' setup.cfg\", \"cat > f <<EOF\\n$HOME\\nEOF\"]\n\
    install = \"python -m pip install -e .\"\nenv = { A = 'b \"c\" $d' }\n";

#[test]
fn an_instance_s_text_is_its_repo_and_its_commands() {
    assert_snapshot!(one(PYTHON_KEYS).instance_dockerfile("env:1", "repo"), @r#"
    FROM env:1
    ARG DEBIAN_FRONTEND=noninteractive
    ARG PIP_NO_CACHE_DIR=1
    ARG PIP_DISABLE_PIP_VERSION_CHECK=1
    ARG PIP_ROOT_USER_ACTION=ignore
    COPY ["repo","/testbed"]
    WORKDIR /testbed
    RUN printf '%s\n' \
          'source /opt/miniconda3/bin/activate' \
          'conda activate testbed' \
          'cd /testbed' \
          'sed -i '\''s/a/b/'\'' setup.cfg' \
          'cat > f <<EOF' \
          '$HOME' \
          'EOF' \
          'python -m pip install -e .' \
          'cd /testbed' \
          'rm -rf /root/.cache/pip /root/.npm; rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/log/apt/* /var/log/dpkg.log /var/log/alternatives.log' \
          'if [ -e .git ] && ! git diff --quiet HEAD; then' \
          '  GIT_AUTHOR_DATE=$(git show -s --format=%cI HEAD)' \
          '  export GIT_AUTHOR_DATE GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE' \
          '  git -c core.logAllRefUpdates=false -c core.hooksPath=/dev/null \' \
          '    -c commit.gpgSign=false -c user.name=environment -c user.email=environment@localhost \' \
          '    commit -q -a -m '\''Changes of the environment'\''' \
          '  rm -f .git/COMMIT_EDITMSG' \
          'fi' \
          '[ ! -e .git ] || git status --porcelain >/dev/null' \
        > /opt/proofyard/install.sh \
     && bash -euxo pipefail /opt/proofyard/install.sh
    "#);
}

#[test]
fn an_environment_s_text_has_nothing_of_a_repo() {
    let environment = one(PYTHON_KEYS);
    let text = environment.dockerfile();
    for part in [
        "FROM debian:bookworm-slim\n",
        "'gcc=4:10.2.1-1'",
        "python3.9-venv",
        "'pip==24.0'",
        "'x>=1; python_version<'\\''3.10'\\'''",
        "ENV A=\"b \\\"c\\\" \\$d\"\n",
        "ENV PATH=/opt/proofyard/env/bin:$PATH\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    for part in ["COPY", "testbed/", "sed -i", "pip install -e"] {
        assert!(!text.contains(part), "{part}\n{text}");
    }
    let node = one("node = \"20\"\npackages = [\"mocha@10.2.0\"]\n").dockerfile();
    assert!(node.contains("v20 | v20.*)") && node.contains("'mocha@10.2.0'"));
    assert!(!node.contains("ENV PATH"));
    let other = one("python = \"3.9\"\npackages = [\"pip==22.1\", \"pipx==1\"]\n").dockerfile();
    assert!(other.contains("install --no-cache-dir --disable-pip-version-check 'pip==22.1'"));
}

#[test]
fn the_digest_is_of_what_instances_share() {
    let digest = |keys: &str| one(keys).digest();
    let first = digest(PYTHON_KEYS);
    for same in [
        "test = \"pytest\"\n",
        "versions = [\"1\"]\n",
        "build = \"make\"\n",
        "cpus = 1\n",
    ] {
        let keys = format!("{PYTHON_KEYS}{same}");
        assert_eq!(digest(&keys), first, "{same}");
    }
    assert_ne!(digest(&PYTHON_KEYS.replace("7.4.0", "7.4.1")), first);
    assert_ne!(
        digest(&PYTHON_KEYS.replace("3.9\"\napt", "3.10\"\napt")),
        first
    );
    let meaning = |keys: &str| one(keys).meaning();
    let tested = format!("{PYTHON_KEYS}test = \"pytest\"\n");
    assert_ne!(meaning(&tested), meaning(PYTHON_KEYS));
    let elsewhere = format!("{PYTHON_KEYS}source = \"x.git\"\n");
    assert_eq!(meaning(&elsewhere), meaning(PYTHON_KEYS));
}

/// Runs `script` in `shell` with the shim where `CONDA` is; its output, or its status.
fn shimmed(shell: &str, script: &str) -> Result<String, String> {
    let root = tempfile::tempdir().unwrap();
    let at = |path: &str| root.path().join(path.trim_start_matches('/'));
    for folder in [
        "/opt/miniconda3/bin",
        "/opt/miniconda3/etc/profile.d",
        "/opt/proofyard/env/bin",
    ] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    let moved = |text: &str| text.replace("/opt/", &format!("{}/opt/", root.path().display()));
    fs::write(
        at("/opt/miniconda3/bin/activate"),
        moved(include_str!("shim/activate")),
    )
    .unwrap();
    let conda = at("/opt/miniconda3/etc/profile.d/conda.sh");
    fs::write(conda, moved(include_str!("shim/conda.sh"))).unwrap();
    let ran = Command::new(shell)
        .args(["-c", &moved(script)])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).replace(&root.path().display().to_string(), "");
    match ran.status.success() {
        true => Ok(said.trim().to_owned()),
        false => Err(format!(
            "{} {}",
            ran.status,
            String::from_utf8_lossy(&ran.stderr)
        )),
    }
}

#[test]
fn the_shim_activates_once_however_often_it_is_asked() {
    let twice = ". /opt/miniconda3/bin/activate; conda activate testbed\n".repeat(2);
    let script = format!("set -eu\n{twice}echo \"$PATH $CONDA_DEFAULT_ENV $CONDA_PREFIX\"");
    for shell in ["sh", "bash"] {
        assert_eq!(
            shimmed(shell, &script).unwrap(),
            "/opt/proofyard/env/bin:/usr/bin:/bin testbed /opt/miniconda3/envs/testbed"
        );
    }
}

#[test]
fn the_shim_s_other_words_do_no_harm() {
    let script = "set -euo pipefail\nsource /opt/miniconda3/bin/activate testbed\n\
        conda info; conda deactivate; conda list | cat; conda activate; conda\n\
        conda install -y x; conda run -n testbed --no-capture-output echo \"$CONDA_DEFAULT_ENV\"";
    assert_eq!(shimmed("bash", script).unwrap(), "testbed");
    let status = shimmed(
        "bash",
        ". /opt/miniconda3/bin/activate; conda activate other",
    );
    assert!(
        status
            .unwrap_err()
            .contains("there is no environment 'other'")
    );
    let kept = "set -e; . /opt/miniconda3/bin/activate; conda run -n testbed false";
    assert!(shimmed("sh", kept).is_err());
}

/// The instructions of a text, continuation lines joined.
fn instructions(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    joined.lines().map(str::to_owned).collect()
}

/// What a builder's shell would write for the commands of an instance.
fn written(text: &str) -> String {
    let run = instructions(text).pop().unwrap();
    let print = run.strip_prefix("RUN ").unwrap();
    // What follows the last quote is where it goes.
    let print = &print[..=print.rfind('\'').unwrap()];
    let ran = Command::new("sh").args(["-c", print]).output().unwrap();
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn commands_arrive_as_they_were_written() {
    let command =
        "echo 'it'\"'\"'s' \"$HOME\" `id` \\\\ # no comment\n# a comment\nFROM x \\\n\tEND";
    let mut environment = one("");
    environment.install = vec![command.to_owned()];
    let text = environment.instance_dockerfile("env:1", "repo");
    assert!(written(&text).contains(&format!("cd /testbed\n{command}\ncd /testbed\n")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_command_becomes_an_instruction(command in "[a'\"\\\\$`#\n &|>RUN<-]{1,60}") {
        let mut environment = one("");
        let before = instructions(&environment.instance_dockerfile("e", "repo")).len();
        environment.install = vec![command.clone()];
        environment.packages = vec![command.replace('\n', " ")];
        environment.interpreter = Some(Interpreter::Python("3.9".into()));
        let text = environment.instance_dockerfile("e", "repo");
        prop_assert_eq!(instructions(&text).len(), before);
        let known = ["FROM", "ARG", "COPY", "WORKDIR", "RUN", "ENV", "USER", "ENTRYPOINT", "CMD"];
        for text in [text, environment.dockerfile()] {
            for instruction in instructions(&text) {
                let keyword = instruction.split(' ').next().unwrap().to_owned();
                prop_assert!(known.contains(&keyword.as_str()), "{}", instruction);
            }
        }
    }
}
