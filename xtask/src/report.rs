//! What a visitor downloads, in numbers.

use std::{fs, path::Path};

use crate::{error::BuildError, files};

/// One line for each file of `folder` that a browser loads: its size, and what travels.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn sizes(folder: &Path) -> Result<Vec<String>, BuildError> {
    let names = files::list(folder)?.into_iter().map(|file| file.to_string_lossy().into_owned());
    names
        .filter(|name| !is_twin(name))
        .map(|name| {
            let (plain, dense) = size_of(folder, &name)?;
            Ok(format!("{name}: {}, brotli {}", kilobytes(plain), kilobytes(dense)))
        })
        .collect()
}

/// One line for all files of `folder` that a browser loads as `what`: their size, and what travels.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn total(what: &str, folder: &Path, belongs: impl Fn(&str) -> bool) -> Result<String, BuildError> {
    let (mut plain, mut dense) = (0, 0);
    let names = files::list(folder)?.into_iter().map(|file| file.to_string_lossy().into_owned());
    for name in names.filter(|name| !is_twin(name) && belongs(name)) {
        let (size, travels) = size_of(folder, &name)?;
        plain += size;
        dense += travels;
    }
    Ok(format!("{what}: {}, brotli {}", kilobytes(plain), kilobytes(dense)))
}

fn is_twin(name: &str) -> bool {
    [".br", ".gz"].iter().any(|ending| name.ends_with(ending))
}

/// The bytes of a file, and those of its twin that travels.
fn size_of(folder: &Path, name: &str) -> Result<(u64, u64), BuildError> {
    let path = folder.join(name);
    let plain = fs::metadata(&path).map_err(BuildError::file("read", path))?.len();
    let dense = fs::metadata(folder.join(format!("{name}.br"))).map_or(plain, |file| file.len());
    Ok((plain, dense))
}

/// Rounded up, in units of 1,000 bytes.
fn kilobytes(bytes: u64) -> String {
    format!("{} kB", bytes.div_ceil(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_listed_with_what_travels() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.wasm"), [0; 2001]).unwrap();
        fs::write(folder.path().join("a.wasm.br"), [0; 900]).unwrap();
        fs::write(folder.path().join("a.wasm.gz"), [0; 950]).unwrap();
        assert_eq!(sizes(folder.path()).unwrap(), ["a.wasm: 3 kB, brotli 1 kB"]);
        assert_eq!(total("all", folder.path(), |name| name != "b").unwrap(), "all: 3 kB, brotli 1 kB");
    }
}
