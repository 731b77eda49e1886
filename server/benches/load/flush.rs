//! How fast the other instances get what waited for Redis.

use std::time::Instant;

use tokio::io::AsyncWriteExt;

use crate::{
    channel::{CHANNEL, Sequence, append_publish},
    error::LoadError,
    report::{Row, progress},
    setting::Setting,
    socket::Socket,
};

/// Messages published while Redis is away: as many as the outbox holds.
const WAITING: u64 = 10_000;

/// Measures from the first of these messages on the other instance to the last.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub async fn measure() -> Result<Vec<Row>, LoadError> {
    progress("outbox, 2 instances, Redis");
    let mut servers = Setting::Two.start().await?;
    let publisher = Socket::open(servers.instance_for(0).address, 1).await?;
    let mut subscriber = Socket::open(servers.instance_for(1).address, 2).await?;
    subscriber.subscribe(CHANNEL).await?;
    let Some(redis) = &mut servers.redis else { return Ok(Vec::new()) };
    redis.kill();
    let mut frames = Vec::new();
    (0..WAITING).for_each(|number| append_publish(&mut frames, number));
    let (mut receipts, mut writer) = publisher.split();
    let counting = async {
        let mut count = 0;
        while count < WAITING {
            let count_one = |text: &[u8]| {
                count += u64::from(text.windows(11).any(|bytes| bytes == br#""published""#));
                Ok(())
            };
            receipts.receive(count_one).await?;
        }
        Ok::<_, LoadError>(())
    };
    let (written, counted) = tokio::join!(writer.write_all(&frames), counting);
    written?;
    counted?;
    redis.start_again().await?;
    let (mut sequence, mut taken, mut began) = (Sequence::default(), 0, None);
    while taken < WAITING {
        subscriber
            .receive(|text| {
                if text.windows(11).any(|bytes| bytes == br#""broadcast""#) {
                    began.get_or_insert_with(Instant::now);
                    taken = sequence.take(text)? + 1;
                }
                Ok(())
            })
            .await?;
    }
    let elapsed = began.map_or(f64::NAN, |began| began.elapsed().as_secs_f64());
    Ok(vec![Row::new("outbox of 10,000 messages: flush", WAITING as f64 / elapsed, "a second", None)])
}
