//! A recipe: a folder with a Dockerfile, addressed by the digest of all that it says.
//!
//! Owns the digest and the chain of our own images that a recipe starts from.
//! Must not know the engine: two hosts with the same files agree on every digest.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::context::Context;
use super::dockerfile::Dockerfile;
use super::error::ImageError;
use crate::record::Digest;

/// Our images' repository prefix.
pub const NAMESPACE: &str = "proofyard/";
/// Repositories below [`NAMESPACE`] that no folder of `images/` may be named after.
const RESERVED: [&str; 3] = ["task", "debian", "ca"];
/// Longest Dockerfile, bytes.
const MOST_TEXT: u64 = 1 << 20;
/// Longest chain of our own images.
const MOST_BASES: usize = 32;

/// How an image is made.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// What it is called in messages and logs: the image's name, or the task's.
    pub name: String,
    /// `proofyard/<name>` or `proofyard/task`.
    pub repository: String,
    /// The Dockerfile, as a path to show.
    pub file: PathBuf,
    /// Of Dockerfile, context and the recipes of its own bases.
    pub digest: Digest,
    pub(super) dockerfile: Dockerfile,
    pub(super) context: Context,
    pub(super) context_digest: [u8; 32],
    /// By index of the Dockerfile's reference: those that are recipes of ours.
    pub(super) bases: Vec<Option<Arc<Recipe>>>,
    /// Arguments of the build, beside this host's.
    pub(super) args: BTreeMap<String, String>,
    /// The stage that is built; the last one where none is named.
    pub(super) target: Option<String>,
}

/// A recipe that is more than a folder with a Dockerfile.
#[derive(Debug, Clone, Default)]
pub struct Described {
    /// What it is called in messages and logs, where the context's folder says nothing.
    pub name: Option<String>,
    /// The folder of the files.
    pub context: PathBuf,
    /// The Dockerfile, where it is not the context's.
    pub file: Option<PathBuf>,
    /// Its text, where no file has it.
    pub text: Option<String>,
    pub args: BTreeMap<String, String>,
    pub target: Option<String>,
    /// Files and folders that stay out of the context, absolute.
    pub without: Vec<PathBuf>,
}

impl Recipe {
    /// Reads the recipe in `dir`. `images` is the folder of `<name>/Dockerfile`
    /// that `FROM proofyard/<name>` means; a `dir` right below it is a named image.
    ///
    /// # Errors
    /// What cannot be read; a Dockerfile that names no base, needs BuildKit, or
    /// leads back to itself, with file and line; a context beyond its bounds.
    pub fn from_dir(dir: &Path, images: Option<&Path>) -> Result<Self, ImageError> {
        let described = Described {
            context: dir.to_owned(),
            ..Described::default()
        };
        Self::described(&described, images)
    }

    /// Reads a recipe that says more than a folder does.
    ///
    /// # Errors
    /// As [`Recipe::from_dir`].
    pub fn described(described: &Described, images: Option<&Path>) -> Result<Self, ImageError> {
        let mut chain = Vec::new();
        Self::read(described, images, &mut chain)
    }

    /// The recipe of `images/<name>`.
    ///
    /// # Errors
    /// As [`Recipe::from_dir`].
    pub fn named(name: &str, images: &Path) -> Result<Self, ImageError> {
        Self::from_dir(&images.join(name), Some(images))
    }

    /// Names of all recipes below `images`, sorted.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn names(images: &Path) -> Result<Vec<String>, ImageError> {
        let wrap = |source| ImageError::host("reading", images, source);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(images).map_err(wrap)? {
            let entry = entry.map_err(wrap)?;
            if let Ok(name) = entry.file_name().into_string()
                && entry.path().join("Dockerfile").is_file()
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// The tag that addresses the image: its repository and the digest's first 16 digits.
    pub fn tag(&self) -> String {
        format!("{}:{}", self.repository, self.short())
    }

    /// Whether it is an image of `images/`, which is tagged `latest` as well.
    pub fn is_named(&self) -> bool {
        self.repository != "proofyard/task"
    }

    /// The first 16 hexadecimal digits of the digest.
    pub fn short(&self) -> &str {
        short(&self.digest)
    }

    fn read(
        described: &Described,
        images: Option<&Path>,
        chain: &mut Vec<PathBuf>,
    ) -> Result<Self, ImageError> {
        let dir = described.context.as_path();
        let whole = dir
            .canonicalize()
            .map_err(|source| ImageError::host("reading", dir, source))?;
        let own = || match &described.name {
            // There is no such file that anybody could look for.
            Some(name) => PathBuf::from(format!("Dockerfile of {name}")),
            None => dir.join("Dockerfile"),
        };
        let file = described.file.clone().unwrap_or_else(own);
        let text = match &described.text {
            Some(text) => text.clone(),
            None => read_text(&file)?,
        };
        let at = |line: usize, message: String| ImageError::Dockerfile {
            file: file.clone(),
            line,
            message,
        };
        let dockerfile = Dockerfile::parse(&text).map_err(|error| at(error.line, error.message))?;
        let (name, repository) = names(&whole, images).map_err(|message| at(1, message))?;
        let name = described.name.clone().unwrap_or(name);
        chain.push(whole);
        let mut bases = Vec::with_capacity(dockerfile.references.len());
        for reference in &dockerfile.references {
            let Some(base) = images.and_then(|images| own_base(&reference.image, images)) else {
                bases.push(None);
                continue;
            };
            let target = base.canonicalize().unwrap_or_else(|_| base.clone());
            if chain.contains(&target) {
                let message = format!("{} leads back to proofyard/{name}", reference.image);
                return Err(at(reference.line, message));
            }
            if chain.len() == MOST_BASES {
                return Err(at(reference.line, format!("more than {MOST_BASES} bases")));
            }
            let base = Described {
                context: base,
                ..Described::default()
            };
            bases.push(Some(Arc::new(Self::read(&base, images, chain)?)));
        }
        chain.pop();
        let context = Context::read(dir, &described.without)?;
        let context_digest = context.digest()?;
        let mut hash = Sha256::new();
        let mut add = |part: &[u8]| {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        add(b"proofyard/recipe/1");
        add(text.as_bytes());
        add(&context_digest);
        for (reference, base) in dockerfile.references.iter().zip(&bases) {
            if let Some(base) = base {
                add(reference.image.as_bytes());
                add(base.digest.as_str().as_bytes());
            }
        }
        // What most recipes do not say leaves their digests as they were.
        for (name, value) in &described.args {
            add(b"argument");
            add(name.as_bytes());
            add(value.as_bytes());
        }
        if let Some(target) = &described.target {
            add(b"target");
            add(target.as_bytes());
        }
        let digest = Digest::of_sha256(&hash.finalize());
        Ok(Self {
            args: described.args.clone(),
            target: described.target.clone(),
            name,
            repository,
            file,
            digest,
            dockerfile,
            context,
            context_digest,
            bases,
        })
    }
}

/// `sha256:<64 hex>` → its first 16 digits.
pub(super) fn short(digest: &Digest) -> &str {
    let hex = digest.as_str().trim_start_matches("sha256:");
    hex.get(..16).unwrap_or(hex)
}

/// The folder that `FROM proofyard/<name>` means, where there is one.
pub(super) fn own_base(image: &str, images: &Path) -> Option<PathBuf> {
    let name = image.strip_prefix(NAMESPACE)?;
    let name = name.strip_suffix(":latest").unwrap_or(name);
    let dir = images.join(name);
    (is_plain(name) && dir.join("Dockerfile").is_file()).then_some(dir)
}

/// What the engine takes as a repository's name, without folders.
fn is_plain(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    bytes.first().is_some_and(|byte| inner(*byte))
        && bytes.last().is_some_and(|byte| inner(*byte))
        && bytes
            .iter()
            .all(|byte| inner(*byte) || b"._-".contains(byte))
        && name.len() <= 100
}

/// Name to show and repository of the recipe in `dir` (canonical).
fn names(dir: &Path, images: Option<&Path>) -> Result<(String, String), String> {
    let last = |dir: &Path| {
        dir.file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    };
    let images = images.and_then(|images| images.canonicalize().ok());
    if images.is_some() && images.as_deref() == dir.parent() {
        let name = last(dir);
        if RESERVED.contains(&name.as_str()) || !is_plain(&name) {
            return Err(format!("`{name}` cannot be the name of an image"));
        }
        return Ok((name.clone(), format!("{NAMESPACE}{name}")));
    }
    // A task's Dockerfile lies in `<task>/environment`.
    let named = match dir.parent() {
        Some(task) if last(dir) == "environment" => task,
        _ => dir,
    };
    Ok((last(named), format!("{NAMESPACE}task")))
}

fn read_text(file: &Path) -> Result<String, ImageError> {
    let wrap = |source| ImageError::host("reading", file, source);
    let open = File::open(file).map_err(wrap)?;
    let mut text = Vec::new();
    open.take(MOST_TEXT + 1)
        .read_to_end(&mut text)
        .map_err(wrap)?;
    let refuse = |line: usize, message: &str| ImageError::Dockerfile {
        file: file.to_owned(),
        line,
        message: message.into(),
    };
    if text.len() as u64 > MOST_TEXT {
        return Err(refuse(1, "longer than 1 MiB"));
    }
    String::from_utf8(text).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        refuse(line, "not UTF-8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    /// A folder `images` made from names and Dockerfiles.
    fn images(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    fn digest(dir: &tempfile::TempDir, name: &str) -> Digest {
        Recipe::named(name, dir.path()).unwrap().digest
    }

    #[test]
    fn the_digest_changes_with_content_mode_name_and_base() {
        let dir = images(&[
            ("a/Dockerfile", "FROM scratch\nCOPY f /f\n"),
            ("a/f", "one"),
            ("b/Dockerfile", "FROM proofyard/a\n"),
        ]);
        let mut seen = vec![(digest(&dir, "a"), digest(&dir, "b"))];
        let file = dir.path().join("a/f");
        let steps: [&dyn Fn(); 5] = [
            &|| fs::write(&file, "two").unwrap(),
            &|| fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap(),
            &|| fs::write(dir.path().join("a/g"), "").unwrap(),
            &|| std::os::unix::fs::symlink("f", dir.path().join("a/l")).unwrap(),
            &|| fs::write(dir.path().join("a/Dockerfile"), "FROM scratch\n").unwrap(),
        ];
        for step in steps {
            step();
            let now = (digest(&dir, "a"), digest(&dir, "b"));
            assert!(seen.iter().all(|old| old.0 != now.0 && old.1 != now.1));
            seen.push(now);
        }
    }

    #[test]
    fn the_digest_stays_with_time_place_and_what_is_ignored() {
        let files = [
            ("a/Dockerfile", "FROM scratch\nCOPY f /f\n"),
            ("a/.dockerignore", "*.log\n"),
            ("a/f", "one"),
        ];
        let (one, two) = (images(&files), images(&files));
        fs::write(two.path().join("a/x.log"), "noise").unwrap();
        assert_eq!(digest(&one, "a"), digest(&two, "a"));
    }

    #[test]
    fn a_cycle_is_an_error_with_file_and_line() {
        let dir = images(&[
            ("a/Dockerfile", "# a comment\nFROM proofyard/b\n"),
            ("b/Dockerfile", "FROM proofyard/a:latest\n"),
        ]);
        let error = Recipe::named("a", dir.path()).unwrap_err().to_string();
        let error = error.replace(&dir.path().display().to_string(), "images");
        insta::assert_snapshot!(error, @"images/b/Dockerfile:1: proofyard/a:latest leads back to proofyard/b");
    }

    #[test]
    fn a_task_is_named_after_its_folder_and_a_missing_recipe_is_no_base() {
        let dir = images(&[("glob/environment/Dockerfile", "FROM proofyard/none\n")]);
        let environment = dir.path().join("glob/environment");
        let recipe = Recipe::from_dir(&environment, Some(dir.path())).unwrap();
        assert_eq!((recipe.name.as_str(), recipe.is_named()), ("glob", false));
        assert_eq!(recipe.tag(), format!("proofyard/task:{}", recipe.short()));
    }

    #[test]
    fn a_reserved_name_is_refused() {
        let dir = images(&[("task/Dockerfile", "FROM scratch\n")]);
        assert!(Recipe::named("task", dir.path()).is_err());
    }

    #[test]
    fn a_fifo_in_a_context_is_named() {
        let dir = images(&[("a/Dockerfile", "FROM scratch\n")]);
        nix::unistd::mkfifo(&dir.path().join("a/pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let error = Recipe::named("a", dir.path()).unwrap_err().to_string();
        assert!(error.contains("pipe is neither a file"), "{error}");
    }
}
