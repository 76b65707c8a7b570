//! Where the figures with an engine are taken: a trivial task, its image, settings.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proofyard::config::{Settings, Sources};

use crate::{Outcome, timed, trials};

/// A task of its own whose image goes with it.
pub struct Place {
    pub settings: Settings,
    scratch: tempfile::TempDir,
    /// Of the trivial task.
    pub image: String,
}

impl Place {
    pub fn make() -> Outcome<Self> {
        let settings = proofyard::config::load(&Sources::of_process(None, Vec::new())?)?.settings;
        let scratch = tempfile::tempdir()?;
        let mut place = Self {
            settings,
            scratch,
            image: String::new(),
        };
        write_task(&place.task())?;
        let first = trials::run(&place, 1, 1, &[])?;
        place.image = first.image.ok_or("the first trial reached no image")?;
        Ok(place)
    }

    pub fn task(&self) -> PathBuf {
        self.scratch.path().join("trivial")
    }

    pub fn runs(&self) -> PathBuf {
        self.scratch.path().join("runs")
    }

    /// The engine's own program, told of the same engine.
    pub fn docker(&self) -> Command {
        let mut docker = Command::new("docker");
        docker.args(
            self.settings
                .engine
                .host
                .iter()
                .flat_map(|host| ["--host", host]),
        );
        docker
    }
}

impl Drop for Place {
    /// Takes the image of the trivial task away, by each name that it has.
    fn drop(&mut self) {
        let format = "{{join .RepoTags \" \"}}";
        let mut names = self.docker();
        names.args(["image", "inspect", "--format", format, &self.image]);
        let Ok(out) = names.output() else {
            return;
        };
        for name in String::from_utf8_lossy(&out.stdout).split_whitespace() {
            if let Err(error) = timed(self.docker().args(["image", "rm", name])) {
                println!("left behind: image {name}: {error}");
            }
        }
    }
}

/// A task whose image is its own, so that it can be taken away, and adds no layer.
fn write_task(folder: &Path) -> Outcome<()> {
    let unique = std::process::id();
    let own = format!("FROM proofyard/base\nLABEL proofyard.bench={unique}\n");
    let table = "schema_version = \"1.4\"\n\n[verification]\nrunner = \"script\"\n";
    let check = "[ -f /answer ] && reward=1 || reward=0\n\
                 echo \"$reward\" > /logs/verifier/reward.txt\n";
    let files = [
        ("instruction.md", "Make the file /answer.\n"),
        ("task.toml", table),
        ("environment/Dockerfile", &own),
        ("tests/test.sh", check),
    ];
    for (name, content) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, content)?;
    }
    Ok(())
}
