//! The alerts for Prometheus and the dashboard for Grafana ask for what an instance measures. Whether Prometheus takes the
//! alerts, `scripts/lint-deploy.sh` asks its own program.

use super::{super::kit::program::Program, repository};

const RULES: &str = "deploy/prometheus/alerts.yml";
const DASHBOARD: &str = "docs/grafana-dashboard.json";

#[tokio::test]
async fn every_alert_and_every_panel_asks_for_what_an_instance_measures() {
    let program = Program::start(&[]).await;
    let answer = reqwest::get(program.url("/metrics")).await.unwrap().text().await.unwrap();
    let measured: Vec<&str> =
        answer.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(['{', ' ']).next()).collect();
    let rules = repository::read(RULES);
    let words = |text: &str| {
        let words = text.split(|char: char| !char.is_alphanumeric() && char != '_');
        words.filter(|word| word.starts_with("jpulse_")).map(str::to_owned).collect::<Vec<_>>()
    };
    for word in words(&repository::read(DASHBOARD)) {
        let is_part =
            ["_bucket", "_sum", "_count"].iter().any(|part| measured.contains(&format!("{word}{part}").as_str()));
        assert!(is_part || measured.contains(&word.as_str()), "{DASHBOARD} shows {word}, which nothing measures");
    }
    let mut alerts = 0;
    for rule in rules.split("- alert: ").skip(1) {
        let name = rule.lines().next().unwrap();
        let expression = rule.lines().find_map(|line| line.trim().strip_prefix("expr: ")).expect(name);
        for word in words(expression) {
            assert!(measured.contains(&word.as_str()), "{name} asks for {word}, which nothing measures");
        }
        for part in ["severity: ", "summary: ", "description: "] {
            assert!(rule.contains(part), "{name} lacks {part}");
        }
        alerts += 1;
    }
    assert!(alerts >= 10, "{alerts} alerts");
    assert!(rules.contains("up{job="), "an instance that is gone is nowhere measured but by its absence");
}
