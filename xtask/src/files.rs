//! Folders of files: walked, copied, replaced.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::error::BuildError;

/// All files below `folder`, relative to it, in order of their names.
///
/// # Errors
///
/// When the folder or one inside it cannot be read.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let mut files = Vec::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(inner) = waiting.pop() {
        let path = folder.join(&inner);
        for entry in fs::read_dir(&path).map_err(BuildError::file("read", &path))? {
            let entry = entry.map_err(BuildError::file("read", &path))?;
            let name = inner.join(entry.file_name());
            if entry.path().is_dir() { waiting.push(name) } else { files.push(name) }
        }
    }
    files.sort();
    Ok(files)
}

/// Copies all files below `source` to the same places below `target`.
///
/// # Errors
///
/// When one cannot be read or written.
pub fn copy(source: &Path, target: &Path) -> Result<(), BuildError> {
    for file in list(source)? {
        let (from, to) = (source.join(&file), target.join(&file));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(BuildError::file("create", folder))?;
        }
        fs::copy(&from, &to).map_err(BuildError::file("copy", from))?;
    }
    Ok(())
}

/// Removes a folder and all in it; none there is fine.
///
/// # Errors
///
/// When it stays.
pub fn remove(folder: &Path) -> Result<(), BuildError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BuildError::file("remove", folder)(error)),
        _ => Ok(()),
    }
}

/// Puts the folder `new` in the place of `old`.
///
/// # Errors
///
/// When that is not possible.
pub fn replace(old: &Path, new: &Path) -> Result<(), BuildError> {
    remove(old)?;
    fs::rename(new, old).map_err(BuildError::file("rename", new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_holds_the_same_files() {
        let folder = tempfile::tempdir().unwrap();
        let (source, target) = (folder.path().join("source"), folder.path().join("target"));
        fs::create_dir_all(source.join("icons/small")).unwrap();
        fs::write(source.join("robots.txt"), "all").unwrap();
        fs::write(source.join("icons/small/a.svg"), "<svg/>").unwrap();

        copy(&source, &target).unwrap();

        assert_eq!(list(&target).unwrap(), [PathBuf::from("icons/small/a.svg"), PathBuf::from("robots.txt")]);
    }

    #[test]
    fn replacing_needs_no_old_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::create_dir(&new).unwrap();
        replace(&old, &new).unwrap();
        assert!(old.is_dir() && !new.exists());
    }
}
