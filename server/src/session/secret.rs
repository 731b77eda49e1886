//! What cookies are signed with.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha512};
use thiserror::Error;
use tower_sessions::cookie::Key;
use uuid::Uuid;

/// Where a secret that was made is kept, in the data directory.
const FILE: &str = "session.secret";
/// Keeps this use of the secret apart from any other.
const PURPOSE: &[u8] = b"jpulse session cookie\0";

/// Why there is no secret.
#[derive(Debug, Error)]
#[error("the secret for sessions cannot be kept in {}: {source}; set SESSION_SECRET or make the folder writable", path.display())]
pub struct SecretError {
    path: PathBuf,
    source: io::Error,
}

/// The key of the configured secret, or of one made at the first start and kept in `data_dir`.
///
/// # Errors
///
/// When a secret has to be kept and cannot be.
pub fn cookie_key(secret: &str, data_dir: &Path) -> Result<Key, SecretError> {
    if secret.is_empty() { kept_secret(data_dir).map(|kept| key(&kept)) } else { Ok(key(secret)) }
}

/// The secret that was made at the first start and is kept in `data_dir`.
///
/// # Errors
///
/// When it cannot be kept.
pub fn kept_secret(data_dir: &Path) -> Result<String, SecretError> {
    let path = data_dir.join(FILE);
    keep(data_dir, &path).map_err(|source| SecretError { path, source })
}

/// What is in the file; the first who comes writes it.
fn keep(data_dir: &Path, path: &Path) -> io::Result<String> {
    fs::create_dir_all(data_dir)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => {
            let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
            file.write_all(secret.as_bytes())?;
            file.sync_all()?;
            Ok(secret)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let kept = fs::read_to_string(path)?.trim().to_owned();
            if kept.is_empty() {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is empty: remove it"));
            }
            Ok(kept)
        }
        Err(error) => Err(error),
    }
}

/// As long as a cookie's key must be, whatever the length of the secret.
fn key(secret: &str) -> Key {
    Key::from(&Sha512::new().chain_update(PURPOSE).chain_update(secret).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let first = cookie_key("", &data).unwrap();
        assert_eq!(first.master(), cookie_key("", &data).unwrap().master());
        assert_ne!(first.master(), cookie_key("another secret of thirty-two chars", &data).unwrap().master());
    }
}
