//! The hub between a bus that does what a test says and a listener that writes down what it gets.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use server::{
    bus::{Attempt, Bus, BusError, Event, Link, Replay},
    hub::{Batch, Draft, Hub, Listener, Omit, OutboxLimits},
    identity::InstanceId,
};
use tokio::sync::{mpsc, watch};
use wire::{Channel, Message, Pattern, Position, Positions, Since};

use super::kit::until;

const NEWS: &str = "view:it:news:published";

/// A bus whose publishes never get through; what is in its log is for the test to say.
struct Deaf {
    link: watch::Receiver<Link>,
    end: Arc<AtomicU64>,
}

#[async_trait]
impl Bus for Deaf {
    async fn join(&self, _: &Pattern) -> Result<(), BusError> {
        if *self.link.borrow() == Link::Down { Err(BusError::Down) } else { Ok(()) }
    }

    async fn leave(&self, _: &Pattern) {}

    async fn publish(&self, _: &[Arc<Message>], _: Attempt) -> Result<Vec<Position>, BusError> {
        Err(BusError::Unreadable)
    }

    async fn position(&self, _: &Channel) -> Result<Position, BusError> {
        if *self.link.borrow() == Link::Down { Err(BusError::Down) } else { Ok(at(self.end.load(Ordering::Relaxed))) }
    }

    async fn replay(&self, _: &Channel, since: &Position) -> Result<Replay, BusError> {
        let end = self.end.load(Ordering::Relaxed);
        let messages = (since.offset <= end).then(|| (since.offset + 1..=end).map(message).collect());
        Ok(Replay { position: at(end), begun: 0, messages })
    }

    async fn positions(&self, _: &Pattern) -> Result<Option<Positions>, BusError> {
        Ok(None)
    }

    async fn renew(&self, _: &Channel) -> Result<(), BusError> {
        Err(BusError::Unreadable)
    }

    fn link(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }

    async fn claim(&self, _: &InstanceId) {}

    async fn close(&self) {}
}

/// What a listener was given.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Given {
    Delivery { sequence: u64 },
    Lost,
}

#[derive(Default)]
struct Notebook(Mutex<Vec<Given>>);

impl Notebook {
    fn read(&self) -> Vec<Given> {
        self.0.lock().unwrap().clone()
    }
}

impl Listener for Notebook {
    fn deliver(&self, batch: &Batch) {
        let given = batch.deliveries().iter().map(|delivery| Given::Delivery { sequence: delivery.sequence });
        self.0.lock().unwrap().extend(given);
    }

    fn lost(&self, _: &Channel, _: Option<&Position>) {
        self.0.lock().unwrap().push(Given::Lost);
    }
}

fn at(offset: u64) -> Position {
    Position { epoch: "e".into(), offset }
}

fn message(offset: u64) -> Arc<Message> {
    Arc::new(Message {
        channel: NEWS.parse().unwrap(),
        data: serde_json::Map::new(),
        instance_id: "other:0".into(),
        timestamp: 1_700_000_000_000,
        id: Some(format!("message-{offset}").into()),
        position: Some(at(offset)),
        uuid: None,
        username: String::new(),
        source: None,
    })
}

/// A hub, what its bus says, its link, and the end of the log.
fn start(link: Link) -> (Hub, mpsc::Sender<Event>, watch::Sender<Link>, Arc<AtomicU64>) {
    let (events, inbox) = mpsc::channel(64);
    let (link, seen) = watch::channel(link);
    let end = Arc::new(AtomicU64::new(0));
    let bus = Arc::new(Deaf { link: seen, end: Arc::clone(&end) });
    let limits = OutboxLimits { messages: 1_000, bytes: 1_000_000 };
    (Hub::start(bus, inbox, "it:0".into(), limits, &[]), events, link, end)
}

#[tokio::test]
async fn what_is_delivered_during_an_outage_is_not_taken_for_a_repetition() {
    let (hub, events, _link, _) = start(Link::Up);
    let pattern: Pattern = NEWS.parse().unwrap();
    let notebook = Arc::new(Notebook::default());
    let listener: Arc<dyn Listener> = notebook.clone();
    let _joined = hub.subscribe(&pattern, Omit::Nothing, Since::Now, listener).await;
    // Both are there at once, so that chance decides which is delivered first: a hundred times.
    for offset in 1..=100 {
        let draft = Draft {
            channel: NEWS.parse().unwrap(),
            payload: serde_json::Map::new(),
            uuid: None,
            username: String::new(),
            saved: None,
        };
        let (receipt, sent) = tokio::join!(hub.publish(draft), events.send(Event::Message(message(offset))));
        assert!(receipt.unwrap().fallback);
        sent.unwrap();
    }
    until("all are delivered", async || notebook.read().len() == 200).await;
    let sequences: Vec<u64> = notebook
        .read()
        .into_iter()
        .map(|given| match given {
            Given::Delivery { sequence } => sequence,
            Given::Lost => panic!("nothing is lost"),
        })
        .collect();
    // A queue takes a delivery with a lower number than the last for one it has.
    assert!(sequences.is_sorted(), "{sequences:?}");
    hub.stop().await;
}

#[tokio::test]
async fn who_joined_without_a_position_is_told_even_when_a_message_comes_before_the_link() {
    let (hub, events, link, end) = start(Link::Down);
    let pattern: Pattern = NEWS.parse().unwrap();
    let notebook = Arc::new(Notebook::default());
    let listener: Arc<dyn Listener> = notebook.clone();
    let joined = hub.subscribe(&pattern, Omit::Nothing, Since::Now, listener).await;
    assert_eq!(joined.position, None);
    // Subscriptions are made anew before the link counts as up: what comes meanwhile comes first.
    link.send_replace(Link::Up);
    end.store(7, Ordering::Relaxed);
    events.send(Event::Message(message(7))).await.unwrap();
    events.send(Event::LinkUp).await.unwrap();
    until("the listener is told", async || notebook.read().contains(&Given::Lost)).await;
    // Once: the next time it has a position like everybody else.
    events.send(Event::LinkUp).await.unwrap();
    end.store(8, Ordering::Relaxed);
    events.send(Event::Message(message(8))).await.unwrap();
    until("the next message comes", async || notebook.read().len() == 3).await;
    assert_eq!(notebook.read().iter().filter(|given| **given == Given::Lost).count(), 1);
    hub.stop().await;
}

#[tokio::test]
async fn the_log_decides_whether_a_position_ahead_of_this_instance_is_one() {
    let (hub, events, _link, end) = start(Link::Up);
    let pattern: Pattern = NEWS.parse().unwrap();
    let [here, ahead, future] = [(); 3].map(|()| Arc::new(Notebook::default()));
    end.store(3, Ordering::Relaxed);
    let first = hub.subscribe(&pattern, Omit::Nothing, Since::Now, here.clone()).await;
    assert_eq!(first.position, Some(at(3)));
    // Published, and on its way to this instance; somebody saw it on another one, somebody else made a number up.
    end.store(5, Ordering::Relaxed);
    let seen = hub.subscribe(&pattern, Omit::Nothing, Since::After(at(5)), ahead.clone()).await;
    assert_eq!((seen.is_recovered, &seen.position, seen.missed.len()), (true, &Some(at(5)), 0));
    let made_up = hub.subscribe(&pattern, Omit::Nothing, Since::After(at(1_005)), future.clone()).await;
    assert_eq!((made_up.is_recovered, &made_up.position, made_up.missed.len()), (false, &Some(at(3)), 0));
    for offset in 4..=6 {
        events.send(Event::Message(message(offset))).await.unwrap();
    }
    until("everybody has the last", async || ahead.read().len() == 1 && future.read().len() == 3).await;
    assert_eq!(here.read(), future.read());
    assert_eq!(ahead.read(), here.read()[2..]);
    hub.stop().await;
}
