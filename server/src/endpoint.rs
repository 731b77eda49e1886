//! WebSocket endpoints beside the relay: isolated from each other, targeted, present.
//!
//! The path of one message: a browser's task ([`conversation`]) reads it and either does what every
//! endpoint does, or asks the endpoint's [`Handler`]. A [`Post`] goes to the sockets of this instance
//! at once, and over a topic of Redis to the instances that have somebody it is for; its frame is made
//! once an instance. Who is where is told between instances as a whole ([`report`]), so that nothing
//! can drift.

pub mod builtin;
mod conversation;
mod custom;
mod exchange;
mod handler;
mod local;
mod members;
mod namespaces;
mod node_js;
mod port;
mod post;
mod report;
mod requests;
mod roster;
mod socket;
mod stats;
mod tally;
mod withdraw;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use thiserror::Error;
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::{
    Context, Frame, ServerFrame,
    endpoint::{PresenceFrame, Present},
    limits::PRESENT_LISTED,
};

use crate::{
    hub::{Hub, Keys, TopicInbox, Topics},
    relay::{Relay, Seat},
    socket::{SocketStream, text_frame},
    store::EndpointStore,
};

pub use app::websocket::{Auth, Definition, Denied, Limits, PATH, Rule};
pub use custom::{CUSTOM_MAX, CustomError};
pub use handler::{Handler, Plain, Refused, Reply, Visit};
pub use local::{Endpoint, Kind};
pub use members::Target;
pub use node_js::FAMILY as NODE_JS_FAMILY;
pub use port::WebSocketPort;
pub use post::Post;
pub use socket::Socket;

use conversation::Talk;
use report::Peers;
use tally::Loss;
use withdraw::Withdrawals;

/// What topics of endpoints begin with.
pub const FAMILY: &str = "ws:";
/// What keys begin with that say who is online.
const ONLINE: &str = "ws:online:";
/// The relay's name among the endpoints.
pub const RELAY: &str = "jp-broadcast";

/// How long a socket waits for Redis before it opens all the same.
const HEARD_WITHIN: Duration = Duration::from_secs(1);
/// How long a user's instances are known without being told again.
const ONLINE_FOR: Duration = Duration::from_mins(5);

/// All endpoints of one instance. Cheap to clone.
#[derive(Clone)]
pub struct Endpoints {
    shared: Arc<Shared>,
}

struct Shared {
    relay: Relay,
    hub: Hub,
    topics: Topics,
    /// What instances on Node.js hear.
    node_js: Topics,
    /// `None` without Redis.
    keys: Option<Keys>,
    store: Arc<dyn EndpointStore>,
    /// Names this process towards the others.
    boot: Arc<str>,
    registry: RwLock<HashMap<Arc<str>, Arc<Endpoint>>>,
    peers: Mutex<Peers>,
    withdrawals: Mutex<Withdrawals>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Why an endpoint cannot be registered.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RegisterError {
    /// The path is none: a name, and perhaps parameters such as in `rooms/{room}`.
    #[error("{0:?} is no path of an endpoint")]
    Path(String),
    /// There is one of this name.
    #[error("there is an endpoint {0:?} already")]
    Taken(String),
}

impl Endpoints {
    /// Starts to hear the other instances, on `topics` of [`FAMILY`], and those on Node.js, on `node_js` of
    /// [`NODE_JS_FAMILY`]; there is no endpoint yet.
    pub fn start(
        relay: Relay,
        hub: Hub,
        (topics, inbox): (Topics, TopicInbox),
        (node_js, node_js_inbox): (Topics, TopicInbox),
        keys: Option<Keys>,
        store: Arc<dyn EndpointStore>,
    ) -> Self {
        let endpoints = Self {
            shared: Arc::new(Shared {
                relay,
                hub,
                topics,
                node_js,
                keys,
                store,
                boot: uuid::Uuid::new_v4().simple().to_string().into(),
                registry: RwLock::default(),
                peers: Mutex::default(),
                withdrawals: Mutex::default(),
                tasks: TaskTracker::new(),
                stop: CancellationToken::new(),
            }),
        };
        endpoints.exchange(inbox);
        endpoints.hear_node_js(node_js_inbox);
        endpoints.keep_custom();
        endpoints
    }

    /// Adds an endpoint at a path below [`PATH`]: a name, and perhaps parameters such as in
    /// `rooms/{room}`.
    ///
    /// # Errors
    ///
    /// When the path is none, or its name is taken.
    pub fn register(&self, path: &str, rule: Rule, handler: Arc<dyn Handler>) -> Result<(), RegisterError> {
        let endpoint =
            Endpoint::new(path, Kind::Code, rule, handler).ok_or_else(|| RegisterError::Path(path.to_owned()))?;
        if is_reserved(&endpoint.name) || self.get(&endpoint.name).is_some() {
            return Err(RegisterError::Taken(endpoint.name.to_string()));
        }
        self.insert(endpoint);
        Ok(())
    }

    /// The endpoint of this name.
    pub fn get(&self, name: &str) -> Option<Arc<Endpoint>> {
        self.shared.registry.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The endpoint at a path, given by its segments, and what stands there at its parameters.
    pub fn find(&self, segments: &[String]) -> Option<(Arc<Endpoint>, HashMap<String, String>)> {
        let (name, values) = segments.split_first()?;
        let endpoint = self.get(name)?;
        let parameters = endpoint.read_path(values)?;
        Some((endpoint, parameters))
    }

    /// Every endpoint, by name.
    pub fn all(&self) -> BTreeMap<Arc<str>, Arc<Endpoint>> {
        let registry = self.shared.registry.read().unwrap_or_else(PoisonError::into_inner);
        registry.iter().map(|(name, endpoint)| (Arc::clone(name), Arc::clone(endpoint))).collect()
    }

    /// Serves one browser until it, its session or the instance goes.
    pub async fn serve(&self, stream: SocketStream, endpoint: Arc<Endpoint>, path: String, visit: Visit, seat: Seat) {
        let (relay, owner) = (&self.shared.relay, visit.owner.clone());
        let connected = ServerFrame::Connected {
            client_id: Arc::clone(&visit.client_id),
            namespace: path,
            limits: endpoint.rule().limits.frame(),
            ctx: Context { username: owner.as_ref().map(|owner| owner.username.clone()).unwrap_or_default() },
        };
        let queue = relay.queue();
        let socket = Socket::enter(self, &endpoint, visit, Arc::clone(&queue));
        let user = Arc::clone(socket.user_id());
        // Who is met with `connected` hears everybody, and is online everywhere.
        let heard = socket.topics();
        // Boxed: it would be part of the socket's task for as long as that lives.
        Box::pin(async { tokio::join!(self.hear(&heard, &endpoint.name), self.set_online(&endpoint.name, &user)) })
            .await;
        self.end_if_removed(&endpoint);
        let greeting = text_frame(&Frame::news(connected).to_json());
        relay.converse(stream, queue, owner, greeting, Talk::new(socket), seat).await;
    }

    /// Delivers a message here and tells it to the other instances.
    pub fn send(&self, endpoint: &Arc<Endpoint>, post: &Post) {
        deliver(endpoint, post);
        let text = post.to_text(&endpoint.name, self.instance_id(), &self.shared.boot);
        let is_published = self.shared.topics.tell(&post.topic(&endpoint.name), text);
        if !(self.publish_to_node_js(&endpoint.name, post) && is_published) {
            endpoint.here().tally.dropped(Loss::Link);
        }
    }

    /// The same as an administrator or the server itself: counted as a message of the endpoint.
    pub fn send_as_server(&self, endpoint: &Arc<Endpoint>, post: &Post) {
        endpoint.here().tally.message(post.timestamp);
        self.send(endpoint, post);
    }

    /// Gives up what is said of this instance, at once. Sockets are gone by then.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
        self.say_goodbye().await;
    }

    fn instance_id(&self) -> &Arc<str> {
        self.shared.hub.instance_id()
    }

    fn insert(&self, endpoint: Endpoint) {
        let mut registry = self.shared.registry.write().unwrap_or_else(PoisonError::into_inner);
        registry.insert(Arc::clone(&endpoint.name), Arc::new(endpoint));
    }

    /// Takes an endpoint out that an administrator made.
    fn take_custom(&self, name: &str) -> Option<Arc<Endpoint>> {
        let mut registry = self.shared.registry.write().unwrap_or_else(PoisonError::into_inner);
        if registry.get(name).is_some_and(|known| known.kind == Kind::Custom) { registry.remove(name) } else { None }
    }

    fn peers(&self) -> MutexGuard<'_, Peers> {
        self.shared.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn hear(&self, targets: &[Target], endpoint: &str) {
        let topics = topics(targets, endpoint);
        if let Ok(Err(error)) = timeout(HEARD_WITHIN, self.shared.topics.hear(&topics)).await {
            tracing::debug!(%error, "a topic is heard when redis is back");
        }
    }

    async fn ignore(&self, targets: &[Target], endpoint: &str) {
        let topics = topics(targets, endpoint);
        self.shared.topics.ignore(&topics).await;
    }

    async fn set_online(&self, endpoint: &str, user: &str) {
        let Some(keys) = &self.shared.keys else { return };
        let added = keys.add_member(&online_key(endpoint, user), self.instance_id(), ONLINE_FOR).await;
        if let Err(error) = added {
            tracing::debug!(%error, "a user is told to be online when redis is back");
        }
    }

    /// Sockets in a room, on all instances.
    fn in_room(&self, endpoint: &Endpoint, room: &str) -> usize {
        let here = endpoint.here().members.in_room(room);
        here + self.peers().in_room(&endpoint.name, room)
    }

    /// Lets a socket hear who comes and goes, or no more; who is there now.
    fn watch(&self, socket: &Socket, is_watching: bool) -> PresenceFrame {
        let socket::Inner { endpoint, key, present, .. } = &*socket.inner;
        if endpoint.here().members.watchers().next().is_none() {
            self.tell_presence(endpoint);
        }
        let mut here = endpoint.here();
        here.members.watch(*key, is_watching);
        let users: Vec<Present> = here.told.values().take(PRESENT_LISTED).cloned().collect();
        PresenceFrame { users, total: here.told.len(), you: Arc::clone(&present.id) }
    }
}

/// Whether no endpoint may have this name.
fn is_reserved(name: &str) -> bool {
    matches!(name, RELAY | "stats" | "endpoints")
}

/// What is heard for these targets: a broadcast may also come from an instance on Node.js.
fn topics(targets: &[Target], endpoint: &str) -> Vec<String> {
    let of_node_js = targets.contains(&Target::Broadcast).then(|| node_js::topic(endpoint));
    targets.iter().map(|target| post::topic(endpoint, target)).chain(of_node_js).collect()
}

fn online_key(endpoint: &str, user: &str) -> String {
    format!("{ONLINE}{endpoint}:{user}")
}

/// Hands a message to the sockets here it is for.
fn deliver(endpoint: &Endpoint, post: &Post) {
    let mut here = endpoint.here();
    let mut reached = here.members.reached(&post.target, post.omit.as_deref()).peekable();
    let Some(first) = reached.peek() else { return };
    let frame = post.encoded();
    if !first.queue.holds(frame.len()) {
        drop(reached);
        here.tally.dropped(Loss::TooLarge);
        tracing::warn!(endpoint = %endpoint.name, size_bytes = frame.len(), "a message is too large for any browser");
        return;
    }
    reached.for_each(|place| place.queue.push(frame.clone()));
}
