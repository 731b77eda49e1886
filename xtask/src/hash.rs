//! Content hashes in file names, so that a browser may keep a file for ever.
//!
//! Names and `hash.txt` are what Leptos reads (`HydrationScripts`, `HashedStylesheet`) and what
//! cargo-leptos writes: the MD5 of the content, in unpadded URL-safe base64.

use std::{fmt::Write, fs, path::Path};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use md5::{Digest, Md5};

use crate::error::BuildError;

/// The file in the site that tells Leptos the hashes.
pub const FILE: &str = "hash.txt";

/// Puts its content's hash into the name of each file `name.{js,wasm,css}` of `folder`; the text of
/// `hash.txt`.
///
/// # Errors
///
/// When a file is missing or cannot be renamed.
pub fn rename(folder: &Path, name: &str) -> Result<String, BuildError> {
    let mut lines = String::new();
    for ending in ["js", "wasm", "css"] {
        let hash = rename_one(folder, name, ending)?;
        // Writing to a `String` cannot fail.
        let _ = writeln!(lines, "{ending}: {hash}");
    }
    Ok(lines)
}

/// Puts its content's hash into the name of the file `name.ending` of `folder`; the hash.
///
/// # Errors
///
/// When the file is missing or cannot be renamed.
pub fn rename_one(folder: &Path, name: &str, ending: &str) -> Result<String, BuildError> {
    let plain = folder.join(format!("{name}.{ending}"));
    let content = fs::read(&plain).map_err(BuildError::file("read", &plain))?;
    let hash = of(&content);
    let hashed = folder.join(format!("{name}.{hash}.{ending}"));
    fs::rename(&plain, hashed).map_err(BuildError::file("rename", plain))?;
    Ok(hash)
}

fn of(content: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Md5::digest(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_lines_carry_the_hash_of_the_content() {
        let folder = tempfile::tempdir().unwrap();
        for ending in ["js", "wasm", "css"] {
            fs::write(folder.path().join(format!("site.{ending}")), "hello").unwrap();
        }

        let lines = rename(folder.path(), "site").unwrap();

        // The same as: printf hello | openssl md5 -binary | basenc --base64url
        let hash = "XUFAKrxLKna5cZ2REBfFkg";
        assert_eq!(lines, format!("js: {hash}\nwasm: {hash}\ncss: {hash}\n"));
        assert!(folder.path().join(format!("site.{hash}.wasm")).exists());
        assert!(!folder.path().join("site.wasm").exists());
    }
}
