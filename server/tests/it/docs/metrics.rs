//! The list of metrics is what an instance measures.

use super::{super::kit::program::Program, pages, repository};

#[tokio::test]
async fn the_list_of_metrics_and_the_instance_name_the_same() {
    let program = Program::start(&[]).await;
    let answer = reqwest::get(program.url("/metrics")).await.unwrap().text().await.unwrap();
    let types = answer.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let measured: Vec<&str> = types.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(measured.len() > 10, "{answer}");

    let list = repository::read("docs/METRICS.md");
    let missing: Vec<_> = measured.iter().filter(|name| !repository::holds_word(&list, name)).collect();
    assert!(missing.is_empty(), "docs/METRICS.md does not name {missing:?}");

    let exporter = repository::read("server/src/metrics/prometheus.rs");
    let mut unknown = Vec::new();
    for page in pages::all() {
        for word in page.text.split(|char: char| !char.is_alphanumeric() && char != '_') {
            if word.starts_with("jpulse_") && !repository::holds_word(&exporter, word) {
                unknown.push(format!("{} names {word}", page.name));
            }
        }
    }
    assert!(unknown.is_empty(), "nothing measures this: {unknown:?}");
}
