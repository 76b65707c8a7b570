//! Signatures of a run's manifest, with a key of the user's own.
//!
//! Owns how keys are read (PEM, as openssl writes them) and the signature's form: a
//! plain ed25519 signature of the manifest's bytes, so that openssl verifies it as
//! well. Must not know what a manifest says.

use std::io;
use std::path::{Path, PathBuf};

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};

use crate::record::hex;

/// What stands before the 32 bytes of an ed25519 key in its SubjectPublicKeyInfo
/// (RFC 8410).
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// A key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("read the key {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "{path} holds no private ed25519 key in PKCS#8 and PEM; `openssl genpkey -algorithm ed25519 -out {path}` makes one"
    )]
    Private { path: PathBuf },
    #[error(
        "{path} holds no public ed25519 key in PEM; `openssl pkey -in KEY -pubout -out {path}` makes it of a private one"
    )]
    Public { path: PathBuf },
}

/// Signs manifests.
pub struct Signer(Ed25519KeyPair);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Signer").field(&self.public()).finish()
    }
}

impl Signer {
    /// The private key in a PEM file.
    ///
    /// # Errors
    /// [`KeyError::Read`], [`KeyError::Private`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let wrong = || KeyError::Private {
            path: path.to_owned(),
        };
        let text = read(path)?;
        let der = PrivatePkcs8KeyDer::from_pem_slice(&text).map_err(|_| wrong())?;
        // openssl writes the first version of PKCS#8, which has no public key in it.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der());
        Ok(Self(pair.map_err(|_| wrong())?))
    }

    pub(super) fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.sign(bytes).as_ref().to_vec()
    }

    /// Hex, 32 bytes.
    pub(super) fn public(&self) -> String {
        hex(self.0.public_key().as_ref())
    }
}

/// Verifies signatures of manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

impl PublicKey {
    /// The public key in a PEM file.
    ///
    /// # Errors
    /// [`KeyError::Read`], [`KeyError::Public`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = read(path)?;
        let der = SubjectPublicKeyInfoDer::from_pem_slice(&text).ok();
        let key = der.and_then(|der| der.strip_prefix(&SPKI).map(<[u8]>::to_vec));
        match key {
            Some(key) if key.len() == 32 => Ok(Self(key)),
            _ => Err(KeyError::Public {
                path: path.to_owned(),
            }),
        }
    }

    /// From hex, 32 bytes.
    pub(super) fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let lower = |digit: &u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(digit);
        if digits.len() != 64 || !digits.iter().all(lower) {
            return None;
        }
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let key: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
        key.map(Self)
    }

    /// Hex, 32 bytes.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }

    pub(super) fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.0);
        key.verify(bytes, signature).is_ok()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KeyError> {
    std::fs::read(path).map_err(|source| KeyError::Read {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Of these tests alone: made by `openssl genpkey -algorithm ed25519` and `pkey -pubout`.
    pub(crate) const KEY: &str = "\
        -----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIICqOH2YZ/u8gHU1hklBRLTqcEnQtnZkp3c0r5NCZg4/\n\
        -----END PRIVATE KEY-----\n";
    pub(crate) const PUBLIC: &str = "\
        -----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAWOERo9bVNC2EpCydOTqxspF/sDHjL+VEd683NZH5B6A=\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn keys_as_openssl_writes_them_sign_and_verify() {
        let dir = tempfile::tempdir().unwrap();
        let (key, public) = (dir.path().join("k.pem"), dir.path().join("p.pem"));
        std::fs::write(&key, KEY).unwrap();
        std::fs::write(&public, PUBLIC).unwrap();
        let signer = Signer::read(&key).unwrap();
        let verifier = PublicKey::read(&public).unwrap();
        assert_eq!(signer.public(), verifier.hex());
        assert_eq!(
            PublicKey::from_hex(&signer.public()),
            Some(verifier.clone())
        );
        let signature = signer.sign(b"a manifest");
        assert!(verifier.verifies(b"a manifest", &signature));
        assert!(!verifier.verifies(b"another one", &signature));
    }

    #[test]
    fn what_is_no_key_is_told_with_the_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("k.pem");
        std::fs::write(&path, PUBLIC).unwrap();
        let refused = Signer::read(&path).unwrap_err().to_string();
        assert!(refused.contains("openssl genpkey"), "{refused}");
        std::fs::write(&path, KEY).unwrap();
        let refused = PublicKey::read(&path).unwrap_err().to_string();
        assert!(refused.contains("openssl pkey"), "{refused}");
        assert!(PublicKey::read(&dir.path().join("none")).is_err());
    }
}
