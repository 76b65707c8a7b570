//! `proofyard import swebench-specs`: the table of an installed swebench 4.1.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use clap::Args;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::{Exit, Failure, to_stdout};
use crate::diagnose::printable;
use crate::swebench::specs::{DUMP, SpecError, Table, parse};

/// How long Python may take: loading the package loads much else.
const DEADLINE: Duration = Duration::from_secs(300);
/// Most bytes that it may print.
const MOST: u64 = 64 << 20;

const EXAMPLES: &str = "\
Examples:
  proofyard import swebench-specs
  proofyard import swebench-specs --python ~/venv/bin/python -o envs/swebench-specs.json

Exit codes:
  0 written   2 there is no such Python, or no swebench 4.1 for it";

/// Read how repositories are tested out of an installed swebench 4.1.
///
/// Rows before swebench 5.0 do not say how their tests are run: a table in the package
/// does, by repository and version. This asks your own installation for it and writes
/// JSON that `swebench.specs` in harness.toml names. None of the table is part of this
/// program. Install the package with `pip install swebench==4.1.0`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct SpecsArgs {
    /// The Python that the package is installed for
    #[arg(long, value_name = "PATH", default_value = "python3")]
    python: PathBuf,

    /// File that is written
    #[arg(
        short,
        long,
        value_name = "FILE",
        default_value = "swebench-specs.json"
    )]
    output: PathBuf,
}

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
pub enum SpecsFailure {
    #[error("start {} (`--python PATH` names the Python that swebench 4.1 is installed for)", python.display())]
    Start {
        python: PathBuf,
        source: std::io::Error,
    },
    #[error("{} did not print a table within {} s", python.display(), DEADLINE.as_secs())]
    Slow { python: PathBuf },
    /// What it said itself.
    #[error("{said} (asked {}; `--python PATH` names another one)", python.display())]
    Refused { python: PathBuf, said: String },
    #[error("{} printed no table: {source}", python.display())]
    NoTable { python: PathBuf, source: SpecError },
    #[error("make a folder for Python to run in: {0}")]
    Folder(#[source] std::io::Error),
}

/// Imports it.
pub async fn run(args: SpecsArgs) -> Result<Exit, Failure> {
    let table = table(&args.python).await.map_err(Failure::ReadSpecs)?;
    table.write(&args.output)?;
    to_stdout(&told(&table, &args.output))
}

fn told(table: &Table, file: &Path) -> String {
    let versions: usize = table.repos.values().map(|repo| repo.versions.len()).sum();
    let shown = file.display().to_string();
    let quoted = toml::Value::String(shown.clone());
    printable(&format!(
        "{shown}\n  swebench {}: {} repos, {versions} versions\n\nin harness.toml:\n  [swebench]\n  specs = {quoted}\n",
        table.swebench,
        table.repos.len(),
    ))
}

async fn table(python: &Path) -> Result<Table, SpecsFailure> {
    // Python looks for modules where it is started: not beside some `swebench` folder.
    let folder = tempfile::tempdir().map_err(SpecsFailure::Folder)?;
    let program = match python.components().count() {
        1 => python.to_owned(),
        _ => std::path::absolute(python).unwrap_or_else(|_| python.to_owned()),
    };
    let start = |source| SpecsFailure::Start {
        python: python.to_owned(),
        source,
    };
    let mut child = Command::new(program)
        .args(["-c", DUMP])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(start)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let ended = tokio::time::timeout(DEADLINE, async {
        let (out, err) = tokio::join!(all(out), all(err));
        Ok::<_, std::io::Error>((out?, err?, child.wait().await?))
    });
    let (out, err, status) = match ended.await {
        Ok(ended) => ended.map_err(start)?,
        Err(_) => {
            return Err(SpecsFailure::Slow {
                python: python.to_owned(),
            });
        }
    };
    if !status.success() {
        let said = String::from_utf8_lossy(&err);
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        let said = last.map_or_else(|| format!("it ended with {status}"), str::to_owned);
        return Err(SpecsFailure::Refused {
            python: python.to_owned(),
            said: printable(&said),
        });
    }
    parse(&String::from_utf8_lossy(&out)).map_err(|source| SpecsFailure::NoTable {
        python: python.to_owned(),
        source,
    })
}

/// All that comes, up to a bound.
async fn all(from: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        let mut from = from.take(MOST);
        from.read_to_end(&mut bytes).await?;
        // What is more than that is let go, so that the writer ends.
        let mut rest = from.into_inner();
        tokio::io::copy(&mut rest, &mut tokio::io::sink()).await?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A program in Python's place that ends in this way.
    fn python(script: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("python");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        (dir, path)
    }

    #[tokio::test]
    async fn what_python_prints_is_read() {
        let json = r#"{"schema":"proofyard/swebench-specs/1","swebench":"4.1.0","date":"2026-01-31","repos":{"a/b":{"ext":"py","versions":{"1.0":{"test_cmd":["pytest"]}}}}}"#;
        let (_dir, path) = python(&format!("echo '{json}'"));
        let table = table(&path).await.unwrap();
        insta::assert_snapshot!(told(&table, Path::new("specs.json")), @r#"
        specs.json
          swebench 4.1.0: 1 repos, 1 versions

        in harness.toml:
          [swebench]
          specs = "specs.json"
        "#);
    }

    #[tokio::test]
    async fn what_python_says_against_it_is_told() {
        let (_dir, path) = python("echo 'swebench is not installed' >&2; exit 2");
        let error = table(&path).await.unwrap_err().to_string();
        assert!(
            error.starts_with("swebench is not installed (asked"),
            "{error}"
        );
        let (_dir, path) = python("echo hello");
        let error = table(&path).await.unwrap_err();
        assert!(matches!(error, SpecsFailure::NoTable { .. }), "{error}");
    }

    #[tokio::test]
    async fn without_python_the_way_out_is_named() {
        let error = table(Path::new("/nowhere/python3")).await.unwrap_err();
        assert!(error.to_string().contains("--python PATH"), "{error}");
    }
}
