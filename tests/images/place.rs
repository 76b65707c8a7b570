//! A place for images of a test's own, and what is told while they are made.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bollard::query_parameters::{
    BuildImageOptionsBuilder, ListContainersOptionsBuilder, ListImagesOptionsBuilder,
    RemoveImageOptionsBuilder,
};
use bollard::{Docker, body_full};
use futures_util::StreamExt;
use proofyard::config::{HostSettings, ImageSettings};
use proofyard::sandbox::docker::connect::connect;
use proofyard::sandbox::docker::images::{
    BuiltImage, GcRules, ImageError, ImageProgress, Images, Recipe,
};

pub const MINUTE: Duration = Duration::from_secs(60);

/// A folder of images, a state folder and an engine; takes its images away.
pub struct Place {
    root: tempfile::TempDir,
    pub docker: Docker,
    /// Part of every name and content of this place.
    pub mark: String,
    pub ca_bundle: Option<PathBuf>,
}

impl Place {
    /// None, said clearly, where the environment says that there is no engine.
    pub async fn new() -> Option<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        if std::env::var_os("PROOFYARD_NO_ENGINE").is_some() {
            eprintln!("skipped: no engine");
            return None;
        }
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Some(Self {
            root: tempfile::tempdir().unwrap(),
            docker: connect(None).await.unwrap(),
            mark: format!("t{}x{count}", std::process::id()),
            ca_bundle: None,
        })
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// The name of an image of this place.
    pub fn name(&self, name: &str) -> String {
        format!("{name}-{}", self.mark)
    }

    /// Writes a Dockerfile, `@x` in it being this place's image `x`, and a file
    /// that makes its recipe unique.
    pub fn image(&self, name: &str, dockerfile: &str) -> &Self {
        let dir = self.path("images").join(self.name(name));
        fs::create_dir_all(&dir).unwrap();
        let text: Vec<String> = dockerfile
            .lines()
            .map(|line| match line.split_once('@') {
                Some((head, base)) => format!("{head}proofyard/{}", self.name(base)),
                None => line.to_owned(),
            })
            .collect();
        fs::write(dir.join("Dockerfile"), text.join("\n")).unwrap();
        fs::write(dir.join("mark"), &self.mark).unwrap();
        self
    }

    /// Puts a shell and `sleep` with what they need into an image's context.
    pub fn with_shell(&self, name: &str) -> &Self {
        let dir = self.path("images").join(self.name(name)).join("root");
        for program in ["/bin/sh", "/bin/sleep"] {
            let linked = Command::new("ldd").arg(program).output().unwrap().stdout;
            let linked = String::from_utf8(linked).unwrap();
            let libraries = linked
                .split_whitespace()
                .filter(|word| word.starts_with('/'));
            for file in libraries.chain([program]) {
                let to = dir.join(file.trim_start_matches('/'));
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::copy(file, to).unwrap();
            }
        }
        self
    }

    pub fn recipe(&self, name: &str) -> Recipe {
        Recipe::named(&self.name(name), &self.path("images")).unwrap()
    }

    /// As a process of its own would see the images.
    pub fn images(&self) -> Images {
        let images = ImageSettings {
            dir: Some(self.path("images")),
            pull: false,
            budget: None,
        };
        let host = HostSettings {
            ca_bundle: self.ca_bundle.clone(),
            pass_env: Vec::new(),
            state: self.state(),
        };
        Images::new(&self.docker, &images, &host)
    }

    pub async fn build(&self, name: &str) -> Result<BuiltImage, ImageError> {
        let recipe = self.recipe(name);
        self.images().ensure(&recipe, MINUTE, &|_| ()).await
    }

    pub async fn collect(&self, images: &Images, name: &str) -> (usize, usize, usize) {
        let rules = GcRules {
            names: vec![self.name(name)],
            all: true,
            older_than: Duration::ZERO,
            dry_run: false,
        };
        let collected = images.gc(rules).await.unwrap();
        (
            collected.removed.len(),
            collected.in_use.len(),
            collected.layers,
        )
    }

    pub async fn exists(&self, tag: &str) -> bool {
        self.docker.inspect_image(tag).await.is_ok()
    }

    /// Containers with this place's label `mark`.
    pub async fn containers(&self) -> usize {
        let filters = HashMap::from([("label", vec![format!("mark={}", self.mark)])]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let found = self.docker.list_containers(Some(options)).await;
        found.unwrap().len()
    }

    /// Builds as somebody else would, with nothing of ours.
    pub async fn foreign(&self, tag: &str, dockerfile: &str) {
        let mut header = tar::Header::new_gnu();
        header.set_size(dockerfile.len() as u64);
        header.set_mode(0o644);
        let mut tar = tar::Builder::new(Vec::new());
        tar.append_data(&mut header, "Dockerfile", dockerfile.as_bytes())
            .unwrap();
        let body = body_full(tar.into_inner().unwrap().into());
        let options = BuildImageOptionsBuilder::new().t(tag).rm(true).build();
        let answers = self.docker.build_image(options, None, Some(body));
        answers.for_each(async |answer| drop(answer.unwrap())).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mark = self.mark.clone();
        // Also when a test fails, and whatever runtime it ran in.
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(remove_tagged(&mark));
        });
        let _ = removal.join();
    }
}

async fn remove_tagged(mark: &str) {
    let docker = connect(None).await.unwrap();
    let options = ListImagesOptionsBuilder::new().build();
    let images = docker.list_images(Some(options)).await.unwrap();
    for image in images {
        let named = |tag: &&String| tag.contains(&format!("-{mark}:"));
        let mut names: Vec<_> = image.repo_tags.iter().filter(named).collect();
        // What the engine left of a build whose step was taken away.
        if image.labels.get("a").is_some_and(|a| a == mark) {
            names.push(&image.id);
        }
        for name in names {
            let options = RemoveImageOptionsBuilder::new().force(true).build();
            let _ = docker.remove_image(name, Some(options), None).await;
        }
    }
}

/// Keeps what it is told.
#[derive(Clone, Default)]
pub struct Told(Arc<Mutex<Vec<ImageProgress>>>);

impl Told {
    pub fn sink(&self) -> impl Fn(ImageProgress) + Send + Sync + use<> {
        let told = self.clone();
        move |progress| told.0.lock().unwrap().push(progress)
    }

    pub fn first_steps(&self) -> usize {
        let first = |one: &&ImageProgress| matches!(one, ImageProgress::Building { step: 1, .. });
        self.0.lock().unwrap().iter().filter(first).count()
    }
}
