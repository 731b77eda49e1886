//! The fault proxy of the tests does what it says: a fault that does not happen proves nothing.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

use super::kit::{
    SOON,
    proxy::{Direction, Proxy, Rule, Way},
    until,
};

/// Long enough for bytes to cross this machine, short enough to wait for nothing.
const A_MOMENT: Duration = Duration::from_millis(200);

/// A client, a server and the proxy between them.
struct Line {
    proxy: Proxy,
    listener: TcpListener,
    client: TcpStream,
    server: TcpStream,
}

async fn line() -> Line {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap()).await.unwrap();
    let (client, server) = pair(proxy.address(), &listener).await;
    Line { proxy, listener, client, server }
}

async fn pair(address: SocketAddr, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(address).await.unwrap();
    let (server, _) = timeout(SOON, listener.accept()).await.unwrap().unwrap();
    (client, server)
}

async fn say(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

async fn hear(stream: &mut TcpStream, text: &str) {
    let mut heard = vec![0; text.len()];
    timeout(SOON, stream.read_exact(&mut heard)).await.expect("it comes soon").unwrap();
    assert_eq!(heard, text.as_bytes());
}

async fn hear_nothing(stream: &mut TcpStream) {
    let mut heard = [0; 16];
    assert!(timeout(A_MOMENT, stream.read(&mut heard)).await.is_err(), "something came");
}

/// The end of a stream: how many bytes came before it, or the error.
async fn hear_end(stream: &mut TcpStream) -> Result<usize, ErrorKind> {
    let mut heard = Vec::new();
    timeout(SOON, stream.read_to_end(&mut heard)).await.expect("it ends soon").map_err(|error| error.kind())
}

#[tokio::test]
async fn bytes_pass_in_both_directions_and_so_does_the_end() {
    let mut line = line().await;
    say(&mut line.client, "question").await;
    hear(&mut line.server, "question").await;
    line.client.shutdown().await.unwrap();
    assert_eq!(hear_end(&mut line.server).await, Ok(0));
    say(&mut line.server, "answer").await;
    hear(&mut line.client, "answer").await;
    drop(line.server);
    assert_eq!(hear_end(&mut line.client).await, Ok(0));
    until("the connection is forgotten", async || line.proxy.connections() == 0).await;
}

#[tokio::test]
async fn a_cut_ends_what_there_is_and_lets_new_connections_in() {
    let mut line = line().await;
    line.proxy.cut();
    assert_eq!(hear_end(&mut line.client).await, Ok(0));
    assert_eq!(hear_end(&mut line.server).await, Ok(0));
    let (mut client, mut server) = pair(line.proxy.address(), &line.listener).await;
    say(&mut client, "again").await;
    hear(&mut server, "again").await;
}

#[tokio::test]
async fn a_reset_is_felt_as_one_on_both_sides() {
    let mut line = line().await;
    line.proxy.reset();
    assert_eq!(hear_end(&mut line.client).await, Err(ErrorKind::ConnectionReset));
    assert_eq!(hear_end(&mut line.server).await, Err(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_half_close_ends_one_direction_only() {
    let mut line = line().await;
    line.proxy.half_close(Direction::ToServer);
    assert_eq!(hear_end(&mut line.server).await, Ok(0));
    say(&mut line.server, "still here").await;
    hear(&mut line.client, "still here").await;
}

#[tokio::test]
async fn a_black_hole_takes_everything_and_what_lost_bytes_is_reset_afterwards() {
    let mut line = line().await;
    line.proxy.set(Rule::both(Way::Swallow));
    say(&mut line.client, "lost").await;
    hear_nothing(&mut line.server).await;
    hear_nothing(&mut line.client).await;
    line.proxy.set(Rule::default());
    assert_eq!(hear_end(&mut line.client).await, Err(ErrorKind::ConnectionReset));
    let (mut client, mut server) = pair(line.proxy.address(), &line.listener).await;
    say(&mut client, "heard").await;
    hear(&mut server, "heard").await;
}

#[tokio::test]
async fn a_black_hole_may_be_in_one_direction() {
    let mut line = line().await;
    line.proxy.set(Rule { to_client: Way::Swallow, ..Rule::default() });
    say(&mut line.client, "question").await;
    hear(&mut line.server, "question").await;
    say(&mut line.server, "answer").await;
    hear_nothing(&mut line.client).await;
}

#[tokio::test]
async fn a_delay_keeps_the_order_and_the_pace() {
    let mut line = line().await;
    line.proxy.set(Rule::both(Way::Delay(A_MOMENT)));
    let began = Instant::now();
    for text in ["one ", "two ", "three"] {
        say(&mut line.client, text).await;
    }
    hear(&mut line.server, "one two three").await;
    let took = began.elapsed();
    // Later by one delay, not by three.
    assert!(took >= A_MOMENT && took < A_MOMENT * 3, "{took:?}");
}

#[tokio::test]
async fn a_sender_nobody_reads_is_held_back() {
    let mut line = line().await;
    let piece = vec![0; 64 * 1024];
    let mut sent = 0;
    while timeout(A_MOMENT, line.client.write_all(&piece)).await.is_ok() {
        sent += piece.len();
        assert!(sent < 64 * 1024 * 1024, "the proxy takes without end");
    }
}

#[tokio::test]
async fn a_refusing_proxy_lets_nobody_in_until_it_does() {
    let mut line = line().await;
    line.proxy.set(Rule::refuse());
    let mut refused = TcpStream::connect(line.proxy.address()).await.unwrap();
    assert_eq!(hear_end(&mut refused).await, Ok(0));
    say(&mut line.client, "the old one lives").await;
    hear(&mut line.server, "the old one lives").await;
    line.proxy.set(Rule::default());
    let (mut client, mut server) = pair(line.proxy.address(), &line.listener).await;
    say(&mut client, "in").await;
    hear(&mut server, "in").await;
}

#[tokio::test]
async fn without_a_server_the_client_is_reset() {
    let line = line().await;
    let address = line.proxy.address();
    drop(line.listener);
    let mut client = TcpStream::connect(address).await.unwrap();
    assert_eq!(hear_end(&mut client).await, Err(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn everything_ends_with_the_proxy() {
    let mut line = line().await;
    let address = line.proxy.address();
    drop(line.proxy);
    assert!(hear_end(&mut line.client).await.is_ok_and(|length| length == 0));
    until("nobody listens", async || TcpStream::connect(address).await.is_err()).await;
}
