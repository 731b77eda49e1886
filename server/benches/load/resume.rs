//! Many browsers that come back at once, each with something to catch up on.

use std::time::Instant;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    channel::{CHANNEL, Sequence, append_publish},
    error::LoadError,
    report::{Row, progress},
    setting::Setting,
    socket::Socket,
};

/// Browsers that come back.
const SOCKETS: usize = 5_000;
/// Messages each of them missed.
const MISSED: u64 = 100;
/// That come back at once.
const AT_ONCE: usize = 256;

/// Measures how long it takes until all of them have all of it, on an instance that heard none of it.
pub async fn measure() -> Result<Vec<Row>, LoadError> {
    progress("5,000 sockets resume, 2 instances, Redis");
    let servers = Setting::Two.start().await?;
    let Some(redis) = &servers.redis else { return Ok(Vec::new()) };
    let (busy, fresh) = (servers.instance_for(0).address, servers.instance_for(1).address);
    let mut publisher = Socket::open(busy, SOCKETS).await?;
    let since = publisher.subscribe(CHANNEL).await?;
    let mut frames = Vec::new();
    (0..MISSED).for_each(|number| append_publish(&mut frames, number));
    publisher.send_bytes(&frames).await?;
    let (mut sequence, mut published) = (Sequence::default(), 0);
    while published < MISSED {
        publisher
            .receive(|text| {
                // Its receipts come too.
                if text.windows(11).any(|bytes| bytes == br#""broadcast""#) {
                    published = sequence.take(text)? + 1;
                }
                Ok(())
            })
            .await?;
    }
    let sockets = Socket::open_many(SOCKETS, |_| fresh).await?;
    let (began, commands, cpu_time) = (Instant::now(), redis.commands().await?, servers.cpu_time()?);
    let request = format!(r#"{{"type":"subscribe","channel":"{CHANNEL}","since":{since}}}"#);
    let resuming = stream::iter(sockets).map(|mut socket| {
        let request = &request;
        async move {
            socket.send(request).await?;
            let (mut sequence, mut taken) = (Sequence::default(), 0);
            while taken < MISSED {
                socket
                    .receive(|text| {
                        if text.windows(12).any(|bytes| bytes == br#""subscribed""#) {
                            return Ok(());
                        }
                        taken = sequence.take(text)? + 1;
                        Ok(())
                    })
                    .await?;
            }
            Ok::<_, LoadError>(socket)
        }
    });
    let sockets: Vec<Socket> = resuming.buffer_unordered(AT_ONCE).try_collect().await?;
    let (elapsed, used) = (began.elapsed(), servers.cpu_time()? - cpu_time);
    // The heart beats meanwhile: a few commands are its.
    let commands = redis.commands().await? - commands;
    drop(sockets);
    Ok(vec![
        Row::new("resume of 5,000 sockets, 100 messages each", elapsed.as_secs_f64(), "s", None),
        Row::new("resume: server CPU", used.instances.as_secs_f64(), "s", None),
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
        Row::new("resume: Redis commands", commands as f64, "in all", None),
    ])
}
