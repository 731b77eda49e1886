//! What instances tell each other about their endpoints, and what this one knows of the others. Data only.
//!
//! A report is absolute: it says who is there, not who came. A lost one is made good by the next, and
//! what an instance said is forgotten when the instance falls silent: nothing is left to drift.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use wire::endpoint::Present;

use super::tally::{Activity, Counts};

/// How often an instance says that it is there.
pub const BEAT: Duration = Duration::from_secs(5);
/// How long it may be silent before it counts as gone.
pub const SILENT_FOR: Duration = Duration::from_secs(15);
/// Users one report lists; more are counted.
pub const LISTED: usize = 10_000;
/// Rooms one report lists, the fullest first.
pub const ROOMS_LISTED: usize = 1_000;
/// Instances that are known at most; more are passed over.
const INSTANCES: usize = 256;

/// One endpoint on one instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Of the process that made it.
    pub boot: Arc<str>,
    /// Later reports of the same process have higher ones.
    pub version: u64,
    /// Who is there: by the user's id.
    pub users: BTreeMap<Arc<str>, Present>,
    /// Users that are not listed.
    #[serde(default)]
    pub unlisted: usize,
    /// Sockets.
    pub connections: usize,
    /// Sockets by room.
    pub rooms: BTreeMap<Arc<str>, usize>,
    /// What happened, counted.
    pub counts: Counts,
    /// What happened lately.
    pub activity: Vec<Activity>,
}

/// A sign of life: what an instance has to say, and in which version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// Who says it.
    pub instance: Arc<str>,
    /// Its process.
    pub boot: Arc<str>,
    /// The versions of its reports.
    pub versions: HashMap<Arc<str>, u64>,
    /// Why it is said.
    pub kind: NoticeKind,
}

/// Why a notice is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NoticeKind {
    /// I am new, or was away: who else is there?
    Hello,
    /// I am there.
    Beat,
    /// I stop: forget what I said.
    Bye,
}

/// What the other instances said.
#[derive(Debug, Default)]
pub struct Peers {
    peers: HashMap<Arc<str>, Peer>,
}

#[derive(Debug)]
struct Peer {
    boot: Arc<str>,
    heard_at: Instant,
    reports: HashMap<Arc<str>, Arc<Report>>,
}

impl Peers {
    /// Takes a sign of life. Answers which reports are new and have to be fetched, and which endpoints
    /// are not what they were.
    pub fn hear(&mut self, notice: &Notice, now: Instant) -> (Vec<Arc<str>>, HashSet<Arc<str>>) {
        let mut changed = HashSet::new();
        let other_boot = |peer: &Peer| peer.boot != notice.boot;
        if notice.kind == NoticeKind::Bye || self.peers.get(&notice.instance).is_some_and(other_boot) {
            changed.extend(self.peers.remove(&notice.instance).into_iter().flat_map(|peer| peer.reports.into_keys()));
        }
        let is_known = self.peers.contains_key(&notice.instance);
        if notice.kind == NoticeKind::Bye || (!is_known && self.peers.len() >= INSTANCES) {
            return (Vec::new(), changed);
        }
        let peer = self.peers.entry(Arc::clone(&notice.instance)).or_insert_with(|| Peer {
            boot: Arc::clone(&notice.boot),
            heard_at: now,
            reports: HashMap::new(),
        });
        peer.heard_at = now;
        peer.reports.retain(|endpoint, _| {
            let stays = notice.versions.contains_key(endpoint);
            if !stays {
                changed.insert(Arc::clone(endpoint));
            }
            stays
        });
        let is_new = |(endpoint, version): &(&Arc<str>, &u64)| {
            peer.reports.get(*endpoint).is_none_or(|report| report.version < **version)
        };
        (notice.versions.iter().filter(is_new).map(|(endpoint, _)| Arc::clone(endpoint)).collect(), changed)
    }

    /// Takes a report that was fetched; whether it is new.
    pub fn put(&mut self, instance: &str, endpoint: Arc<str>, report: Report) -> bool {
        let Some(peer) = self.peers.get_mut(instance).filter(|peer| peer.boot == report.boot) else { return false };
        if peer.reports.get(&endpoint).is_some_and(|known| known.version >= report.version) {
            return false;
        }
        peer.reports.insert(endpoint, Arc::new(report));
        true
    }

    /// Forgets who fell silent; the endpoints that are not what they were.
    pub fn sweep(&mut self, now: Instant) -> HashSet<Arc<str>> {
        let mut changed = HashSet::new();
        self.peers.retain(|_, peer| {
            let is_there = now.saturating_duration_since(peer.heard_at) < SILENT_FOR;
            if !is_there {
                changed.extend(peer.reports.keys().cloned());
            }
            is_there
        });
        changed
    }

    /// What the others say of one endpoint.
    pub fn of(&self, endpoint: &str) -> Vec<(Arc<str>, Arc<Report>)> {
        let reports = self.peers.iter().filter_map(|(instance, peer)| Some((instance, peer.reports.get(endpoint)?)));
        reports.map(|(instance, report)| (Arc::clone(instance), Arc::clone(report))).collect()
    }

    /// Forgets what was said of one endpoint.
    pub fn forget(&mut self, endpoint: &str) {
        self.peers.values_mut().for_each(|peer| drop(peer.reports.remove(endpoint)));
    }

    /// The instances that list this user on an endpoint.
    pub fn with_user(&self, endpoint: &str, user: &str) -> Vec<Arc<str>> {
        let lists = |peer: &Peer| peer.reports.get(endpoint).is_some_and(|report| report.users.contains_key(user));
        self.peers.iter().filter(|(_, peer)| lists(peer)).map(|(instance, _)| Arc::clone(instance)).collect()
    }

    /// Sockets of the others in one room.
    pub fn in_room(&self, endpoint: &str, room: &str) -> usize {
        self.peers.values().filter_map(|peer| peer.reports.get(endpoint)?.rooms.get(room)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(boot: &str, kind: NoticeKind, version: u64) -> Notice {
        Notice { instance: "1".into(), boot: boot.into(), versions: [("e".into(), version)].into(), kind }
    }

    fn report(boot: &str, version: u64) -> Report {
        Report { boot: boot.into(), version, rooms: [("r".into(), 2)].into(), ..Report::default() }
    }

    #[test]
    fn what_an_instance_said_holds_until_it_says_else_or_falls_silent() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        let endpoint: Arc<str> = "e".into();
        assert_eq!(peers.hear(&notice("a", NoticeKind::Hello, 1), now).0, [Arc::clone(&endpoint)]);
        assert!(peers.put("1", Arc::clone(&endpoint), report("a", 1)));
        assert!(!peers.put("1", Arc::clone(&endpoint), report("a", 1)), "known");
        assert!(peers.hear(&notice("a", NoticeKind::Beat, 1), now).0.is_empty());
        assert_eq!(peers.in_room("e", "r"), 2);
        assert!(peers.sweep(now + SILENT_FOR / 2).is_empty());
        assert_eq!(peers.sweep(now + SILENT_FOR).len(), 1);
        assert_eq!((peers.in_room("e", "r"), peers.of("e").len()), (0, 0));
    }

    #[test]
    fn an_instance_that_starts_again_says_everything_anew() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        peers.hear(&notice("a", NoticeKind::Hello, 9), now);
        peers.put("1", "e".into(), report("a", 9));
        let (wanted, changed) = peers.hear(&notice("b", NoticeKind::Hello, 1), now);
        assert_eq!((wanted.len(), changed.len(), peers.of("e").len()), (1, 1, 0));
        assert!(!peers.put("1", "e".into(), report("a", 10)), "of the process before");
        assert!(peers.put("1", "e".into(), report("b", 1)));
        assert_eq!(peers.hear(&notice("b", NoticeKind::Bye, 1), now).1.len(), 1);
        assert!(peers.of("e").is_empty());
    }
}
