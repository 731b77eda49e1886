//! Another program that hears what is published in Redis.

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

use super::{SOON, redis::Redis};

/// Subscribed to one pattern until dropped.
pub struct Subscriber(BufReader<TcpStream>);

impl Subscriber {
    pub async fn hear(redis: &Redis, pattern: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", redis.port)).await.unwrap();
        let mut subscriber = Self(BufReader::new(stream));
        subscriber.0.write_all(format!("PSUBSCRIBE {pattern}\r\n").as_bytes()).await.unwrap();
        assert_eq!(subscriber.reply().await[0], "psubscribe");
        subscriber
    }

    /// The next message: its channel and its text.
    pub async fn next(&mut self) -> (String, String) {
        let mut reply = timeout(SOON, self.reply()).await.expect("a message comes soon");
        let (text, channel) = (reply.pop().unwrap(), reply.pop().unwrap());
        (channel, text)
    }

    /// An array of texts and numbers.
    async fn reply(&mut self) -> Vec<String> {
        let mut parts = Vec::new();
        for _ in 0..self.number(b'*').await {
            let line = self.line().await;
            match line.as_bytes()[0] {
                b'$' => {
                    let mut text = vec![0; line[1..].parse::<usize>().unwrap() + 2];
                    self.0.read_exact(&mut text).await.unwrap();
                    text.truncate(text.len() - 2);
                    parts.push(String::from_utf8(text).unwrap());
                }
                _ => parts.push(line[1..].to_owned()),
            }
        }
        parts
    }

    async fn number(&mut self, kind: u8) -> usize {
        let line = self.line().await;
        assert_eq!(line.as_bytes()[0], kind, "{line}");
        line[1..].parse().unwrap()
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        line.trim_end().to_owned()
    }
}
