//! What there is besides the documentation, for it to be compared with.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// What is built or fetched, and what belongs to no checkout.
const NOT_OURS: &[&str] = &[".git", "target", "node_modules", "data", "test-results", "site"];
/// Texts in which names are looked up.
const SOURCES: &[&str] = &["rs", "ts", "js", "lua", "sh", "toml", "json", "yaml", "yml", "conf", "cfg", "service"];

pub fn root() -> PathBuf {
    // Cargo runs tests in the folder of their package, wherever they were compiled.
    Path::new("..").canonicalize().unwrap()
}

/// All files, named from the root.
pub fn files() -> &'static [String] {
    static FILES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let mut files = Vec::new();
        collect(&root(), "", &mut files);
        files.sort();
        files
    });
    &FILES
}

pub fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every program and configuration of the repository: what a name must stand in to be one. These tests are
/// not among them.
pub fn sources() -> &'static [(String, String)] {
    static SOURCE_FILES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
        let is_source = |name: &&String| {
            let ending = Path::new(name).extension().and_then(|ending| ending.to_str());
            let is_text = ending.is_some_and(|ending| SOURCES.contains(&ending)) || name.ends_with("Makefile");
            is_text && !name.starts_with("server/tests/it/docs/") && !name.ends_with("lock.json")
        };
        files().iter().filter(is_source).map(|name| (name.clone(), read(name))).collect()
    });
    &SOURCE_FILES
}

/// Whether `word` stands in a source with nothing before and behind it that could be part of a name.
pub fn knows(word: &str) -> bool {
    sources().iter().any(|(_, text)| holds_word(text, word))
}

/// Whether `word` stands in `text` as a whole.
pub fn holds_word(text: &str, word: &str) -> bool {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    text.match_indices(word)
        .any(|(start, _)| !text[..start].ends_with(is_part) && !text[start + word.len()..].starts_with(is_part))
}

/// Whether the Makefile has this target.
pub fn has_target(name: &str) -> bool {
    read("Makefile").lines().any(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')))
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &format!("{path}/"), files);
        } else {
            files.push(path);
        }
    }
}
