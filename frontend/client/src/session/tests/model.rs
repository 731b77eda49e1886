//! Any number of drops, duplicates and reconnects against a model of the server: every listener sees
//! every message exactly once, in order.

use std::collections::VecDeque;

use super::*;

/// A small generator of our own, so that a failing seed can be run again. Source: `SplitMix64`,
/// Steele, Lea and Flood, 2014.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// A log and one connection to it.
#[derive(Default)]
struct Server {
    /// Who published each message: this tab or another.
    log: Vec<bool>,
    /// Whether there is a subscription, and whether it omits own messages.
    subscribed: Option<bool>,
    /// Frames on their way to the tab.
    wire: VecDeque<Value>,
}

impl Server {
    fn frame(&self, offset: usize) -> Value {
        let message = message(offset as u64);
        json!({"success": true, "data": if self.log[offset - 1] { own(message) } else { message }})
    }

    fn publish(&mut self, is_own: bool) {
        self.log.push(is_own);
        if self.subscribed.is_some_and(|omits_own| !(omits_own && is_own)) {
            self.wire.push_back(self.frame(self.log.len()));
        }
    }

    fn hear(&mut self, text: &str) {
        let request: Value = serde_json::from_str(text).expect("JSON");
        match request["type"].as_str() {
            Some("subscribe") => {
                let omits_own = request["omitSelf"] == json!(true);
                let since = request["since"]["offset"].as_u64();
                self.subscribed = Some(omits_own);
                let answer = stands(self.log.len() as u64, since.is_some());
                self.wire.push_back(json!({"success": true, "data": answer, "requestId": request["requestId"]}));
                for offset in index(since.map_or(0, |since| since + 1))..=self.log.len() {
                    if since.is_some() && !(omits_own && self.log[offset - 1]) {
                        self.wire.push_back(self.frame(offset));
                    }
                }
            }
            Some("unsubscribe") => self.subscribed = None,
            _ => {}
        }
    }
}

fn index(number: u64) -> usize {
    usize::try_from(number).expect("a small number")
}

/// One listener and what it has seen.
struct Listener {
    id: ListenerId,
    own: Own,
    /// Everything behind this it must see; `None` until it stands.
    from: Option<u64>,
    seen: Vec<u64>,
}

fn act(tab: &mut Tab, server: &mut Server, listeners: &mut [Listener], event: Event) {
    for action in tab.on(event) {
        match action {
            Action::Send(text) => server.hear(&text),
            Action::Connect | Action::Disconnect => {
                server.wire.clear();
                server.subscribed = None;
            }
            Action::Deliver { listener, message, .. } => {
                let offset = message.position.as_ref().map(|position| position.offset);
                let listener = listeners.iter_mut().find(|other| other.id == listener).expect("a listener that joined");
                listener.seen.extend(offset);
            }
            Action::Tell(_, News::Gap) => panic!("nothing was lost"),
            _ => {}
        }
    }
}

fn play(seed: u64) {
    let mut dice = Dice(seed);
    let (mut tab, mut server, mut listeners) = (Tab::new(), Server::default(), Vec::<Listener>::new());
    let mut is_open = false;
    act(&mut tab, &mut server, &mut listeners, Event::Started);
    for step in 0..400_u64 {
        tab.now += Duration::from_millis(dice.roll(40));
        match dice.roll(20) {
            0..=6 => server.publish(dice.roll(3) == 0),
            7..=13 => {
                if let Some(frame) = server.wire.pop_front() {
                    if dice.roll(6) == 0 {
                        server.wire.push_front(frame.clone());
                    }
                    act(&mut tab, &mut server, &mut listeners, Event::Text(frame.to_string()));
                }
            }
            14 if is_open => {
                is_open = false;
                server.wire.clear();
                server.subscribed = None;
                act(&mut tab, &mut server, &mut listeners, Event::Closed { code: 1006 });
            }
            14..=16 if !is_open => {
                act(&mut tab, &mut server, &mut listeners, Event::Encouraged);
                act(&mut tab, &mut server, &mut listeners, Event::Opened);
                is_open = true;
            }
            17 if listeners.len() < 4 && !server.log.is_empty() => {
                let id = ListenerId(step);
                let from = server.log.len() as u64 - dice.roll(server.log.len().min(5) as u64);
                let own = if dice.roll(2) == 0 { Own::Omit } else { Own::Hear };
                listeners.push(Listener { id, own, from: Some(from), seen: Vec::new() });
                let wish = Wish { pattern: CHANNEL.parse().expect("a pattern"), own, since: Some(at(from)) };
                act(&mut tab, &mut server, &mut listeners, Event::Subscribe(id, wish));
            }
            18 if listeners.len() > 2 => {
                let gone = listeners.remove(index(dice.roll(listeners.len() as u64)));
                check(seed, &gone, &server, false);
                act(&mut tab, &mut server, &mut listeners, Event::Unsubscribe(gone.id));
            }
            _ => act(&mut tab, &mut server, &mut listeners, Event::Woke),
        }
    }
    if !is_open {
        act(&mut tab, &mut server, &mut listeners, Event::Encouraged);
        act(&mut tab, &mut server, &mut listeners, Event::Opened);
    }
    for _ in 0..20 {
        tab.now += Duration::from_millis(200);
        act(&mut tab, &mut server, &mut listeners, Event::Woke);
        while let Some(frame) = server.wire.pop_front() {
            act(&mut tab, &mut server, &mut listeners, Event::Text(frame.to_string()));
        }
    }
    for listener in &listeners {
        check(seed, listener, &server, true);
    }
}

/// All that it must have seen, or a beginning of it while there is more to come.
fn check(seed: u64, listener: &Listener, server: &Server, is_complete: bool) {
    let Some(from) = listener.from else { return };
    let wanted: Vec<u64> = (from + 1..=server.log.len() as u64)
        .filter(|offset| listener.own == Own::Hear || !server.log[index(*offset) - 1])
        .collect();
    let due = if is_complete { &wanted[..] } else { &wanted[..listener.seen.len().min(wanted.len())] };
    assert_eq!(listener.seen, due, "seed {seed}, listener {:?} from {from}", listener.id);
}

#[test]
fn every_listener_sees_every_message_once_and_in_order_whatever_happens_to_the_socket() {
    for seed in 0..300 {
        play(seed);
    }
}
