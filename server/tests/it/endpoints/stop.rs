//! A stop is graceful: told to browsers, and right at once for everybody else.

use reqwest::Method;

use super::*;
use crate::kit::until;

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_instance_leaves_nothing_behind() {
    let redis = Redis::start();
    let (left, right) = pair(&redis).await;
    let admin = Visitor::log_in_as_admin(&left).await;
    let mut staying = Tab::open(left.address, &format!("{EMOJI}?uuid=stays")).await;
    let mut going = Tab::open(right.address, &format!("{EMOJI}?uuid=goes")).await;
    staying.join("r").await;
    going.join("r").await;
    loop {
        if staying.next_of("room-count").await["data"]["members"] == 2 {
            break;
        }
    }
    let gone = right.id.clone();
    right.stop().await;
    let drain = going.next_of("drain").await;
    assert!(drain["data"]["spreadMs"].is_u64(), "{drain}");
    assert_eq!(going.see().await, Err(1012));
    let keys = redis.command("KEYS *");
    assert!(
        !keys.contains(&format!("ws:report:hello-emoji:{gone}")) && !keys.contains("ws:online:hello-emoji:guest:goes")
    );
    let stats = async || {
        let response = admin.request(&left, Method::GET, "/api/1/ws/stats", None).await;
        response.json::<Value>().await.unwrap()["hello-emoji"].clone()
    };
    until("its users are gone", async || stats().await["users"] == 1).await;
    assert!(stats().await["instances"][&gone].is_null());
    assert_eq!(staying.next_of("room-count").await["data"], json!({ "roomId": "r", "members": 1 }));
}
