//! A browser that has no WebSocket: an event stream, read as the HTML standard says.

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

use super::SOON;

/// Longer than a stream is ever silent.
const QUIET: Duration = SOON.saturating_mul(2);

/// An open stream, or an answer that is none.
pub struct Events {
    stream: BufReader<TcpStream>,
    pub status: u16,
    /// The lines of the head, in lower case.
    pub head: Vec<String>,
    /// Bytes of the body that came and are not read yet.
    text: String,
    pub last_id: String,
    pub retry: Option<u64>,
}

impl Events {
    /// Asks for a stream with these parameters and further lines in the head.
    pub async fn open(address: SocketAddr, query: &str, head: &[(&str, &str)]) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut request = format!("GET /api/1/app-cluster/events?{query} HTTP/1.1\r\nHost: {address}\r\n");
        for (name, value) in head {
            request.extend([name, ": ", value, "\r\n"]);
        }
        stream.write_all((request + "\r\n").as_bytes()).await.unwrap();
        let mut events = Self {
            stream: BufReader::new(stream),
            status: 0,
            head: Vec::new(),
            text: String::new(),
            last_id: String::new(),
            retry: None,
        };
        loop {
            let line = events.line().await.unwrap();
            match events.status {
                0 => events.status = line.split(' ').nth(1).unwrap().parse().unwrap(),
                _ if line.is_empty() => break,
                _ => events.head.push(line.to_lowercase()),
            }
        }
        events
    }

    /// The same, past the two frames every stream begins with.
    pub async fn hear(address: SocketAddr, query: &str, head: &[(&str, &str)]) -> Self {
        let mut events = Self::open(address, query, head).await;
        assert_eq!(events.status, 200, "{:?}", events.head);
        for kind in ["connected", "welcome"] {
            assert_eq!(events.next().await["data"]["type"], kind);
        }
        events
    }

    /// The next frame; fails when none comes soon.
    pub async fn next(&mut self) -> Value {
        self.see().await.expect("a frame, not the end")
    }

    /// The payload of the next broadcast.
    pub async fn next_data(&mut self) -> Value {
        let frame = self.next().await;
        assert_eq!(frame["data"]["type"], "broadcast", "{frame}");
        frame["data"]["data"]["data"].clone()
    }

    /// `data.data` of the next frame, which answers a subscription.
    pub async fn subscribed(&mut self) -> Value {
        let frame = self.next().await;
        assert_eq!(frame["data"]["type"], "subscribed", "{frame}");
        frame["data"]["data"].clone()
    }

    /// The next frame, or `None` at the end.
    pub async fn see(&mut self) -> Option<Value> {
        let (mut id, mut data) = (None, None);
        loop {
            while let Some((line, rest)) = self.text.split_once('\n') {
                let (line, rest) = (line.to_owned(), rest.to_owned());
                self.text = rest;
                match line.split_once(':') {
                    None if line.is_empty() => {
                        self.last_id = id.take().unwrap_or(std::mem::take(&mut self.last_id));
                        if data.is_some() {
                            return data;
                        }
                    }
                    Some(("", _)) => {}
                    Some(("id", text)) => id = Some(text.trim_start().to_owned()),
                    Some(("retry", time)) => self.retry = Some(time.trim_start().parse().unwrap()),
                    Some(("data", json)) => {
                        assert!(data.is_none(), "a frame stands in one line");
                        data = Some(serde_json::from_str(json).unwrap());
                    }
                    _ => panic!("no line of an event stream: {line}"),
                }
            }
            let chunk = self.chunk().await?;
            self.text.push_str(&chunk);
        }
    }

    /// The JSON of an answer that is no stream.
    pub async fn json(mut self) -> Value {
        let length = self.head.iter().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.unwrap().parse().unwrap()];
        self.stream.read_exact(&mut body).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    /// The next part of the body; `None` at its end, however that comes.
    pub async fn chunk(&mut self) -> Option<String> {
        let length = usize::from_str_radix(&self.line().await?, 16).ok()?;
        let mut chunk = vec![0; length + 2];
        timeout(QUIET, self.stream.read_exact(&mut chunk)).await.expect("a chunk comes soon").ok()?;
        chunk.truncate(length);
        (length > 0).then(|| String::from_utf8(chunk).unwrap())
    }

    /// The next line; `None` when the connection has ended.
    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = timeout(QUIET, self.stream.read_line(&mut line)).await.expect("a line comes soon").ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    }
}
