//! From a publish on one instance to its delivery by the other, when nothing else happens.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use tokio::{
    io::AsyncWriteExt,
    net::tcp::{OwnedReadHalf, OwnedWriteHalf},
    time::{interval, timeout},
};

use crate::{
    channel::{Sequence, append_publish},
    error::LoadError,
    report::{Row, Target, progress},
    setting::Setting,
    socket::Socket,
};

/// Between two publishes.
const EVERY: Duration = Duration::from_millis(5);
/// First messages, which find everything cold; not counted.
const WARM_UP: u64 = 100;
/// How long the last message may take.
const REST_WITHIN: Duration = Duration::from_secs(10);

/// Measures how long one message takes through both instances and Redis, by the clock of this process.
pub async fn measure(duration: Duration) -> Result<Vec<Row>, LoadError> {
    progress("publish to delivery, 2 instances, Redis");
    let servers = Setting::Two.start().await?;
    let [mut subscriber] =
        <[Socket; 1]>::try_from(Socket::subscribe_many(1, |_| servers.instance_for(1).address).await?)
            .map_err(|_| LoadError::Closed(None))?;
    let (mut receipts, mut writer) = Socket::open(servers.instance_for(0).address, 1).await?.split();

    let count = WARM_UP + u64::try_from(duration.as_millis() / EVERY.as_millis()).unwrap_or_default();
    let sent = RefCell::new(Vec::new());
    let taken = tokio::select! {
        failed = read_on(&mut receipts) => return Err(failed),
        taken = async {
            let (published, taken) =
                tokio::join!(publish(&mut writer, count, &sent), take(&mut subscriber, count, &sent, duration));
            published.and(taken)
        } => taken?,
    };
    Ok(rows(taken))
}

/// Publishes `count` messages, one at a time, and notes when.
async fn publish(writer: &mut OwnedWriteHalf, count: u64, sent: &RefCell<Vec<Instant>>) -> Result<(), LoadError> {
    let mut due = interval(EVERY);
    let mut frame = Vec::new();
    for number in 0..count {
        due.tick().await;
        frame.clear();
        append_publish(&mut frame, number);
        sent.borrow_mut().push(Instant::now());
        writer.write_all(&frame).await?;
    }
    Ok(())
}

/// Takes `count` messages; how long each took.
async fn take(
    subscriber: &mut Socket,
    count: u64,
    sent: &RefCell<Vec<Instant>>,
    duration: Duration,
) -> Result<Vec<Duration>, LoadError> {
    let mut sequence = Sequence::default();
    let mut taken = Vec::new();
    let taking = async {
        while (taken.len() as u64) < count {
            subscriber
                .receive(|text| {
                    let number = usize::try_from(sequence.take(text)?).unwrap_or_default();
                    taken.push(sent.borrow()[number].elapsed());
                    Ok(())
                })
                .await?;
        }
        Ok(())
    };
    let ended = timeout(duration + REST_WITHIN, taking).await;
    match ended {
        Ok(ended) => ended.map(|()| taken),
        Err(_) => Err(LoadError::Lost { published: count, complete: taken.len() as u64 }),
    }
}

/// Reads receipts, which nobody needs here; returns only when that fails.
async fn read_on(receipts: &mut Socket<OwnedReadHalf>) -> LoadError {
    loop {
        if let Err(error) = receipts.receive(|_| Ok(())).await {
            return error;
        }
    }
}

fn rows(mut taken: Vec<Duration>) -> Vec<Row> {
    taken.drain(..usize::try_from(WARM_UP).unwrap_or_default());
    taken.sort_unstable();
    let row = |percent: usize, target| {
        let milliseconds = taken[(taken.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
        let what = format!("{}, publish to delivery: p{percent}", Setting::Two.name());
        Row::new(what, milliseconds, "ms", Some(Target::AtMost(target)))
    };
    vec![row(50, 0.6), row(99, 1.1)]
}
