//! Blocks of TOML are what an instance takes, and the list of keys is complete.

use std::process::Command;

use serde_json::Value;
use server::config::Config;

use super::{pages, repository};

/// Where every key is listed with its default.
const LIST: &str = "docs/OPERATIONS.md";
/// What has no default to show: these keys say what they are for.
const EXAMPLES: &[&str] =
    &["redis.enabled", "redis.mode", "redis.cluster.nodes", "redis.sentinel", "redis.single", "channels"];

#[test]
fn every_block_of_toml_is_a_configuration() {
    for page in pages::all() {
        for block in page.blocks_of("toml") {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("app.toml"), &block.text).unwrap();
            // A command reads the configuration as the start does, and then looks into the store.
            let output = Command::new(env!("CARGO_BIN_EXE_server"))
                .env_clear()
                .current_dir(folder.path())
                .env("JPULSE_DATA_DIR", folder.path().join("data"))
                .arg("list-users")
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!said.contains("configuration:"), "{}: {said}", page.at(block.line));
        }
    }
}

#[test]
fn the_list_of_keys_has_all_of_them_with_their_defaults() {
    let page = pages::page(LIST);
    let block = page.blocks_of("toml").next().expect("the list");
    let listed: Value = toml_of(&block.text);
    let defaults = serde_json::to_value(Config::default()).unwrap();
    let mut wrong = Vec::new();
    compare("", &defaults, &listed, &mut wrong);
    assert!(wrong.is_empty(), "{LIST}:\n{}\n", wrong.join("\n"));
}

#[test]
fn the_list_of_variables_has_all_of_them() {
    let source = repository::read("server/src/config/load.rs");
    let (_, rest) = source.split_once("const VARIABLES").expect("the variables");
    let (variables, _) = rest.split_once("];").unwrap();
    let page = repository::read(LIST);
    let names = variables.split("(\"").skip(1).filter_map(|pair| pair.split('"').next());
    let missing: Vec<&str> = names.filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "{LIST} does not name {missing:?}");
}

/// Whether a key `a.b` is one of the configuration; `a.b.*` stands for all below.
pub fn is_key(path: &str) -> bool {
    let defaults = serde_json::to_value(Config::default()).unwrap();
    let mut value = &defaults;
    for part in path.trim_end_matches(".*").split('.') {
        match value.get(part) {
            Some(below) => value = below,
            // Lists and what is empty by default do not show what they may hold.
            None => return value.is_array() || value.is_null(),
        }
    }
    true
}

/// Whether this is the name of a table of the configuration.
pub fn is_table(name: &str) -> bool {
    serde_json::to_value(Config::default()).unwrap().get(name).is_some()
}

fn compare(path: &str, default: &Value, listed: &Value, wrong: &mut Vec<String>) {
    if EXAMPLES.contains(&path) {
        return;
    }
    match default {
        Value::Object(defaults) => {
            for (key, default) in defaults {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match listed.get(key) {
                    Some(listed) => compare(&path, default, listed, wrong),
                    // What may be left out has no default to be told.
                    None if default.is_null() => {}
                    None => wrong.push(format!("{path} is missing")),
                }
            }
        }
        _ if default == listed => {}
        _ => wrong.push(format!("{path} is {listed}, but by default {default}")),
    }
}

fn toml_of(text: &str) -> Value {
    use figment::{
        Figment,
        providers::{Format, Toml},
    };
    Figment::from(Toml::string(text)).extract().unwrap_or_else(|error| panic!("{LIST}: {error}"))
}
