//! A browser's tab: the real session of the front end over a real socket.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashSet},
    future::Future,
    pin::Pin,
    rc::Rc,
    time::Duration,
};

use client::session::{Action, Event, ListenerId, Outcome, Own, PublishId, Session, State, Wish};
use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::{TcpSocket, TcpStream},
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};
use wire::{Channel, Frame, Pattern, ServerFrame};

use super::{
    cluster::Cluster,
    dice::Dice,
    history::Run,
    ledger::{Ledger, Sender},
};

/// Commands that wait for a tab; more are not taken.
const COMMANDS: usize = 64;
/// How long a tab may take to say something before its socket counts as broken.
const SAY_WITHIN: Duration = Duration::from_secs(2);
/// What a browser's socket says when it ends without a word.
const ABNORMAL: u16 = 1006;

/// What all tabs share.
pub struct World {
    /// The servers.
    pub cluster: Rc<Cluster>,
    /// What happened.
    pub ledger: Rc<Ledger>,
}

/// How a tab is.
pub struct Settings {
    /// Tells tabs apart.
    pub number: u32,
    /// What it listens to.
    pub patterns: Vec<Pattern>,
    /// The one instance it connects to; any of them when it has none.
    pub home: Option<usize>,
    /// What the operating system takes for it while it does not read, in bytes.
    pub receive_buffer: Option<u32>,
}

/// What a tab is told to do.
#[derive(Clone, Copy, Debug)]
pub enum Command {
    /// Publish on a channel, with so many bytes of nothing.
    Publish { channel: usize, padding: usize },
    /// Try again now.
    Encourage,
    /// Lose the socket.
    Drop,
    /// Do nothing at all for a while, not even read.
    Freeze(Duration),
}

/// A tab that lives with this value.
pub struct Tab {
    commands: mpsc::Sender<Command>,
    status: Rc<Status>,
    subscriptions: usize,
    living: JoinHandle<()>,
}

/// What others may know of a tab.
#[derive(Default)]
pub struct Status {
    /// Whether its socket stands.
    pub is_connected: Cell<bool>,
    /// Subscriptions the server has confirmed on this socket.
    pub standing: RefCell<HashSet<ListenerId>>,
    /// How its sockets ended: close codes, counted.
    pub closes: RefCell<BTreeMap<u16, u32>>,
}

impl Tab {
    /// Opens one on this thread.
    pub fn open(world: &Rc<World>, settings: Settings, dice: Dice) -> Self {
        let (commands, to_do) = mpsc::channel(COMMANDS);
        let status = Rc::new(Status::default());
        let uuid: Rc<str> = format!("soak-tab-{}", settings.number).into();
        let mut listeners = Vec::new();
        let mut session = Session::new(Rc::clone(&uuid));
        for (id, pattern) in (0..).map(ListenerId).zip(&settings.patterns) {
            listeners.push(world.ledger.listener(settings.number, pattern));
            let wish = Wish { pattern: pattern.clone(), own: Own::Hear, since: None };
            // Before the first connection, nothing follows from it.
            session.handle(Event::Subscribe(id, wish), Duration::ZERO, 0.0);
        }
        let subscriptions = listeners.len();
        let life = Life {
            world: Rc::clone(world),
            status: Rc::clone(&status),
            settings,
            dice,
            session,
            uuid,
            listeners,
            socket: None,
            began: Instant::now(),
            connections: 0,
            at: 0,
            run: Run { instance: 0, restarts: 0 },
            publishes: BTreeMap::new(),
        };
        let living = tokio::task::spawn_local(life.live(to_do));
        Self { commands, status, subscriptions, living }
    }

    /// Asks for something; passed over by a tab that has much to do.
    pub fn order(&self, command: Command) {
        let _ = self.commands.try_send(command);
    }

    /// Whether it is connected and all its subscriptions stand.
    pub fn is_whole(&self) -> bool {
        self.status.is_connected.get() && self.status.standing.borrow().len() == self.subscriptions
    }

    /// How it does.
    pub fn status(&self) -> &Status {
        &self.status
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        self.living.abort();
    }
}

type Web = WebSocketStream<TcpStream>;

enum Socket {
    Opening(Pin<Box<dyn Future<Output = Option<Web>>>>),
    Open(Box<Web>),
}

struct Life {
    world: Rc<World>,
    status: Rc<Status>,
    settings: Settings,
    dice: Dice,
    session: Session,
    uuid: Rc<str>,
    /// Indices in the ledger.
    listeners: Vec<usize>,
    socket: Option<Socket>,
    began: Instant,
    connections: u32,
    /// The instance it is connected to, or was last.
    at: usize,
    /// The process at the other end.
    run: Run,
    /// Messages of this tab that have no receipt yet.
    publishes: BTreeMap<PublishId, usize>,
}

impl Life {
    async fn live(mut self, mut to_do: mpsc::Receiver<Command>) {
        self.happen(Event::Started).await;
        loop {
            let wake_at = self.session.wake_at().map(|moment| self.began + moment);
            let event = tokio::select! {
                command = to_do.recv() => match command {
                    Some(Command::Publish { channel, padding }) => self.publish(channel, padding),
                    Some(Command::Encourage) => Some(Event::Encouraged),
                    Some(Command::Drop) => self.socket.take().map(|_| Event::Closed { code: ABNORMAL }),
                    Some(Command::Freeze(pause)) => {
                        sleep(pause).await;
                        None
                    }
                    None => return,
                },
                event = hear(&mut self.socket) => event,
                () = wake(wake_at) => Some(Event::Woke),
            };
            if let Some(event) = event {
                self.happen(event).await;
            }
        }
    }

    async fn happen(&mut self, event: Event) {
        if let Event::Closed { code } = &event {
            *self.status.closes.borrow_mut().entry(*code).or_default() += 1;
        }
        if event == Event::Opened {
            self.run = self.world.cluster.instances[self.at].current();
        }
        let lost_on = lost_channel(&event);
        let actions = self.session.handle(event, self.began.elapsed(), self.dice.fraction());
        for action in actions {
            self.perform(action, lost_on.as_ref()).await;
        }
    }

    async fn perform(&mut self, action: Action, lost_on: Option<&Channel>) {
        let ledger = &self.world.ledger;
        match action {
            Action::Connect => self.connect(),
            Action::Disconnect => self.socket = None,
            Action::Send(text) => self.say(text).await,
            Action::Deliver { listener, message, is_recovered } => {
                ledger.delivered(self.index(listener), &message, is_recovered);
            }
            Action::Tell(listener, news) => {
                ledger.told(self.index(listener), news, lost_on.map(Channel::as_str));
                self.status.standing.borrow_mut().insert(listener);
            }
            Action::Settle(id, outcome) => {
                if let (Some(message), Outcome::Taken(receipt)) = (self.publishes.remove(&id), outcome) {
                    ledger.promised(message, &receipt);
                }
            }
            Action::State(state) => {
                self.status.is_connected.set(state == State::Connected);
                if state != State::Connected {
                    self.status.standing.borrow_mut().clear();
                }
            }
            Action::Refused(_) | Action::ClusterMode(_) | Action::Username(_) => {}
        }
    }

    fn index(&self, ListenerId(id): ListenerId) -> usize {
        self.listeners[usize::try_from(id).unwrap_or(usize::MAX)]
    }

    /// Only while connected: what never leaves the tab is no message.
    fn publish(&mut self, channel: usize, padding: usize) -> Option<Event> {
        if !self.status.is_connected.get() {
            return None;
        }
        let name: Channel = self.world.ledger.history().channels[channel].parse().ok()?;
        let sender = Sender { publisher: self.settings.number, connection: self.connections, to: self.run };
        let (message, payload) = self.world.ledger.sending(sender, channel, padding);
        let id = PublishId(u64::try_from(message).ok()?);
        self.publishes.insert(id, message);
        Some(Event::Publish { id, channel: name, payload })
    }

    fn connect(&mut self) {
        self.connections += 1;
        let instances = &self.world.cluster.instances;
        self.at = self.settings.home.unwrap_or_else(|| self.dice.below(instances.len()));
        let address = instances[self.at].address();
        let url = format!("ws://{address}/api/1/ws/jp-broadcast?uuid={}", self.uuid);
        let receive_buffer = self.settings.receive_buffer;
        self.socket = Some(Socket::Opening(Box::pin(async move {
            let raw = TcpSocket::new_v4().ok()?;
            if let Some(bytes) = receive_buffer {
                raw.set_recv_buffer_size(bytes).ok()?;
            }
            let stream = raw.connect(address).await.ok()?;
            stream.set_nodelay(true).ok()?;
            Some(client_async(url.into_client_request().ok()?, stream).await.ok()?.0)
        })));
    }

    async fn say(&mut self, text: String) {
        // A socket that takes nothing ends by itself, and says so when it is read.
        if let Some(Socket::Open(web)) = &mut self.socket {
            let _ = timeout(SAY_WITHIN, web.send(Message::text(text))).await;
        }
    }
}

/// What the socket says next; waits for ever when there is none, or nothing of interest comes. Cancel safe.
async fn hear(socket: &mut Option<Socket>) -> Option<Event> {
    let event = match socket {
        None => std::future::pending().await,
        Some(Socket::Opening(opening)) => {
            if let Some(web) = opening.await {
                *socket = Some(Socket::Open(Box::new(web)));
                return Some(Event::Opened);
            }
            Event::Closed { code: ABNORMAL }
        }
        Some(Socket::Open(web)) => match web.next().await {
            Some(Ok(Message::Text(text))) => return Some(Event::Text(text.as_str().to_owned())),
            Some(Ok(Message::Close(close))) => {
                Event::Closed { code: close.map_or(ABNORMAL, |close| u16::from(close.code)) }
            }
            Some(Ok(_)) => return None,
            Some(Err(_)) | None => Event::Closed { code: ABNORMAL },
        },
    };
    *socket = None;
    Some(event)
}

async fn wake(at: Option<Instant>) {
    match at {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// The channel a `gap` frame is about: the session tells listeners of it without its name.
fn lost_channel(event: &Event) -> Option<Channel> {
    let Event::Text(text) = event else { return None };
    if !text.contains(r#""type":"gap""#) {
        return None;
    }
    match Frame::parse(text) {
        Ok(Frame::Success { data: ServerFrame::Gap { data }, .. }) => Some(data.channel),
        _ => None,
    }
}
