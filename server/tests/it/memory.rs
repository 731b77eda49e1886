//! How much memory an instance takes, however much is published through it.

use serde_json::json;

use super::kit::{browser::Browser, program::Program};

/// Of the whole process, in bytes: 64 MiB of logs, what is kept for who comes back, what is under way, and the
/// program itself in a debug build.
const RESIDENT: u64 = 400 * 1024 * 1024;
/// Sockets of visitors without a session.
const SOCKETS: usize = 12;
/// Messages each of them publishes.
const MESSAGES: usize = 100;

/// Many small objects: each takes a hundred times its text in memory. A third of what fits into one message, for a
/// debug build takes its time.
fn payload() -> serde_json::Value {
    json!({ "list": vec![json!({ "": 1 }); 3_000] })
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_within_all_limits_do_not_fill_the_memory_of_an_instance_without_redis() {
    let program = Program::start(&[]).await;
    let mut browsers = Vec::new();
    for number in 0..SOCKETS {
        let mut browser = Browser::open(program.address, &format!("tab-{number}")).await;
        // A third of the channels are listened to, by somebody who leaves out what comes from here.
        for channel in 0..MESSAGES / 3 {
            let channel = format!("view:it:memory:c{number}-{channel}");
            browser.subscribe_with(json!({ "channel": channel, "omitSelf": true })).await;
        }
        browsers.push(browser);
    }
    let payload = payload();
    let publishing = browsers.into_iter().enumerate().map(|(number, mut browser)| {
        let payload = payload.clone();
        async move {
            for message in 0..MESSAGES {
                let channel = format!("view:it:memory:c{number}-{message}");
                browser.send(json!({ "type": "publish", "channel": channel, "data": payload, "requestId": "r" })).await;
                let answer = browser.next().await;
                if answer["success"] != true {
                    assert_eq!(answer["code"], "RATE_LIMIT_EXCEEDED", "{answer}");
                    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
                }
            }
        }
    });
    let publishing = futures_util::future::join_all(publishing);
    tokio::pin!(publishing);
    let mut most = 0;
    loop {
        let looking = tokio::time::sleep(std::time::Duration::from_millis(50));
        let is_over = tokio::select! {
            _ = &mut publishing => true,
            () = looking => false,
        };
        most = most.max(program.resident_bytes());
        // At once: the machine's memory is not this test's.
        assert!(most < RESIDENT, "{} MB", most / 1_000_000);
        if is_over {
            break;
        }
    }
    eprintln!("at most {} MB", most / 1_000_000);
}
