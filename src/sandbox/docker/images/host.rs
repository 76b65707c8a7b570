//! What this host lends to builds and sandboxes that have a network: its CA
//! bundle and the variables that the settings name.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::error::ImageError;
use crate::config::HostSettings;
use crate::record::hex;

/// Where the host's CA bundle lies in a build and in a sandbox.
pub const CA_PATH: &str = "/usr/local/share/proofyard/ca.pem";

/// The variables by which programs find a CA bundle.
pub const CA_VARIABLES: [&str; 7] = [
    "SSL_CERT_FILE",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
    "CARGO_HTTP_CAINFO",
];

/// Arguments that every build knows without declaring them, and which leave no
/// trace in an image's history.
const PREDEFINED: [&str; 10] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "FTP_PROXY",
    "ftp_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// Largest bundle, bytes.
const MOST_CA: u64 = 8 << 20;

/// The variables that a sandbox with a network gets: those of `pass_env` that are
/// set here, and where there is a CA bundle those that point to [`CA_PATH`],
/// where whoever makes the sandbox puts the file.
pub fn host_env(settings: &HostSettings) -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = passed(settings).collect();
    if settings.ca_bundle.is_some() {
        for name in CA_VARIABLES {
            variables.push((name.into(), CA_PATH.into()));
        }
    }
    variables
}

fn passed(settings: &HostSettings) -> impl Iterator<Item = (String, String)> {
    settings
        .pass_env
        .iter()
        .filter_map(|name| Some((name.clone(), std::env::var(name).ok()?)))
}

/// What one build gets.
#[derive(Debug, Clone, Default)]
pub(super) struct BuildHost {
    /// An image of ours that holds nothing but the bundle, as `/ca.pem`.
    pub ca_image: Option<String>,
    /// Arguments that a stage must declare to see them.
    pub declared: Vec<String>,
    pub arguments: HashMap<String, String>,
}

impl BuildHost {
    pub(super) fn new(settings: &HostSettings, ca_image: Option<String>) -> Self {
        let arguments: HashMap<String, String> = passed(settings).collect();
        let declared = settings
            .pass_env
            .iter()
            .filter(|name| arguments.contains_key(*name) && !PREDEFINED.contains(&name.as_str()));
        Self {
            ca_image,
            declared: declared.cloned().collect(),
            arguments,
        }
    }
}

/// A CA bundle and the tag of the image that carries it.
#[derive(Debug)]
pub(super) struct CaBundle {
    pub content: Vec<u8>,
    pub tag: String,
}

impl CaBundle {
    pub(super) fn read(path: &Path) -> Result<Self, ImageError> {
        let wrap = |source| ImageError::host("reading the CA bundle", path, source);
        let mut content = Vec::new();
        File::open(path)
            .map_err(wrap)?
            .take(MOST_CA + 1)
            .read_to_end(&mut content)
            .map_err(wrap)?;
        if content.len() as u64 > MOST_CA {
            return Err(wrap(std::io::Error::other("larger than 8 MiB")));
        }
        let digest = hex(&Sha256::digest(&content));
        Ok(Self {
            content,
            tag: format!("proofyard/ca:{}", &digest[..16]),
        })
    }

    /// A build context that makes the image.
    pub(super) fn context(&self) -> std::io::Result<Vec<u8>> {
        let mut tar = tar::Builder::new(Vec::new());
        let dockerfile = b"FROM scratch\nCOPY ca.pem /ca.pem\nLABEL proofyard.kind=ca\n";
        for (name, content) in [
            ("Dockerfile", dockerfile.as_slice()),
            ("ca.pem", &self.content),
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(content.len() as u64);
            tar.append_data(&mut header, name, content)?;
        }
        tar.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_gets_the_bundle_and_what_is_passed_and_set() {
        let settings = HostSettings {
            ca_bundle: Some("/etc/ca.pem".into()),
            pass_env: vec!["PATH".into(), "SURELY_NOT_SET_ANYWHERE".into()],
            state: "/nowhere".into(),
        };
        let names: Vec<String> = host_env(&settings).into_iter().map(|pair| pair.0).collect();
        assert_eq!(names[0], "PATH");
        assert_eq!(names[1..], CA_VARIABLES);
        assert_eq!(BuildHost::new(&settings, None).declared, ["PATH"]);
    }
}
