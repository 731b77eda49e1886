//! Every fenced block is of a kind that something checks, and is what it seems.

use serde_json::Value;

use super::{
    super::kit::program::Program,
    pages::{self, Page},
    repository,
};

/// What can stand behind a fence. `js` and `html` are run by the browser tests, `sh` by `commands.rs`, `toml`
/// is loaded by `configuration.rs`; `text` is for what is no program: addresses, drawings, output.
const LANGUAGES: &[&str] = &["rust", "js", "html", "toml", "sh", "json", "nginx", "text"];

/// Where Rust stands that the tests compile.
const COMPILED: &[&str] = &["app/src/", "server/src/", "server/tests/it/docs/examples/"];

/// What a command begins with: none may hide in a block of text.
const PROGRAMS: &[&str] =
    &["$", "make", "server", "curl", "redis-cli", "redis-server", "npm", "cargo", "docker", "systemctl", "apt-get"];

#[test]
fn every_block_is_of_a_kind_that_is_checked() {
    let mut wrong = Vec::new();
    for page in pages::all() {
        for block in page.blocks() {
            let place = page.at(block.line);
            if !LANGUAGES.contains(&block.language.as_str()) {
                wrong.push(format!("{place}: nothing checks a block of {:?}", block.language));
            }
            let mut first_words = block.text.lines().filter_map(|line| line.split_whitespace().next());
            if block.language == "text" && first_words.any(|word| PROGRAMS.contains(&word)) {
                wrong.push(format!("{place}: a command in a block of text; say `sh`"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_block_of_rust_stands_in_a_file_that_is_compiled() {
    expect_in_files("rust", &|name| COMPILED.iter().any(|folder| name.starts_with(folder)));
}

#[test]
fn the_first_page_takes_twenty_lines() {
    let page = pages::page("docs/FIRST_PAGE.md");
    let text: String = page.blocks_of("rust").map(|block| block.text).collect();
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    assert_eq!(text.lines().filter(is_code).count(), 20);
}

#[test]
fn every_block_for_nginx_stands_in_a_configuration_that_is_tested() {
    expect_in_files("nginx", &|name| name.starts_with("deploy/") && name.contains("nginx"));
}

#[tokio::test]
async fn every_block_of_json_is_what_the_route_answers() {
    let program = Program::start(&[("JPULSE_ADMIN_PASSWORD", "of the documentation")]).await;
    for page in pages::all() {
        for block in page.blocks_of("json") {
            let place = page.at(block.line);
            let shown: Value = serde_json::from_str(&block.text).unwrap_or_else(|error| panic!("{place}: {error}"));
            if let Some(path) = block.note.strip_prefix("GET ") {
                let answer = reqwest::get(program.url(path)).await.unwrap();
                let answered: Value = answer.json().await.unwrap();
                expect_keys(&place, &shown, &answered);
            }
        }
    }
}

/// Each block of the language must stand in one of the files, line by line, however far indented.
fn expect_in_files(language: &str, is_allowed: &dyn Fn(&str) -> bool) {
    let files: Vec<Vec<String>> = repository::files()
        .iter()
        .filter(|name| is_allowed(name))
        .map(|name| lines_of(&String::from_utf8_lossy(&std::fs::read(repository::root().join(name)).unwrap())))
        .collect();
    let stands = |block: &[String]| {
        let mut runs = files.iter().flat_map(|file| file.windows(block.len()));
        runs.any(|run| run == block)
    };
    let wrong: Vec<String> = pages::all()
        .iter()
        .flat_map(|page: &Page| page.blocks_of(language).map(|block| (page.at(block.line), block)).collect::<Vec<_>>())
        .filter(|(_, block)| !stands(&lines_of(&block.text)))
        .map(|(place, _)| place)
        .collect();
    assert!(wrong.is_empty(), "no tested file holds these blocks as they stand: {wrong:?}");
}

/// Without empty lines and indentation, which are another in a page than in a file.
fn lines_of(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// An answer has every key that is shown, with a value of the same type.
fn expect_keys(place: &str, shown: &Value, answered: &Value) {
    match (shown, answered) {
        (Value::Object(shown), Value::Object(answered)) => {
            for (key, value) in shown {
                expect_keys(&format!("{place} {key}"), value, answered.get(key).unwrap_or(&Value::Null));
            }
        }
        (Value::Array(shown), Value::Array(answered)) => {
            if let (Some(shown), Some(answered)) = (shown.first(), answered.first()) {
                expect_keys(place, shown, answered);
            }
        }
        _ => assert_eq!(
            std::mem::discriminant(shown),
            std::mem::discriminant(answered),
            "{place}: {shown} is shown, {answered} is answered"
        ),
    }
}
