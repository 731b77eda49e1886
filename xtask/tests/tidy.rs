//! The import rules of the architecture, held by reading the sources.
//!
//! A rule names a text and the files that may hold it. What is found elsewhere is reported with its
//! place and the reason for the rule.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// No file is longer.
const LINES_MAX: usize = 400;

/// Where a text must not stand, but for some files.
struct Rule {
    /// The folders searched.
    within: &'static [&'static str],
    /// Words that must not stand there, as whole words.
    words: &'static [&'static str],
    /// Files and folders (ending in `/`) that may.
    except: &'static [&'static str],
    /// Why.
    reason: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        within: &["app/", "server/", "frontend/"],
        words: &["fred::"],
        except: &["server/src/bus/redis.rs", "server/src/bus/redis/"],
        reason: "only the Redis bus knows Redis",
    },
    Rule {
        within: &["app/", "server/src/", "frontend/"],
        words: &["mongodb::", "bson::", "redb::"],
        except: &["server/src/store.rs", "server/src/store/"],
        reason: "only the stores know their databases",
    },
    Rule {
        within: &["app/", "server/src/", "frontend/"],
        words: &["web_sys::WebSocket", "WebSocket::new"],
        except: &["frontend/client/src/socket.rs"],
        reason: "the browser has one socket, in one file",
    },
    Rule {
        within: &["app/", "server/src/", "frontend/"],
        words: &["web_sys::EventSource", "EventSource::new"],
        except: &["frontend/client/src/event_stream.rs"],
        reason: "the browser's event streams are in one file",
    },
    Rule {
        within: &["app/"],
        words: &["server::", "frontend::"],
        except: &[],
        reason: "pages reach the world through app::ports and app::cluster",
    },
    Rule {
        within: &["frontend/client/", "frontend/entry/"],
        words: &["app::", "leptos", "frontend::", "server::"],
        except: &[],
        reason: "a plain page loads them alone: they know wire, and nothing of pages",
    },
    Rule {
        within: &["app/wire/"],
        words: &["tokio", "axum", "leptos", "std::net", "std::fs", "std::io", "web_sys", "reqwest"],
        except: &["app/wire/tests/"],
        reason: "wire does no I/O and knows no framework",
    },
    Rule {
        within: &["server/src/relay", "server/src/endpoint", "server/src/http"],
        words: &["bus"],
        except: &[],
        reason: "they know the hub, and the hub knows the bus",
    },
    Rule {
        within: &["server/src/bus"],
        words: &["hub", "relay", "http"],
        except: &[],
        reason: "the bus is below: it knows none of those who use it",
    },
    Rule {
        within: &["server/src/hub"],
        words: &["relay", "endpoint", "http", "axum"],
        except: &[],
        reason: "the hub is below those who listen, and knows no HTTP",
    },
];

#[test]
fn imports_follow_the_architecture() {
    let mut broken = Vec::new();
    for source in sources() {
        for rule in RULES.iter().filter(|rule| rule.applies_to(&source.name)) {
            for (number, line) in source.code() {
                for word in rule.words.iter().filter(|word| stands_in(line, word)) {
                    broken.push(format!("{}:{number} names `{word}`, but {}", source.name, rule.reason));
                }
            }
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|source| source.text.lines().count() > LINES_MAX)
        .map(|source| format!("{} has more than {LINES_MAX} lines", source.name))
        .collect();
    assert!(long.is_empty(), "\n{}\n", long.join("\n"));
}

#[test]
fn modules_with_parts_are_named_beside_their_folder() {
    let found: Vec<String> = sources().into_iter().map(|source| source.name).filter(|name| is_mod_rs(name)).collect();
    assert!(found.is_empty(), "use foo.rs beside foo/ instead of {found:?}");
}

#[test]
fn wire_depends_on_no_framework() {
    let manifest = fs::read_to_string(root().join("app/wire/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let names: Vec<&str> = dependencies
        .lines()
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty())
        .collect();
    let pure = ["serde", "serde_json", "thiserror"];
    assert!(names.iter().all(|name| pure.contains(name)), "wire depends on {names:?}; it may on {pure:?}");
}

#[test]
fn words_are_found_whole_and_outside_comments() {
    let source =
        Source { name: "a.rs".into(), text: "// a bus\nuse crate::bus::Bus;\nlet busy = 1; // the bus\n".into() };
    let found: Vec<usize> =
        source.code().filter(|(_, line)| stands_in(line, "bus")).map(|(number, _)| number).collect();
    assert_eq!(found, [2]);
}

/// One file, its name relative to the root.
struct Source {
    name: String,
    text: String,
}

impl Source {
    /// Numbered lines without their comments. A `//` inside a text cuts the rest of that line: an
    /// address is no import.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().map(|line| line.split("//").next().unwrap_or_default());
        lines.enumerate().map(|(index, line)| (index + 1, line))
    }
}

impl Rule {
    fn applies_to(&self, file: &str) -> bool {
        let is_in = |places: &[&str]| places.iter().any(|place| file.starts_with(place));
        is_in(self.within) && !is_in(self.except)
    }
}

/// Whether `word` stands in `line` with nothing before and behind that could be part of a name.
fn stands_in(line: &str, word: &str) -> bool {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    line.match_indices(word).any(|(start, _)| {
        let (before, behind) = (&line[..start], &line[start + word.len()..]);
        !before.ends_with(is_part) && (word.ends_with("::") || !behind.starts_with(is_part))
    })
}

fn is_mod_rs(name: &str) -> bool {
    Path::new(name).file_name().is_some_and(|file| file == "mod.rs")
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for folder in ["app", "frontend", "server", "xtask"] {
        collect(&root().join(folder), &mut found);
    }
    assert!(found.len() > 20, "sources were not found below {}", root().display());
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            found.push(Source { name, text: fs::read_to_string(&path).unwrap() });
        }
    }
}

fn root() -> PathBuf {
    // Cargo runs tests in the folder of their package, wherever they were compiled.
    Path::new("..").canonicalize().unwrap()
}
