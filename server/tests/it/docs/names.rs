//! What stands in backticks exists: files, make targets, variables, codes, keys, routes, items.

use super::{
    super::kit::program::Program,
    configuration,
    pages::{self, Piece},
    repository,
};

/// Files that a build or a running instance makes.
const MADE: &[&str] = &["app.toml", "target/release/server", "target/site", "hash.txt"];
/// Addresses of files that are built.
const BUILT: &[&str] = &["/jpulse.js"];
/// Endings by which a name is one of a file.
const FILES: &[&str] = &[
    ".rs", ".lua", ".sh", ".ts", ".js", ".md", ".json", ".html", ".conf", ".cfg", ".service", ".yaml", ".toml", ".gz",
];
/// Folders at the root of the repository.
const FOLDERS: &[&str] =
    &["app", "deploy", "docs", "end2end", "frontend", "fuzz", "public", "scripts", "server", "style", "xtask"];

#[test]
fn every_file_exists() {
    expect_each("is no file of the repository", |span| {
        let is_named = FILES.iter().any(|ending| span.ends_with(ending)) || is_below_a_folder(span);
        let is_path = span.chars().all(|char| char.is_ascii_alphanumeric() || "./_-".contains(char));
        if !is_named || !is_path || span.starts_with(['/', '.']) {
            return true;
        }
        let below = format!("/{}", span.trim_end_matches('/'));
        let is_file = |name: &String| {
            let name = format!("/{name}");
            name.ends_with(&below) || name.contains(&format!("{below}/"))
        };
        MADE.contains(&span) || repository::files().iter().any(is_file)
    });
}

#[test]
fn every_make_target_exists() {
    expect_each("is no target of the Makefile", |span| {
        let words = span.split_whitespace().skip_while(|word| word.contains('='));
        match words.collect::<Vec<_>>()[..] {
            ["make", target, ..] => repository::has_target(target),
            _ => true,
        }
    });
}

#[test]
fn every_variable_and_every_code_stands_in_a_source() {
    expect_each("is no variable or code", |span| {
        let name = span.split(['=', ' ']).next().unwrap_or_default();
        let is_part = |char: char| char.is_ascii_uppercase() || char.is_ascii_digit() || char == '_';
        let is_constant = name.contains('_') && name.len() > 4 && name.chars().all(is_part) && !name.contains("__");
        !is_constant || repository::knows(name)
    });
}

#[test]
fn every_key_of_the_configuration_exists() {
    expect_each("is no key of the configuration", |span| {
        let key = span.split([' ', '=']).next().unwrap_or_default();
        let is_part = |char: char| char.is_ascii_lowercase() || "_.*".contains(char);
        let is_key = key.contains('.') && key.chars().all(is_part) && !FILES.iter().any(|ending| key.ends_with(ending));
        let table = key.split('.').next().unwrap_or_default();
        !is_key || !configuration::is_table(table) || configuration::is_key(key)
    });
}

#[test]
fn every_item_of_rust_exists() {
    expect_each("is no item of ours", |span| {
        let path = span.split(['(', '<']).next().unwrap_or_default();
        let is_part = |char: char| char.is_alphanumeric() || char == '_';
        let mut parts = path.split("::").peekable();
        let is_path = path.contains("::") && parts.all(|part| !part.is_empty() && part.chars().all(is_part));
        let foreign = ["std::", "tokio::", "serde::"].iter().any(|crate_name| path.starts_with(crate_name));
        !is_path || foreign || path.split("::").all(repository::knows)
    });
}

#[tokio::test]
async fn every_route_exists() {
    let program = Program::start(&[]).await;
    let mut missing = Vec::new();
    for page in pages::all() {
        for span in page.spans() {
            for path in routes_of(&span) {
                let answer = reqwest::get(program.url(&path)).await.unwrap();
                let status = answer.status();
                let body = answer.text().await.unwrap();
                if status == 404 && (body.contains("\"NOT_FOUND\"") || body.contains("<html")) {
                    missing.push(format!("{}: {path}", page.at(span.line)));
                }
            }
        }
    }
    assert!(missing.is_empty(), "no such routes:\n{}\n", missing.join("\n"));
}

/// The paths in a span such as `GET /a, /b/{id}`, with something in place of what varies. Not those that
/// are cut short, and not what is streamed or a file.
fn routes_of(span: &Piece) -> Vec<String> {
    let words = span.text.split([' ', ',']).filter(|word| word.starts_with('/') && !word.contains('…'));
    let fill = |word: &str| {
        let mut path = String::new();
        for (number, part) in word.split(['{', '}']).enumerate() {
            path.push_str(if number % 2 == 1 { "x" } else { part });
        }
        path
    };
    let is_ours = |path: &String| {
        let file = format!("public{}", path.split('?').next().unwrap_or_default());
        let is_elsewhere = ["/etc", "/usr", "/var", "/run", "/opt"].iter().any(|folder| path.starts_with(folder));
        let is_built = BUILT.contains(&path.as_str());
        path.len() > 1
            && !is_elsewhere
            && !is_built
            && !path.ends_with("/events")
            && !repository::root().join(file).exists()
    };
    words.map(fill).filter(is_ours).collect()
}

fn is_below_a_folder(span: &str) -> bool {
    span.split_once('/').is_some_and(|(folder, _)| FOLDERS.contains(&folder))
}

/// Every span of every page must pass, or is reported with its place.
fn expect_each(problem: &str, passes: impl Fn(&str) -> bool) {
    let mut wrong = Vec::new();
    for page in pages::all() {
        for span in page.spans() {
            if !passes(&span.text) {
                wrong.push(format!("{}: `{}` {problem}", page.at(span.line), span.text));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
