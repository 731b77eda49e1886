//! What proxies say, and who else says it.

use server::config::{Config, Mode};

use super::{
    client_from,
    kit::{instance::Running, raw},
    try_change,
};

/// Ten at once, then one in two seconds: none comes back while a test runs.
fn strict(proxies: &[&str]) -> Config {
    let mut config = Config::default();
    config.limits.requests_per_second = 5;
    config.server.trusted_proxies = proxies.iter().map(|network| network.parse().unwrap()).collect();
    config
}

async fn refused_of(instance: &Running, count: usize, forwarded: impl Fn(usize) -> String) -> usize {
    let client = client_from(1);
    let mut refused = 0;
    for number in 0..count {
        let status = try_change(&client, instance, &[("x-forwarded-for", &forwarded(number))]).await;
        refused += usize::from(status == 429);
    }
    refused
}

#[tokio::test]
async fn an_invented_address_is_no_way_around_a_limit() {
    let instance = Running::start(strict(&[])).await;
    assert!(refused_of(&instance, 100, |number| format!("198.51.100.{number}")).await > 50);
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_visitor_has_a_limit_and_inventing_more_does_not_help() {
    let instance = Running::start(strict(&["127.0.0.1"])).await;
    assert_eq!(refused_of(&instance, 100, |number| format!("198.51.100.{number}")).await, 0);
    let invented = |number| format!("203.0.113.{number}, 192.0.2.7");
    assert!(refused_of(&instance, 100, invented).await > 50);
    let one_network = |number| format!("2001:db8:0:1::{number:x}");
    assert!(refused_of(&instance, 100, one_network).await > 50);
    // Somebody who goes around the proxy is who they are.
    let around = client_from(2);
    let mut refused = 0;
    for number in 0..100 {
        let head = [("x-forwarded-for", &*format!("198.51.100.{number}"))];
        refused += usize::from(try_change(&around, &instance, &head).await == 429);
    }
    assert!(refused > 50);
}

#[tokio::test]
async fn only_a_trusted_proxy_says_that_the_visit_is_encrypted() {
    let secure = |port: u16| format!("X-Forwarded-Proto: https\r\nOrigin: https://127.0.0.1:{port}\r\n");
    for (proxies, mode, may_change, is_told_https) in [
        (&["127.0.0.0/8"][..], Mode::Prod, true, true),
        (&["127.0.0.0/8"], Mode::Dev, true, false),
        (&[], Mode::Prod, false, false),
    ] {
        let mut config = strict(proxies);
        config.site.mode = mode;
        let instance = Running::start(config).await;
        let answer =
            raw::ask(instance.address, &format!("PUT {}", super::HARMLESS), &secure(instance.address.port())).await;
        assert_eq!(answer.status() != 403, may_change, "{}", answer.text);
        let has_hsts = answer.text.to_lowercase().contains("strict-transport-security: max-age=");
        assert_eq!(has_hsts, is_told_https, "{}", answer.text);
    }
}
