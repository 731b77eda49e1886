//! Whether two sites are the same, however they were built.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{error::BuildError, files, plain_pages};

/// Compares the files two sites serve, names with their hashes and contents, byte by byte.
///
/// Left out is what no browser asks for, types for TypeScript, what follows from the rest, the
/// compressed twins, and what only one of the two ways makes: the files of plain pages.
///
/// # Errors
///
/// When they differ, naming each file, or cannot be read.
pub fn sites(left: &Path, right: &Path) -> Result<(), BuildError> {
    let differences = differences(&contents(left)?, &contents(right)?);
    if differences.is_empty() { Ok(()) } else { Err(BuildError::Different(differences)) }
}

type Contents = BTreeMap<String, Vec<u8>>;

fn contents(site: &Path) -> Result<Contents, BuildError> {
    let names = files::list(site)?.into_iter().map(|file| file.to_string_lossy().into_owned());
    names
        .filter(|name| ![".br", ".gz", ".ts"].iter().any(|ending| name.ends_with(ending)) && !plain_pages::is_one(name))
        .map(|name| {
            let path = site.join(&name);
            let content = fs::read(&path).map_err(BuildError::file("read", path))?;
            Ok((name, content))
        })
        .collect()
}

fn differences(left: &Contents, right: &Contents) -> Vec<String> {
    let missing = |name: &String, from: &Contents, side: &str| {
        (!from.contains_key(name)).then(|| format!("{name} is missing on the {side}"))
    };
    let only_right = right.keys().filter_map(|name| missing(name, left, "left"));
    let only_left = left.keys().filter_map(|name| missing(name, right, "right"));
    let changed = left.iter().filter_map(|(name, content)| {
        let other = right.get(name)?;
        (content != other).then(|| format!("{name} differs: {} and {} bytes", content.len(), other.len()))
    });
    only_right.chain(only_left).chain(changed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("pkg")).unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        folder
    }

    #[test]
    fn compressed_twins_and_types_do_not_count() {
        let left = site(&[("pkg/a.js", "1"), ("pkg/a.js.br", "x"), ("pkg/client.H.js", "x"), ("jpulse.js", "x")]);
        let right = site(&[("pkg/a.js", "1"), ("pkg/a.d.ts", "x")]);
        sites(left.path(), right.path()).unwrap();
    }

    #[test]
    fn each_difference_is_named() {
        let left = site(&[("pkg/a.js", "1"), ("pkg/b.css", "12")]);
        let right = site(&[("pkg/b.css", "123"), ("pkg/c.wasm", "1")]);
        let Err(BuildError::Different(found)) = sites(left.path(), right.path()) else { panic!("no difference found") };
        assert_eq!(
            found,
            [
                "pkg/c.wasm is missing on the left",
                "pkg/a.js is missing on the right",
                "pkg/b.css differs: 2 and 3 bytes"
            ]
        );
    }
}
