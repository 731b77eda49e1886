//! Addresses: endpoints with parameters, and where the original has its pages.

use std::sync::Arc;

use async_trait::async_trait;
use server::endpoint::{Auth, Handler, Rule, Socket};

use super::*;
use crate::kit::{program::Program, visitor::PASSWORD};

/// Says which parameters it was opened with.
struct Places;

#[async_trait]
impl Handler for Places {
    async fn on_connect(&self, socket: &Socket) {
        socket.send("place", &json!(socket.parameters()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_with_several_parameters_is_reached_at_both_addresses() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    for instance in [&left, &right] {
        for path in ["boards/{board}/{card}", "maps/{a}/{b}/{c}/{d}", "tables/{table}"] {
            instance.endpoints.register(path, Rule::new(Auth::Public), Arc::new(Places)).unwrap();
        }
    }
    for (path, place) in [
        ("boards/7/9", json!({ "board": "7", "card": "9" })),
        ("boards/a%2Fb/%C3%A9%20x", json!({ "board": "a/b", "card": "é x" })),
        ("boards/user/9", json!({ "board": "user", "card": "9" })),
        ("boards/room/broadcast", json!({ "board": "room", "card": "broadcast" })),
        ("tables/broadcast", json!({ "table": "broadcast" })),
        ("tables/a%2Fb", json!({ "table": "a/b" })),
        ("maps/1/2/3/4", json!({ "a": "1", "b": "2", "c": "3", "d": "4" })),
        ("maps/user/2/3/4", json!({ "a": "user", "b": "2", "c": "3", "d": "4" })),
    ] {
        for (instance, start) in [(&left, "/api/1/ws/"), (&right, "/ws/")] {
            let mut tab = Tab::open(instance.address, &format!("{start}{path}?uuid=t")).await;
            assert_eq!(tab.connected["data"]["namespace"], format!("/api/1/ws/{path}"));
            assert_eq!(tab.next_of("place").await["data"], place, "{start}{path}");
        }
    }
    for path in ["boards/7", "boards/7/9/11", "boards", "boards//9", "tables/a/b", "hello-emoji/x/y"] {
        for start in ["/api/1/ws/", "/ws/"] {
            let refused = Tab::try_open(left.address, &format!("{start}{path}"), &[]).await;
            let (status, body) = refused.err().unwrap_or_else(|| panic!("{start}{path}"));
            assert_eq!((status, &body["code"]), (404, &json!("UNKNOWN_ENDPOINT")), "{start}{path}");
        }
    }
    // One endpoint whatever stands at its parameters: a broadcast reaches all of it, on every instance.
    let mut here = Tab::open(left.address, "/api/1/ws/boards/7/9").await;
    let mut there = Tab::open(right.address, "/api/1/ws/boards/a/b").await;
    there.next_of("place").await;
    here.next_of("place").await;
    here.send(json!({ "type": "broadcast", "data": 1 })).await;
    assert_eq!(there.next_message().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_administrators_are_found_where_the_original_has_them() {
    let instance = Running::start(config(RedisConfig::default(), "0")).await;
    let guest = Visitor::default();
    for (from, to) in [
        ("/admin", "/account"),
        ("/admin/", "/account"),
        ("/admin/index.shtml", "/account"),
        ("/admin/websocket-status.shtml", "/admin/websocket-status"),
        ("/admin/websocket-test.shtml", "/admin/websocket-console"),
        ("/admin/system-status.shtml", "/admin/cluster"),
        ("/admin/config.shtml", "/admin/site"),
        ("/admin/notifications.shtml", "/admin/notifications"),
        ("/admin/cluster.shtml", "/admin/cluster"),
        ("/admin/features.shtml", "/admin/features"),
        ("/admin/site.shtml", "/admin/site"),
        ("/admin/websocket-console.shtml", "/admin/websocket-console"),
        ("/admin/websocket-endpoints.shtml", "/admin/websocket-endpoints"),
        ("/admin/websocket-endpoints/", "/admin/websocket-endpoints"),
    ] {
        let moved = guest.request(&instance, Method::GET, &format!("{from}?a=b"), None).await;
        assert_eq!(moved.status(), 308, "{from}");
        assert_eq!(moved.headers()["location"], format!("{to}?a=b"), "{from}");
    }
    // Where an administrator finds all of them, on an instance in a process of its own.
    let program = Program::start(&[("JPULSE_ADMIN_PASSWORD", PASSWORD)]).await;
    let client = reqwest::Client::builder().build().unwrap();
    let body = json!({ "username": "admin", "password": PASSWORD });
    let signed_in = client.post(program.url("/api/1/auth/login")).json(&body).send().await.unwrap();
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let shown = client.get(program.url("/admin/")).header("Cookie", cookie).send().await.unwrap();
    assert_eq!((shown.status().as_u16(), shown.url().path()), (200, "/account"));
    let page = shown.text().await.unwrap();
    for to in ["cluster", "features", "notifications", "site"] {
        assert!(page.contains(&format!("href=\"/admin/{to}\"")), "{to}");
    }
    for to in ["status", "console", "endpoints"] {
        assert!(page.contains(&format!("href=\"/admin/websocket-{to}\"")), "{to}");
    }
}
