//! Every message reaches exactly its target: random programs against a model.

use std::collections::{BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::*;
use crate::kit::until;

const ENDPOINTS: [&str; 4] = ["hello-emoji", "hello-todo", "it-one", "it-two"];
const ROOMS: [&str; 2] = ["r1", "r2"];
const STEPS: u64 = 300;

/// xorshift64*, seeded: the same program each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % bound
    }
}

/// A tab and what the model knows of it.
struct Modelled {
    tab: Tab,
    endpoint: &'static str,
    user: usize,
    rooms: BTreeSet<&'static str>,
    /// What it must get: the sender and the number; those of one sender in this order.
    due: VecDeque<(usize, u64)>,
}

/// A tab on each instance, on an endpoint of their own.
struct Barrier([Tab; 2]);

impl Barrier {
    /// Whatever either instance told before has arrived at the other.
    async fn pass(&mut self) {
        for sender in 0..2 {
            self.0[sender].send(json!({ "type": "broadcast", "data": null })).await;
            for tab in &mut self.0 {
                tab.next_message().await;
            }
        }
    }
}

fn with_room_for_haste(redis: &Redis, instance: &str) -> Config {
    let mut config = config(redis.config(), instance);
    config.limits.socket_messages = 10_000;
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_reaches_exactly_its_target() {
    let redis = Redis::start();
    let start = |instance| Running::start(with_room_for_haste(&redis, instance));
    let (left, right) = tokio::join!(start("0"), start("1"));
    let admin = Visitor::log_in_as_admin(&left).await;
    for name in [ENDPOINTS[2], ENDPOINTS[3], "it-barrier"] {
        let made = json!({ "name": name, "auth": "public", "limits": { "maxMessages": 1_000 } });
        let response = admin.request(&left, reqwest::Method::POST, "/api/1/ws/endpoints", Some(made)).await;
        assert_eq!(response.status(), 201);
        let url = right.url(&format!("/api/1/ws/{name}"));
        until("it is live there", async || reqwest::get(&url).await.unwrap().status() == 426).await;
    }
    for seed in 1..=4 {
        run(&left, &right, Dice(seed)).await;
    }
}

async fn run(left: &Running, right: &Running, mut dice: Dice) {
    let barrier = "/api/1/ws/it-barrier";
    let mut barrier = Barrier([Tab::open(left.address, barrier).await, Tab::open(right.address, barrier).await]);
    let mut tabs = Vec::new();
    for endpoint in ENDPOINTS {
        for user in 0..3 {
            for _tab in 0..2 {
                let instance = [left, right][dice.below(2)];
                let path = format!("/api/1/ws/{endpoint}?uuid=user-{user}");
                let tab = Tab::open(instance.address, &path).await;
                tabs.push(Modelled { tab, endpoint, user, rooms: BTreeSet::new(), due: VecDeque::new() });
            }
        }
    }
    for number in 0..STEPS {
        let actor = dice.below(tabs.len());
        let room = ROOMS[dice.below(ROOMS.len())];
        match dice.below(8) {
            kind @ 0..=2 => {
                settle(&mut tabs, &mut barrier).await;
                let Modelled { tab, rooms, .. } = &mut tabs[actor];
                if kind == 2 {
                    rooms.remove(room);
                    tab.ask(json!({ "type": "leave", "roomId": room })).await;
                } else {
                    rooms.insert(room);
                    tab.join(room).await;
                }
            }
            kind => send(&mut tabs, actor, kind, room, dice.below(3), number).await,
        }
    }
    settle(&mut tabs, &mut barrier).await;
    for modelled in tabs {
        modelled.tab.close().await;
    }
}

async fn send(tabs: &mut [Modelled], actor: usize, kind: usize, room: &'static str, user: usize, number: u64) {
    let data = json!({ "by": actor, "number": number });
    let endpoint = tabs[actor].endpoint;
    let message = match kind {
        3 => json!({ "type": "broadcast", "data": data }),
        4 | 5 => json!({ "type": "user", "userId": format!("guest:user-{user}"), "data": data }),
        _ => json!({ "type": "room", "roomId": room, "data": data }),
    };
    for modelled in tabs.iter_mut().filter(|modelled| modelled.endpoint == endpoint) {
        let is_reached = match kind {
            3 => true,
            4 | 5 => modelled.user == user,
            _ => modelled.rooms.contains(room),
        };
        if is_reached {
            modelled.due.push_back((actor, number));
        }
    }
    tabs[actor].tab.send(message).await;
}

/// Everything sent is done with: everybody got what was due, and nothing else.
async fn settle(tabs: &mut [Modelled], barrier: &mut Barrier) {
    for modelled in tabs.iter_mut() {
        modelled.tab.send(json!({ "type": "ping" })).await;
    }
    for (place, modelled) in tabs.iter_mut().enumerate() {
        let mut is_answered = false;
        while !is_answered || !modelled.due.is_empty() {
            let frame = modelled.tab.next().await["data"].take();
            match frame["type"].as_str() {
                Some("pong") => is_answered = true,
                Some("message") => take(place, &mut modelled.due, &frame["data"]["data"]),
                Some("room-count") => {}
                _ => panic!("{place} got {frame}"),
            }
        }
    }
    barrier.pass().await;
}

fn take(place: usize, due: &mut VecDeque<(usize, u64)>, got: &Value) {
    let by = usize::try_from(got["by"].as_u64().unwrap()).unwrap();
    let next = due.iter().position(|(sender, _)| *sender == by);
    let next = next.unwrap_or_else(|| panic!("{place} got {got}, due are {due:?}"));
    let (_, number) = due.remove(next).unwrap();
    assert_eq!(Some(number), got["number"].as_u64(), "{place}: what one sends keeps its order");
}
