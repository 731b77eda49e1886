//! What endpoints beside the relay carry: messages to one user each, cursors that move, sockets that wait.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    io::AsyncWriteExt,
    net::tcp::{OwnedReadHalf, OwnedWriteHalf},
    sync::Notify,
    task::spawn_local,
    time::{interval, sleep, timeout},
};

use crate::{
    error::LoadError,
    frames, machine,
    report::{Row, Target, progress},
    setting::Setting,
    socket::{Socket, contains, uuid},
};

const ENDPOINT: &str = "hello-emoji";
/// How long what is under way may take to arrive.
const REST_WITHIN: Duration = Duration::from_secs(10);

/// Users who are told something each.
const USERS: usize = 1_000;
/// Messages under way at once.
const WINDOW: u64 = 256;

/// Cursors on one page, and how often each moves.
const CURSORS: usize = 20;
const MOVE_EVERY: Duration = Duration::from_millis(50);
/// What stands before a move's number in a frame.
const BEFORE_MOVE: &[u8] = br#""n":"#;

/// Sockets that only wait.
const HELD: usize = 20_000;
/// How long they wait; no socket here answers the pings that come after 30 seconds.
const HELD_FOR: Duration = Duration::from_secs(10);

/// Measures all three, each on servers of its own.
pub async fn measure(duration: Duration) -> Result<Vec<Row>, LoadError> {
    let mut rows = targeted(duration).await?;
    rows.extend(cursors(duration).await?);
    rows.extend(held().await?);
    Ok(rows)
}

/// What has arrived, and who wants to know of more.
#[derive(Default)]
struct Arrived {
    count: Cell<u64>,
    more: Notify,
}

impl Arrived {
    fn one(&self) {
        self.count.set(self.count.get() + 1);
        self.more.notify_one();
    }
}

/// One socket sends to one user after the other, half of them on the other instance.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
async fn targeted(duration: Duration) -> Result<Vec<Row>, LoadError> {
    progress("messages to one user each, 2 instances, Redis");
    let servers = Setting::Two.start().await?;
    let sockets = Socket::open_many_at(ENDPOINT, USERS, |number| servers.instance_for(number).address).await?;
    let (_, mut writer) = Socket::open_at(servers.instance_for(0).address, ENDPOINT, USERS).await?.split();
    let arrived = Rc::new(Arrived::default());
    for (number, socket) in sockets.into_iter().enumerate() {
        spawn_local(take_own(socket, number, Rc::clone(&arrived)));
    }
    let (began, cpu_time) = (Instant::now(), servers.cpu_time()?);
    let (mut sent, mut bytes) = (0, Vec::new());
    while began.elapsed() < duration {
        bytes.clear();
        for number in sent..arrived.count.get() + WINDOW {
            let user = usize::try_from(number).unwrap_or_default() % USERS;
            frames::append_text(&mut bytes, &message_to(user));
        }
        sent = arrived.count.get() + WINDOW;
        writer.write_all(&bytes).await?;
        if arrived.count.get() + WINDOW == sent {
            within(arrived.more.notified(), sent, &arrived).await?;
        }
    }
    let rest = async {
        while arrived.count.get() < sent {
            arrived.more.notified().await;
        }
    };
    within(rest, sent, &arrived).await?;
    let (elapsed, used) = (began.elapsed(), servers.cpu_time()? - cpu_time);
    let cpu_seconds = used.instances.as_secs_f64() * 1_000_000.0 / sent as f64;
    Ok(vec![
        Row::new(
            "2 instances, Redis: messages to one user each",
            sent as f64 / elapsed.as_secs_f64(),
            "a second",
            None,
        ),
        Row::new("the same: server CPU", cpu_seconds, "s per million", None),
    ])
}

async fn within(waiting: impl Future<Output = ()>, sent: u64, arrived: &Arrived) -> Result<(), LoadError> {
    let ended = timeout(REST_WITHIN, waiting).await;
    ended.map_err(|_| LoadError::Lost { published: sent, complete: arrived.count.get() })
}

fn message_to(user: usize) -> String {
    let (id, filling) = (uuid(user), "x".repeat(150));
    format!(r#"{{"type":"user","userId":"guest:{id}","data":{{"to":"{id}","text":"{filling}"}}}}"#)
}

/// Counts what comes; all of it must be for this user.
async fn take_own(mut socket: Socket, number: usize, arrived: Rc<Arrived>) -> Result<(), LoadError> {
    let wanted = format!(r#""to":"{}""#, uuid(number));
    loop {
        socket
            .receive(|text| {
                if !contains(text, wanted.as_bytes()) {
                    return Err(LoadError::unexpected(wanted.as_str(), text));
                }
                arrived.one();
                Ok(())
            })
            .await?;
    }
}

/// When each move was sent, and how long it took to each of the others.
#[derive(Default)]
struct Moves {
    sent: RefCell<Vec<Instant>>,
    took: RefCell<Vec<Duration>>,
    more: Notify,
}

/// Every cursor moves at its own time and is seen by all others, on both instances.
async fn cursors(duration: Duration) -> Result<Vec<Row>, LoadError> {
    progress("20 cursors, 20 moves a second each, 2 instances, Redis");
    let servers = Setting::Two.start().await?;
    let sockets = Socket::open_many_at(ENDPOINT, CURSORS, |number| servers.instance_for(number).address).await?;
    let moves = Rc::new(Moves::default());
    let mut moving = Vec::new();
    for socket in sockets {
        let (mut reader, mut writer) = socket.split();
        let (seen, made) = (Rc::clone(&moves), Rc::clone(&moves));
        spawn_local(async move { watch(&mut reader, &seen).await });
        // Dropped, a writer would end its socket: all are kept to the end.
        moving.push(spawn_local(async move { move_for(duration, &mut writer, &made).await.map(|()| writer) }));
        sleep(MOVE_EVERY / u32::try_from(CURSORS).unwrap_or(1)).await;
    }
    let mut writers = Vec::new();
    for each in moving {
        writers.push(each.await.map_err(|_| LoadError::Interrupted)??);
    }
    let (sent, others) = (moves.sent.borrow().len(), CURSORS - 1);
    let rest = async {
        while moves.took.borrow().len() < sent * others {
            moves.more.notified().await;
        }
    };
    let complete = timeout(REST_WITHIN, rest).await;
    let mut took = moves.took.take();
    complete.map_err(|_| LoadError::Lost { published: sent as u64, complete: (took.len() / others) as u64 })?;
    took.sort_unstable();
    let row = |percent: usize, target| {
        let milliseconds = took[(took.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
        Row::new(format!("20 cursors, move to all others: p{percent}"), milliseconds, "ms", target)
    };
    Ok(vec![row(50, None), row(99, Some(Target::AtMost(50.0)))])
}

async fn move_for(duration: Duration, writer: &mut OwnedWriteHalf, moves: &Moves) -> Result<(), LoadError> {
    let (began, mut due, mut bytes) = (Instant::now(), interval(MOVE_EVERY), Vec::new());
    while began.elapsed() < duration {
        due.tick().await;
        let number = moves.sent.borrow().len();
        bytes.clear();
        let text = format!(r#"{{"type":"broadcast","omitSelf":true,"data":{{"n":{number},"x":0.5,"y":0.5}}}}"#);
        frames::append_text(&mut bytes, &text);
        moves.sent.borrow_mut().push(Instant::now());
        writer.write_all(&bytes).await?;
    }
    Ok(())
}

/// Notes how long each move took; returns only when the socket fails.
async fn watch(reader: &mut Socket<OwnedReadHalf>, moves: &Moves) -> LoadError {
    loop {
        let received = reader
            .receive(|text| {
                let number = move_number(text).ok_or_else(|| LoadError::unexpected("a move", text))?;
                moves.took.borrow_mut().push(moves.sent.borrow()[number].elapsed());
                moves.more.notify_one();
                Ok(())
            })
            .await;
        if let Err(error) = received {
            return error;
        }
    }
}

fn move_number(text: &[u8]) -> Option<usize> {
    let at = text.windows(BEFORE_MOVE.len()).position(|bytes| bytes == BEFORE_MOVE)? + BEFORE_MOVE.len();
    let digits = text[at..].iter().take_while(|byte| byte.is_ascii_digit());
    digits.map(|digit| usize::from(digit - b'0')).reduce(|number, digit| number * 10 + digit)
}

/// Sockets of one instance that say nothing: how many it holds, and what each costs.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
async fn held() -> Result<Vec<Row>, LoadError> {
    progress("20,000 sockets that wait, 1 instance");
    let servers = Setting::Alone.start().await?;
    let server = servers.instance_for(0);
    let count = HELD.min(machine::sockets_at_most());
    let before = server.process.resident_kilobytes()?;
    let mut sockets = Socket::open_many_at(ENDPOINT, count, |_| server.address).await?;
    sleep(HELD_FOR).await;
    let taken = server.process.resident_kilobytes()?.saturating_sub(before);
    for socket in &mut sockets {
        // Whoever was thrown out finds a close frame here instead.
        socket.send(r#"{"type":"ping"}"#).await?;
        socket.expect(r#""type":"pong""#).await?;
    }
    Ok(vec![
        Row::new("1 instance: sockets held on an endpoint", count as f64, "at once", Some(Target::AtLeast(20_000.0))),
        Row::new("1 instance: idle endpoint socket", taken as f64 / count as f64, "KB resident", None),
    ])
}
