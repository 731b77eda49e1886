//! A rolling reload while five hundred sockets listen and messages are published without a pause: nobody misses
//! anything, and no request fails.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::{net::TcpStream, task::JoinSet, time::sleep};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

use super::super::kit::{launcher::Launcher, redis::Redis, until_within};

const SOCKETS: usize = 500;
const CHANNEL: &str = "view:rolling:number:said";
/// Between two requests of one publisher; there are two for each instance.
const EVERY: Duration = Duration::from_millis(40);
/// Published before the reload, and after it.
const AROUND: usize = 100;
const PATIENCE: Duration = Duration::from_mins(1);

/// What one socket has heard.
#[derive(Default)]
struct Heard {
    ids: Vec<String>,
    /// Epoch and offset of the last message.
    position: Option<(String, u64)>,
    /// Everything that must not be.
    faults: Vec<String>,
    closes: usize,
}

type Shared = Arc<Mutex<Heard>>;

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_reload_under_five_hundred_sockets_loses_nothing_and_fails_no_request() {
    let redis = Redis::start();
    let port = redis.port.to_string();
    let variables = [("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", port.as_str())];
    let mut launcher = Launcher::start_ready(2, &variables).await;
    let addresses: Vec<_> = launcher.served().iter().map(|served| served.address).collect();

    let mut tabs = JoinSet::new();
    let heard: Vec<Shared> = (0..SOCKETS).map(|_| Shared::default()).collect();
    for (number, heard) in heard.iter().enumerate() {
        tabs.spawn(listen(addresses[number % 2], number, Arc::clone(heard)));
    }
    until_within(PATIENCE, "everybody listens", async || {
        heard.iter().all(|heard| heard.lock().unwrap().position.is_some())
    })
    .await;

    let receipts = Arc::<Mutex<Vec<Result<String, String>>>>::default();
    let mut publishers = JoinSet::new();
    for address in &addresses {
        let kept_alive = reqwest::Client::new();
        let fresh = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        for client in [kept_alive, fresh] {
            publishers.spawn(publish(client, *address, Arc::clone(&receipts)));
        }
    }
    let count = || receipts.lock().unwrap().len();
    until_within(PATIENCE, "messages flow", async || count() >= AROUND).await;
    launcher.signal(Signal::HUP);
    launcher.says("\"reloaded\"").await;
    let reloaded = count();
    until_within(PATIENCE, "messages flow on", async || count() >= reloaded + AROUND).await;
    publishers.shutdown().await;

    let receipts = std::mem::take(&mut *receipts.lock().unwrap());
    let (published, failed): (Vec<_>, Vec<_>) = receipts.into_iter().partition(Result::is_ok);
    assert!(failed.is_empty(), "{} of {} requests failed: {failed:?}", failed.len(), published.len() + failed.len());
    let published: HashSet<String> = published.into_iter().flatten().collect();
    let has_all = |heard: &Shared| published.iter().all(|id| heard.lock().unwrap().ids.contains(id));
    until_within(PATIENCE, "everybody has heard everything", async || heard.iter().all(has_all)).await;
    for heard in &heard {
        let heard = heard.lock().unwrap();
        assert!(heard.faults.is_empty(), "{:?}", heard.faults);
        assert_eq!(heard.ids.len(), heard.ids.iter().collect::<HashSet<_>>().len(), "once");
        assert_eq!(heard.closes, 1, "closed by the reload of its instance, and by nothing else");
    }
    println!("{SOCKETS} sockets, {} requests: 0 lost, 0 failed", published.len());

    tabs.shutdown().await;
    launcher.signal(Signal::TERM);
    assert_eq!(launcher.ended().await.code(), Some(0));
}

/// Publishes number after number, as a program does that never asks twice.
async fn publish(client: reqwest::Client, address: SocketAddr, receipts: Arc<Mutex<Vec<Result<String, String>>>>) {
    let url = format!("http://{address}/api/1/app-cluster/broadcast/{CHANNEL}");
    for number in 0.. {
        let asked = async {
            let answer = client.post(&url).json(&json!({ "data": { "number": number } })).send().await?;
            let status = answer.status();
            answer.json::<Value>().await.map(|body| (status, body))
        };
        let receipt = match asked.await {
            Ok((status, body)) if status == 200 => Ok(body["data"]["id"].as_str().unwrap_or_default().to_owned()),
            Ok((status, body)) => Err(format!("{status}: {body}")),
            Err(error) => Err(format!("{error:?}")),
        };
        receipts.lock().unwrap().push(receipt);
        sleep(EVERY).await;
    }
}

/// Listens for ever: comes back, to the same port, as often as it is closed.
async fn listen(address: SocketAddr, number: usize, heard: Shared) {
    loop {
        match connect(address, number).await {
            Ok(socket) => {
                if let Err(error) = follow(socket, &heard).await {
                    heard.lock().unwrap().faults.push(error);
                }
                heard.lock().unwrap().closes += 1;
            }
            Err(error) => heard.lock().unwrap().faults.push(error),
        }
        // All at once would be refused by no process, but by this machine's patience.
        sleep(Duration::from_millis(number as u64 % 500)).await;
    }
}

async fn connect(address: SocketAddr, number: usize) -> Result<WebSocketStream<TcpStream>, String> {
    let request = format!("ws://{address}/api/1/ws/jp-broadcast?uuid=tab-{number}").into_client_request().unwrap();
    let stream = TcpStream::connect(address).await.map_err(|error| format!("refused: {error}"))?;
    let connected = client_async(request, stream).await.map_err(|error| format!("not connected: {error}"))?;
    Ok(connected.0)
}

/// Subscribes from where it stood and takes what comes, until the socket is closed.
async fn follow(mut socket: WebSocketStream<TcpStream>, heard: &Shared) -> Result<(), String> {
    let since = heard.lock().unwrap().position.clone();
    let mut subscribe = json!({ "type": "subscribe", "channel": CHANNEL });
    if let Some((epoch, offset)) = &since {
        subscribe["since"] = json!({ "epoch": epoch, "offset": offset });
    }
    let sent = socket.send(Message::text(subscribe.to_string())).await;
    sent.map_err(|error| format!("not subscribed: {error}"))?;
    while let Some(message) = socket.next().await {
        match message {
            Ok(Message::Text(text)) => take(&serde_json::from_str(&text).unwrap(), since.is_some(), heard)?,
            Ok(Message::Close(Some(close))) if u16::from(close.code) != 1012 => return Err(format!("{close:?}")),
            Ok(_) | Err(tungstenite::Error::ConnectionClosed) => {}
            Err(error) => return Err(format!("lost: {error}")),
        }
    }
    Ok(())
}

fn take(frame: &Value, must_recover: bool, heard: &Shared) -> Result<(), String> {
    let (kind, data) = (frame["data"]["type"].as_str().unwrap_or_default(), &frame["data"]["data"]);
    let position = || Some((data["epoch"].as_str()?.to_owned(), data["offset"].as_u64()?));
    let mut heard = heard.lock().unwrap();
    match kind {
        "subscribed" if must_recover && data["recovered"] != true => return Err(format!("not recovered: {frame}")),
        // What was missed comes behind it.
        "subscribed" if must_recover => {}
        "subscribed" => heard.position = position(),
        "gap" => return Err(format!("a gap: {frame}")),
        "broadcast" => {
            let next = position().ok_or_else(|| format!("without a position: {frame}"))?;
            let last = heard.position.replace(next.clone());
            if last.is_none_or(|last| last.0 != next.0 || last.1 + 1 != next.1) {
                return Err(format!("out of order: {frame}"));
            }
            heard.ids.push(data["id"].as_str().unwrap_or_default().to_owned());
        }
        _ => {}
    }
    Ok(())
}
