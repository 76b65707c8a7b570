//! A registry of one small image, as much of one as an engine asks for.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proofyard::record::hex;
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// Where it is, and what was asked of it.
pub struct Registry {
    /// `127.0.0.1:PORT`, which an engine trusts without a certificate.
    pub host: String,
    /// How often the image was pulled.
    pub given: Arc<AtomicUsize>,
    /// Of the manifest, `sha256:…`.
    pub digest: String,
}

struct Served {
    manifest: Vec<u8>,
    blobs: Vec<Vec<u8>>,
    /// So many requests for a manifest are refused first.
    refuse: AtomicUsize,
    given: Arc<AtomicUsize>,
}

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

impl Registry {
    /// Serves an image with a file of this content under every name, after it was too busy
    /// for the first `refuse` requests.
    pub fn serve(content: &str, refuse: usize) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        let mut layer = tar::Builder::new(Vec::new());
        layer
            .append_data(&mut header, "file", content.as_bytes())
            .unwrap();
        let layer = layer.into_inner().unwrap();
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
            "history": [{"created": "2024-01-02T03:04:05Z", "created_by": "test"}],
        });
        let config = serde_json::to_vec(&config).unwrap();
        let part = |kind: &str, bytes: &[u8]| {
            json!({
                "mediaType": format!("application/vnd.docker.{kind}"),
                "size": bytes.len(), "digest": digest(bytes),
            })
        };
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": part("container.image.v1+json", &config),
            "layers": [part("image.rootfs.diff.tar.gzip", &layer)],
        });
        let manifest = serde_json::to_vec(&manifest).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let given = Arc::new(AtomicUsize::new(0));
        let registry = Self {
            host: listener.local_addr().unwrap().to_string(),
            given: given.clone(),
            digest: digest(&manifest),
        };
        let served = Arc::new(Served {
            manifest,
            blobs: vec![config, layer],
            refuse: AtomicUsize::new(refuse),
            given,
        });
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let served = served.clone();
                std::thread::spawn(move || served.answer(stream));
            }
        });
        registry
    }
}

impl Served {
    /// Answers one request; an engine that tries TLS first hears nothing that is one.
    fn answer(&self, mut stream: TcpStream) {
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") && request.len() < 1 << 14 {
            match stream.read(&mut byte) {
                Ok(1) if request.is_empty() && byte[0] == 0x16 => return,
                Ok(1) => request.push(byte[0]),
                _ => return,
            }
        }
        let request = String::from_utf8_lossy(&request).into_owned();
        let mut words = request.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap_or_default());
        let nothing: &[u8] = b"";
        let (status, kind, body) = match path {
            "/v2/" => ("200 OK", "application/json", &b"{}"[..]),
            path if path.contains("/manifests/") => self.manifest(method, path),
            path => {
                let named = |blob: &&Vec<u8>| path.ends_with(&digest(blob));
                match self.blobs.iter().find(named) {
                    Some(blob) => ("200 OK", "application/octet-stream", blob.as_slice()),
                    None => ("404 Not Found", "application/json", nothing),
                }
            }
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
             Docker-Content-Digest: {}\r\nDocker-Distribution-Api-Version: registry/2.0\r\n\r\n",
            body.len(),
            digest(body),
        );
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(if method == "HEAD" { nothing } else { body });
    }

    /// By its tag or by its digest, which each pull asks for once.
    fn manifest(&self, method: &str, path: &str) -> (&'static str, &'static str, &[u8]) {
        let fewer = |left: usize| left.checked_sub(1);
        let order = Ordering::SeqCst;
        if self.refuse.fetch_update(order, order, fewer).is_ok() {
            return ("503 Service Unavailable", "text/plain", b"busy");
        }
        if method == "GET" && path.contains("sha256:") {
            self.given.fetch_add(1, order);
        }
        ("200 OK", MANIFEST, &self.manifest)
    }
}
