//! Tells the other instances what is here, learns what is there, and tells browsers who comes and goes.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval},
};
use wire::{
    endpoint::{PresenceDiff, Present, RoomFrame, frame},
    limits::PRESENT_LISTED,
};

use super::{
    Endpoint, Endpoints, Target, builtin, deliver, online_key,
    post::Post,
    report::{BEAT, Notice, NoticeKind, Report, SILENT_FOR},
};
use crate::{
    hub::{Link, Put, Told, TopicInbox},
    socket::text_frame,
};

/// Where instances tell each other that they are there.
const TOPIC: &str = "ws:instances";
/// How often changes are told: whatever happens in between goes together.
const TELL_EVERY: Duration = Duration::from_millis(250);
/// Beats between two refreshes of who is online.
const BEATS_A_REFRESH: u64 = 20;
/// Notices that wait; one that finds no room is made good by the next.
const NOTICES: usize = 1_024;
/// Commands under way at once.
const TOGETHER: usize = 64;

impl Endpoints {
    /// Starts both tasks: one delivers messages at once, the other exchanges reports.
    pub(super) fn exchange(&self, mut inbox: TopicInbox) {
        let (heard, notices) = mpsc::channel(NOTICES);
        let (delivering, telling) = (self.clone(), self.clone());
        let (stop, tasks) = (&self.shared.stop, &self.shared.tasks);
        tasks.spawn(stop.clone().run_until_cancelled_owned(async move {
            while let Some(Told { topic, text }) = inbox.next().await {
                delivering.take(&topic, &text, &heard);
            }
        }));
        tasks.spawn(stop.clone().run_until_cancelled_owned(async move { telling.keep_telling(notices).await }));
    }

    fn take(&self, topic: &str, text: &Bytes, heard: &mpsc::Sender<Notice>) {
        if topic == TOPIC {
            if let Ok(notice) = serde_json::from_slice::<Notice>(text)
                && notice.boot != self.shared.boot
            {
                // Without room, the next one tells the same.
                let _ = heard.try_send(notice);
            }
        } else if let Some((name, post)) = Post::parse(topic, text, &self.shared.boot)
            && let Some(endpoint) = self.get(&name)
        {
            deliver(&endpoint, &post);
        }
    }

    async fn keep_telling(&self, mut notices: mpsc::Receiver<Notice>) {
        let topics = [TOPIC.to_owned()];
        // Remembered if there is no link yet.
        let _ = self.shared.topics.hear(&topics).await;
        let mut link = self.shared.topics.link();
        let mut tick = interval(TELL_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beats = 0_u64;
        self.tell_all(NoticeKind::Hello).await;
        let mut has_looked_back = *link.borrow_and_update() == Link::Up;
        if has_looked_back {
            self.withdraw_leftovers().await;
        }
        loop {
            tokio::select! {
                _ = tick.tick() => self.tell_changes().await,
                _ = beat.tick() => {
                    beats += 1;
                    self.beat(beats).await;
                }
                Some(notice) = notices.recv() => self.hear_notice(notice).await,
                Ok(()) = link.changed() => {
                    if *link.borrow_and_update() == Link::Up {
                        if !std::mem::replace(&mut has_looked_back, true) {
                            self.withdraw_leftovers().await;
                        }
                        self.refresh_online().await;
                        self.tell_all(NoticeKind::Hello).await;
                    }
                }
            }
        }
    }

    /// Says that this instance is there, and forgets who is not.
    async fn beat(&self, beats: u64) {
        if beats.is_multiple_of(BEATS_A_REFRESH) {
            self.refresh_online().await;
        }
        self.tell_all(NoticeKind::Beat).await;
        let changed = self.peers().sweep(Instant::now());
        self.tell_browsers(&changed);
        if let Some(endpoint) = self.get(builtin::STATUS) {
            builtin::send_stats(self, &endpoint);
        }
    }

    /// Writes every report anew, so that none expires, and says so.
    async fn tell_all(&self, kind: NoticeKind) {
        self.tell(kind, true).await;
    }

    /// Writes what changed, and says so if anything did.
    async fn tell_changes(&self) {
        self.tell(NoticeKind::Beat, false).await;
    }

    async fn tell(&self, kind: NoticeKind, in_any_case: bool) {
        let mut reports = Vec::new();
        let now = Instant::now();
        let all = self.all();
        for (name, endpoint) in &all {
            let mut here = endpoint.here();
            let gone = here.sweep(now);
            reports.extend(here.report_if(&self.shared.boot, in_any_case).map(|report| (Arc::clone(name), report)));
            drop(here);
            self.withdraw_users(name, gone);
        }
        let is_any_removed = self.settle_withdrawals().await;
        if reports.is_empty() && !is_any_removed {
            return;
        }
        let changed: HashSet<Arc<str>> = reports.iter().map(|(name, _)| Arc::clone(name)).collect();
        self.write(reports).await;
        let versions = all.iter().map(|(name, endpoint)| (Arc::clone(name), endpoint.here().version())).collect();
        self.notify(Notice {
            instance: Arc::clone(self.instance_id()),
            boot: Arc::clone(&self.shared.boot),
            versions,
            kind,
        })
        .await;
        self.tell_browsers(&changed);
    }

    async fn write(&self, reports: Vec<(Arc<str>, Report)>) {
        let Some(keys) = self.shared.keys.as_ref().filter(|keys| keys.is_up()) else { return };
        let writing = reports.into_iter().map(|(name, report)| async move {
            // Strings, numbers and maps with text keys: nothing here can fail to serialise.
            let json = serde_json::to_string(&report).unwrap_or_default();
            keys.put(&report_key(&name, self.instance_id()), &json, SILENT_FOR, Put::Always).await
        });
        let written: Vec<_> = stream::iter(writing).buffer_unordered(TOGETHER).collect().await;
        if let Some(error) = written.into_iter().find_map(Result::err) {
            tracing::debug!(%error, "what is here is told again in a moment");
        }
    }

    async fn notify(&self, notice: Notice) {
        let text = serde_json::to_vec(&notice).unwrap_or_default();
        if let Err(error) = self.shared.topics.tell_now(TOPIC, text.into()).await {
            tracing::debug!(%error, "that this instance is there is told again in a moment");
        }
    }

    /// Learns what another instance has to say.
    async fn hear_notice(&self, notice: Notice) {
        let (wanted, mut changed) = self.peers().hear(&notice, Instant::now());
        if let Some(keys) = &self.shared.keys {
            let instance = &notice.instance;
            let fetching = wanted.into_iter().map(|name| async move {
                let json = keys.get(&report_key(&name, instance)).await.ok().flatten()?;
                Some((name, serde_json::from_str::<Report>(&json).ok()?))
            });
            let fetched: Vec<_> = stream::iter(fetching).buffer_unordered(TOGETHER).collect().await;
            let mut peers = self.peers();
            for (name, report) in fetched.into_iter().flatten() {
                if peers.put(&notice.instance, Arc::clone(&name), report) {
                    changed.insert(name);
                }
            }
        }
        self.tell_browsers(&changed);
        if notice.kind == NoticeKind::Hello {
            self.tell_all(NoticeKind::Beat).await;
        }
    }

    /// Tells the sockets of these endpoints who came and went, and how many are in their rooms.
    fn tell_browsers(&self, changed: &HashSet<Arc<str>>) {
        for endpoint in changed.iter().filter_map(|name| self.get(name)) {
            if endpoint.here().members.watchers().next().is_some() {
                self.tell_presence(&endpoint);
            }
            self.tell_rooms(&endpoint);
        }
    }

    /// Brings what watchers know up to date, with one frame.
    pub(super) fn tell_presence(&self, endpoint: &Endpoint) {
        let reports = self.peers().of(&endpoint.name);
        let mut here = endpoint.here();
        let present = |(_, present): (&Arc<str>, &Present)| (Arc::clone(&present.id), present.clone());
        let now = here.roster.users().map(present);
        let now = now.chain(reports.iter().flat_map(|(_, report)| report.users.iter().map(present))).collect();
        let before = std::mem::replace(&mut here.told, now);
        let is_new = |(id, present): &(&Arc<str>, &Present)| before.get(*id) != Some(*present);
        let joined: Vec<Present> = here.told.iter().filter(is_new).map(|(_, present)| present.clone()).collect();
        let left: Vec<Arc<str>> = before.into_keys().filter(|id| !here.told.contains_key(id)).collect();
        if joined.is_empty() && left.is_empty() {
            return;
        }
        let joined = joined.into_iter().take(PRESENT_LISTED).collect();
        let bytes = text_frame(&frame("presence-diff", &PresenceDiff { joined, left, total: here.told.len() }));
        here.members.watchers().for_each(|place| place.queue.push(bytes.clone()));
    }

    fn tell_rooms(&self, endpoint: &Endpoint) {
        let mut here = endpoint.here();
        let rooms: Vec<_> = here.members.rooms().map(|(room, count)| (Arc::clone(room), count)).collect();
        let counts: Vec<_> = {
            let peers = self.peers();
            rooms.into_iter().map(|(room, count)| (peers.in_room(&endpoint.name, &room) + count, room)).collect()
        };
        let before = std::mem::take(&mut here.told_rooms);
        for (members, room_id) in counts {
            if before.get(&room_id) != Some(&members) {
                let data = RoomFrame { room_id: Arc::clone(&room_id), members };
                let bytes = text_frame(&frame("room-count", &data));
                let target = Target::Room(Arc::clone(&room_id));
                here.members.reached(&target, None).for_each(|place| place.queue.push(bytes.clone()));
            }
            here.told_rooms.insert(room_id, members);
        }
    }

    /// Says again that everybody here is online.
    async fn refresh_online(&self) {
        let mut users = Vec::new();
        for (name, endpoint) in self.all() {
            users.extend(endpoint.here().roster.users().map(|(user, _)| (Arc::clone(&name), Arc::clone(user))));
        }
        let refreshing = users.into_iter().map(|(name, user)| async move { self.set_online(&name, &user).await });
        stream::iter(refreshing).buffer_unordered(TOGETHER).collect::<Vec<()>>().await;
    }

    /// Takes back everything that was said of this instance.
    pub(super) async fn say_goodbye(&self) {
        let Some(keys) = self.shared.keys.as_ref().filter(|keys| keys.is_up()) else { return };
        let own = [self.instance_id().to_string()];
        // Of endpoints that were removed, and of users who went.
        self.settle_withdrawals().await;
        let (mut reports, mut users) = (Vec::new(), Vec::new());
        for (name, endpoint) in self.all() {
            users.extend(endpoint.here().roster.users().map(|(user, _)| online_key(&name, user)));
            reports.push(report_key(&name, self.instance_id()));
        }
        let own = &own;
        let leaving = users.into_iter().map(|key| async move { drop(keys.remove_members(&key, own).await) });
        stream::iter(leaving).buffer_unordered(TOGETHER).collect::<Vec<()>>().await;
        let removing = reports.into_iter().map(|key| async move { drop(keys.remove(&key).await) });
        stream::iter(removing).buffer_unordered(TOGETHER).collect::<Vec<()>>().await;
        self.notify(Notice {
            instance: Arc::clone(self.instance_id()),
            boot: Arc::clone(&self.shared.boot),
            versions: HashMap::new(),
            kind: NoticeKind::Bye,
        })
        .await;
    }
}

pub(super) fn report_key(endpoint: &str, instance: &str) -> String {
    format!("ws:report:{endpoint}:{instance}")
}
