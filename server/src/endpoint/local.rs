//! One endpoint of this instance: its rule, its handler, who is on it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use tokio::time::Instant;
use wire::{
    Code, Frame,
    endpoint::{Present, is_endpoint_name},
};

use super::{
    Handler, PATH, Refused, Rule, Visit,
    members::{Members, TooManyRooms},
    report::{LISTED, ROOMS_LISTED, Report},
    roster::Roster,
    tally::{Activity, Happening, Tally},
};
use crate::{
    clock::now_milliseconds,
    metrics::Lately,
    relay::{Outlet, Owner, Queue, QueueEnd},
    socket::text_frame,
};

/// One endpoint of this instance.
pub struct Endpoint {
    /// Its name: part of its address and of its keys.
    pub name: Arc<str>,
    /// Names of what follows in its path.
    parameters: Vec<String>,
    pub(super) kind: Kind,
    rule: RwLock<Arc<Rule>>,
    pub(super) handler: Arc<dyn Handler>,
    here: Mutex<Here>,
}

/// Versions of reports: higher ones are later, also of an endpoint that was removed and made again.
fn next_version() -> u64 {
    static LATEST: AtomicU64 = AtomicU64::new(0);
    LATEST.fetch_add(1, Ordering::Relaxed) + 1
}

/// Who made an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Code: this application's or the site owner's.
    Code,
    /// An administrator.
    Custom,
}

/// Who is on an endpoint of this instance, and what happened.
pub(super) struct Here {
    pub(super) members: Members<Place>,
    pub(super) roster: Roster,
    pub(super) tally: Tally,
    /// What the watchers know.
    pub(super) told: BTreeMap<Arc<str>, Present>,
    /// What the members of a room know.
    pub(super) told_rooms: HashMap<Arc<str>, usize>,
    /// Whether messages went nowhere lately.
    pub(super) losing: Lately,
    version: u64,
    is_dirty: bool,
}

/// Where a socket takes its frames, and whose it is.
pub(super) struct Place {
    pub(super) queue: Arc<Queue<Bytes>>,
    owner: Option<Arc<Owner>>,
}

impl Endpoint {
    /// At a path: a name, and perhaps parameters such as in `rooms/{room}`; `None` when it is none.
    pub(super) fn new(path: &str, kind: Kind, rule: Rule, handler: Arc<dyn Handler>) -> Option<Self> {
        let mut parts = path.split('/');
        let name = parts.next().filter(|name| is_endpoint_name(name))?;
        let parameter = |part: &str| part.strip_prefix('{')?.strip_suffix('}').map(str::to_owned);
        let parameters = parts.map(parameter).collect::<Option<Vec<_>>>()?;
        let here = Here {
            members: Members::default(),
            roster: Roster::default(),
            tally: Tally::default(),
            told: BTreeMap::new(),
            told_rooms: HashMap::new(),
            losing: Lately::default(),
            version: 0,
            is_dirty: true,
        };
        let (rule, here) = (RwLock::new(Arc::new(rule)), Mutex::new(here));
        Some(Self { name: name.into(), parameters, kind, rule, handler, here })
    }

    /// What stands in a path at its parameters; `None` when the path is not this endpoint's.
    pub(super) fn read_path(&self, values: &[String]) -> Option<HashMap<String, String>> {
        let fits = values.len() == self.parameters.len() && values.iter().all(|value| !value.is_empty());
        fits.then(|| self.parameters.iter().cloned().zip(values.iter().cloned()).collect())
    }

    /// Who may use it, and how much.
    pub fn rule(&self) -> Arc<Rule> {
        Arc::clone(&self.rule.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks its handler whether a visitor may come in.
    ///
    /// # Errors
    ///
    /// When not, says why.
    pub async fn accept(&self, visit: &Visit) -> Result<(), Refused> {
        self.handler.accept(visit).await
    }

    /// Whether it is part of the application.
    pub fn is_built_in(&self) -> bool {
        self.kind == Kind::Code
    }

    /// Where browsers connect, with `{name}` for each parameter.
    pub fn path(&self) -> String {
        let mut path = format!("{PATH}{}", self.name);
        self.parameters.iter().for_each(|name| path.extend(["/{", name, "}"]));
        path
    }

    /// Puts another rule in place; who may not be here by it has to go.
    pub(super) fn set_rule(&self, rule: Rule) {
        let rule = Arc::new(rule);
        *self.rule.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&rule);
        self.end(|place| rule.admit(place.owner.as_deref().map(|owner| &*owner.roles)).is_err());
    }

    /// Ends the sockets of those who may not be here any more.
    pub(super) fn end(&self, must_go: impl Fn(&Place) -> bool) {
        let text = "This endpoint is not for you any more.";
        let last = text_frame(&Frame::failure(Code::Unauthorized, text, None, None).to_json());
        for (_, place) in self.here().members.keys().filter(|(_, place)| must_go(place)) {
            place.queue.finish(last.clone(), QueueEnd::Forbidden);
        }
    }

    pub(super) fn here(&self) -> MutexGuard<'_, Here> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter(
        &self,
        user: &Arc<str>,
        present: &Present,
        client: Arc<str>,
        queue: Arc<Queue<Bytes>>,
        owner: Option<Arc<Owner>>,
    ) -> usize {
        let mut here = self.here();
        here.roster.enter(user, present);
        here.note(Happening::Connected, present);
        here.is_dirty = true;
        here.members.enter(Arc::clone(user), Arc::clone(&present.id), client, Place { queue, owner })
    }

    /// Removes a socket; the rooms it was in.
    pub(super) fn leave(&self, key: usize, user: &str, present: &Present) -> Vec<Arc<str>> {
        let mut here = self.here();
        here.roster.leave(user, Instant::now());
        here.note(Happening::Disconnected, present);
        here.is_dirty = true;
        here.members.leave(key)
    }
}

impl Here {
    pub(super) fn join(&mut self, key: usize, room: &Arc<str>) -> Result<bool, TooManyRooms> {
        let joined = self.members.join(key, room)?;
        self.is_dirty |= joined;
        Ok(joined)
    }

    pub(super) fn exit(&mut self, key: usize, room: &str) -> bool {
        let left = self.members.exit(key, room);
        self.is_dirty |= left;
        left
    }

    pub(super) fn note(&mut self, what: Happening, who: &Present) {
        self.tally.note(Activity { at: now_milliseconds(), what, username: who.username.to_string() });
    }

    /// Forgets users who did not come back.
    pub(super) fn sweep(&mut self, now: Instant) -> Vec<Arc<str>> {
        let gone = self.roster.sweep(now);
        self.is_dirty |= !gone.is_empty();
        gone
    }

    /// The latest version of what is said of this endpoint.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// What is to be said of it now if anything changed since it was last said, or in any case.
    pub(super) fn report_if(&mut self, boot: &Arc<str>, in_any_case: bool) -> Option<Report> {
        if !self.is_dirty && !in_any_case {
            return None;
        }
        self.is_dirty = false;
        self.version = next_version();
        Some(self.report(boot))
    }

    /// What is to be said of it now.
    pub(super) fn report(&mut self, boot: &Arc<str>) -> Report {
        let users = self.roster.users().take(LISTED);
        let mut rooms: Vec<_> = self.members.rooms().map(|(room, count)| (Arc::clone(room), count)).collect();
        if rooms.len() > ROOMS_LISTED {
            rooms.sort_unstable_by_key(|(_, count)| std::cmp::Reverse(*count));
            rooms.truncate(ROOMS_LISTED);
        }
        Report {
            boot: Arc::clone(boot),
            version: self.version,
            users: users.map(|(user, present)| (Arc::clone(user), present.clone())).collect(),
            unlisted: self.roster.len().saturating_sub(LISTED),
            connections: self.members.len(),
            rooms: rooms.into_iter().collect(),
            counts: self.tally.counts(now_milliseconds()),
            activity: self.tally.activity(),
        }
    }
}
