//! Places for connections: so many on this instance, so many an address.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, Network},
    http::network,
};

/// Files this process needs beside connections: the store, the site's files, Redis, MongoDB.
const OTHER_FILES: usize = 256;
/// Connections an address may have beside its sockets: the pages' own, and those of programs.
const BESIDE_SOCKETS: usize = 1_024;

/// All places of one instance. Cheap to clone.
///
/// When there is none for a newcomer, the connection that has waited longest for its first request makes
/// room: from the same address when that has too many, else from any. Where none waits, the newcomer goes.
/// Trusted proxies, behind which everybody is, may have as many as there are.
#[derive(Clone)]
pub struct Slots {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    connections_max: usize,
    per_address_max: usize,
    proxies: Vec<Network>,
}

#[derive(Default)]
struct State {
    taken: usize,
    by_address: HashMap<IpAddr, usize>,
    /// Connections that have not sent a request, the oldest first, and what ends them.
    waiting: BTreeMap<u64, Waiting>,
    next: u64,
}

struct Waiting {
    address: IpAddr,
    end: CancellationToken,
}

/// A place; given back when dropped.
pub(super) struct Slot {
    slots: Slots,
    address: IpAddr,
    guest: Guest,
}

/// What a connection does with its place. Cheap to clone.
#[derive(Clone)]
pub(super) struct Guest {
    shared: Arc<Shared>,
    number: u64,
    end: CancellationToken,
    is_served: Arc<AtomicBool>,
}

impl Slots {
    /// As many as configured, and as the operating system allows files; asks it for as many as it would.
    pub fn new(config: &Config) -> Self {
        let limits = &config.limits;
        let files = open_files().saturating_sub(OTHER_FILES).max(1);
        let per_address_max = limits.sockets_per_address.saturating_add(BESIDE_SOCKETS);
        Self::with(limits.connections.min(files), per_address_max, config.server.trusted_proxies.clone())
    }

    fn with(connections_max: usize, per_address_max: usize, proxies: Vec<Network>) -> Self {
        Self { shared: Arc::new(Shared { state: Mutex::default(), connections_max, per_address_max, proxies }) }
    }

    /// A place for a connection from this address, or none.
    pub(super) fn take(&self, address: IpAddr) -> Option<Slot> {
        let is_proxy = self.shared.proxies.iter().any(|proxy| proxy.contains(address));
        let address = network(address);
        let mut state = self.shared.state();
        let of_address = state.by_address.get(&address).copied().unwrap_or_default();
        if of_address >= self.shared.per_address_max && !is_proxy {
            state.make_room(|waiting| waiting.address == address)?;
        } else if state.taken >= self.shared.connections_max {
            state.make_room(|_| true)?;
        }
        state.taken += 1;
        *state.by_address.entry(address).or_default() += 1;
        let number = state.next;
        state.next += 1;
        let end = CancellationToken::new();
        state.waiting.insert(number, Waiting { address, end: end.clone() });
        drop(state);
        let guest = Guest { shared: Arc::clone(&self.shared), number, end, is_served: Arc::default() };
        Some(Slot { slots: self.clone(), address, guest })
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ends the oldest of these that wait; it gives its place back itself, in a moment.
    fn make_room(&mut self, is_meant: impl Fn(&Waiting) -> bool) -> Option<()> {
        let number = self.waiting.iter().find(|(_, waiting)| is_meant(waiting)).map(|(number, _)| *number)?;
        self.waiting.remove(&number)?.end.cancel();
        Some(())
    }
}

impl Slot {
    pub(super) fn guest(&self) -> Guest {
        self.guest.clone()
    }
}

impl Guest {
    /// A request came: the connection makes room for nobody any more.
    pub(super) fn is_served(&self) {
        if !self.is_served.swap(true, Ordering::Relaxed) {
            self.shared.state().waiting.remove(&self.number);
        }
    }

    /// Whether a request came.
    pub(super) fn was_served(&self) -> bool {
        self.is_served.load(Ordering::Relaxed)
    }

    /// Waits until the connection has to make room.
    pub(super) async fn must_go(&self) {
        self.end.cancelled().await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.slots.shared.state();
        state.waiting.remove(&self.guest.number);
        state.taken -= 1;
        if let Some(count) = state.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                state.by_address.remove(&self.address);
            }
        }
    }
}

/// Files this process may open, after asking for all it may ask for.
fn open_files() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Refused, it stays as it was.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    getrlimit(Resource::Nofile).current.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn must_go(slot: &Slot) -> bool {
        slot.guest().end.is_cancelled()
    }

    #[test]
    fn whoever_has_said_nothing_for_longest_makes_room() {
        let slots = Slots::with(2, 10, Vec::new());
        let (first, second) = (slots.take(ONE).unwrap(), slots.take(ONE).unwrap());
        first.guest().is_served();
        let third = slots.take(OTHER).unwrap();
        assert!(!must_go(&first) && must_go(&second));
        drop(second);
        third.guest().is_served();
        assert!(slots.take(OTHER).is_none(), "everybody is served");
        drop(first);
        assert!(slots.take(OTHER).is_some());
    }

    #[test]
    fn an_address_with_too_many_makes_room_for_itself() {
        let slots = Slots::with(10, 2, vec![OTHER.to_string().parse().unwrap()]);
        let other: Vec<_> = (0..4).map(|_| slots.take(OTHER).unwrap()).collect();
        assert!(!other.iter().any(must_go), "a proxy");
        let mine = [slots.take(ONE).unwrap(), slots.take(ONE).unwrap()];
        let third = slots.take(ONE).unwrap();
        assert!(must_go(&mine[0]) && !must_go(&mine[1]) && !must_go(&third));
        drop(mine);
        drop(third);
        assert_eq!(slots.shared.state().by_address.get(&ONE), None);
    }
}
