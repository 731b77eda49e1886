//! One publisher, many subscribers of its channel: what a delivery costs.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncWriteExt},
    net::tcp::OwnedWriteHalf,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    channel::{Sequence, append_publish},
    error::LoadError,
    report::{Row, Target, progress},
    setting::{Servers, Setting},
    socket::Socket,
    tally::Tally,
};

/// Messages under way at most: far fewer than a socket's queue holds, so that nothing is dropped.
const WINDOW: u64 = 256;
/// Load before the measurement begins: caches, allocator and socket buffers find their size.
const WARM_UP: Duration = Duration::from_secs(1);
/// How long the last messages may take.
const REST_WITHIN: Duration = Duration::from_secs(10);
/// What a receipt says.
const RECEIPT: &[u8] = br#"{"success":true,"data":{"type":"published""#;

/// Measures deliveries a second and what they cost the servers.
pub async fn measure(setting: Setting, subscribers: usize, duration: Duration) -> Result<Vec<Row>, LoadError> {
    progress(&format!("fan-out to {subscribers} subscribers, {}", setting.name()));
    let servers = setting.start().await?;
    let sockets = Socket::subscribe_many(subscribers, |number| servers.instance_for(number).address).await?;
    let publisher = Socket::open(servers.instance_for(0).address, subscribers).await?;

    let tally = Rc::new(Tally::new(subscribers));
    let mut listening = JoinSet::new();
    for socket in sockets {
        listening.spawn_local(listen(socket, Rc::clone(&tally)));
    }
    let (receipts, writer) = publisher.split();
    listening.spawn_local(count_receipts(receipts, Rc::clone(&tally)));

    let load = tokio::select! {
        load = load(&servers, writer, &tally, duration) => load?,
        Some(ended) = listening.join_next() => return Err(reason(ended)),
    };
    Ok(rows(setting, subscribers, &load))
}

/// What was measured.
struct Load {
    deliveries: u64,
    elapsed: Duration,
    cpu_time: crate::setting::CpuTime,
}

/// Publishes for as long as the load lasts and waits until everything has arrived.
async fn load(
    servers: &Servers,
    mut writer: OwnedWriteHalf,
    tally: &Tally,
    duration: Duration,
) -> Result<Load, LoadError> {
    let mut published = 0;
    let measured = tokio::select! {
        failed = publish(&mut writer, tally, &mut published) => return Err(failed),
        measured = watch(servers, tally, duration) => measured?,
    };
    let rest = async {
        while tally.done() < published {
            tally.progressed().await;
        }
    };
    match timeout(REST_WITHIN, rest).await {
        Ok(()) => Ok(measured),
        Err(_) => Err(LoadError::Lost { published, complete: tally.done() }),
    }
}

/// Publishes without end, as fast as the window allows; returns only when that fails.
async fn publish(writer: &mut OwnedWriteHalf, tally: &Tally, published: &mut u64) -> LoadError {
    let mut frames = Vec::new();
    loop {
        let until = tally.done() + WINDOW;
        if *published == until {
            tally.progressed().await;
            continue;
        }
        frames.clear();
        (*published..until).for_each(|number| append_publish(&mut frames, number));
        // Counted first: a write that is given up halfway has been begun for all of them.
        *published = until;
        if let Err(error) = writer.write_all(&frames).await {
            return error.into();
        }
    }
}

async fn watch(servers: &Servers, tally: &Tally, duration: Duration) -> Result<Load, LoadError> {
    sleep(WARM_UP).await;
    let (began, deliveries, cpu_time) = (Instant::now(), tally.deliveries(), servers.cpu_time()?);
    sleep(duration).await;
    Ok(Load {
        elapsed: began.elapsed(),
        deliveries: tally.deliveries() - deliveries,
        cpu_time: servers.cpu_time()? - cpu_time,
    })
}

async fn listen(mut socket: Socket, tally: Rc<Tally>) -> Result<(), LoadError> {
    let mut sequence = Sequence::default();
    loop {
        socket
            .receive(|text| {
                tally.delivered(sequence.take(text)?);
                Ok(())
            })
            .await?;
    }
}

async fn count_receipts(mut socket: Socket<impl AsyncRead + Unpin>, tally: Rc<Tally>) -> Result<(), LoadError> {
    loop {
        socket
            .receive(|text| {
                if !text.starts_with(RECEIPT) {
                    return Err(LoadError::unexpected("a receipt", text));
                }
                tally.received_receipt();
                Ok(())
            })
            .await?;
    }
}

/// Why a task that never ends by itself has ended.
fn reason(ended: Result<Result<(), LoadError>, tokio::task::JoinError>) -> LoadError {
    match ended {
        Ok(Err(error)) => error,
        Ok(Ok(())) => LoadError::Closed(None),
        Err(error) => std::io::Error::other(error).into(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn rows(setting: Setting, subscribers: usize, load: &Load) -> Vec<Row> {
    let millions = load.deliveries as f64 / 1e6;
    let what = |what: &str| format!("{}, {subscribers} subscribers: {what}", setting.name());
    let target = match (setting, subscribers) {
        (Setting::Alone, 500) => Some(Target::AtMost(1.0)),
        (Setting::Two, 500) => Some(Target::AtMost(1.5)),
        _ => None,
    };
    let mut rows = vec![
        Row::new(what("deliveries"), load.deliveries as f64 / load.elapsed.as_secs_f64(), "a second", None),
        Row::new(
            what("server CPU"),
            load.cpu_time.instances.as_secs_f64() / millions,
            "s per million deliveries",
            target,
        ),
    ];
    if matches!(setting, Setting::Two) {
        let redis = load.cpu_time.redis.as_secs_f64() / millions;
        rows.push(Row::new(what("Redis CPU"), redis, "s per million deliveries", None));
    }
    rows
}
