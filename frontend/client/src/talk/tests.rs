#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::{Value, json};

use super::{outgoing::WAITING, *};

const SECOND: Duration = Duration::from_secs(1);
const CONNECTED: &str = r#"{"success":true,"data":{"type":"connected","clientId":"t"}}"#;

/// A talk with a clock of its own.
#[derive(Default)]
struct Tab {
    talk: Talk,
    now: Duration,
}

impl Tab {
    fn does(&mut self, event: Event) -> Vec<Action> {
        self.talk.handle(event, self.now, 0.5)
    }

    fn hears(&mut self, frame: Value) -> Vec<Action> {
        self.does(Event::Text(frame.to_string()))
    }

    fn open() -> Self {
        let mut tab = Self::default();
        assert_eq!(tab.does(Event::Started), [Action::Connect]);
        assert_eq!(tab.does(Event::Opened), [Action::Status(Status::Connected)]);
        assert_eq!(tab.does(Event::Text(CONNECTED.into())), []);
        tab
    }

    /// Lets time pass until the talk wants to be woken.
    fn sleeps(&mut self) -> Vec<Action> {
        self.now = self.talk.wake_at().unwrap();
        self.does(Event::Woke)
    }

    fn requests(&mut self, id: u64) -> Vec<Action> {
        self.does(Event::Request { id: RequestId(id), message: fields(json!({ "type": "sum" })), within: None })
    }
}

fn fields(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn code_of(actions: &[Action]) -> Vec<(u64, Option<Code>)> {
    let settled = actions.iter().filter_map(|action| match action {
        Action::Settle(RequestId(id), outcome) => Some((*id, outcome.as_ref().err().map(|error| error.code))),
        _ => None,
    });
    settled.collect()
}

#[test]
fn what_is_said_before_the_connection_stands_is_sent_when_it_does() {
    let mut tab = Tab::default();
    tab.does(Event::Started);
    assert_eq!(tab.does(Event::Send(fields(json!({ "type": "a" })))), []);
    assert_eq!(tab.requests(1), []);
    assert_eq!(tab.does(Event::Opened), [Action::Status(Status::Connected)], "how many it may send, it learns next");
    let greeted = tab.does(Event::Text(CONNECTED.into()));
    assert_eq!(greeted[0], Action::Send(r#"{"type":"a"}"#.into()));
    assert!(matches!(&greeted[1], Action::Send(text) if text.contains("\"r-1\"")), "{greeted:?}");
    assert_eq!(greeted.len(), 2);
}

#[test]
fn what_waited_for_a_reconnect_goes_out_no_faster_than_the_server_takes_it() {
    const LIMIT: u64 = 10;
    let mut tab = Tab::default();
    tab.does(Event::Started);
    for number in 0..WAITING {
        tab.does(Event::Send(fields(json!({ "number": number }))));
    }
    tab.does(Event::Opened);
    let limits = json!({ "maxSize": 65_536, "interval": 1_000, "maxMessages": LIMIT });
    let mut sent = Vec::new();
    let mut actions = tab.hears(json!({ "success": true, "data": { "type": "connected", "limits": limits } }));
    while sent.len() < WAITING {
        for action in actions {
            let Action::Send(text) = action else { panic!("{action:?}") };
            assert_eq!(text, format!(r#"{{"number":{}}}"#, sent.len()), "in order");
            sent.push(tab.now);
        }
        assert!(tab.now < SECOND * 25, "{} by {:?}", sent.len(), tab.now);
        actions = tab.sleeps();
    }
    for (index, start) in sent.iter().enumerate() {
        let together = sent[index..].iter().take_while(|at| **at < *start + SECOND).count();
        assert!(together <= usize::try_from(LIMIT).unwrap(), "{together} from {start:?}");
    }
}

#[test]
fn what_the_server_refuses_for_haste_is_sent_again_when_it_says() {
    let mut tab = Tab::open();
    tab.requests(1);
    let pause = json!({ "retryAfterMs": 700 });
    let refused = json!({ "success": false, "error": "slow", "code": "RATE_LIMIT_EXCEEDED", "details": pause, "requestId": "r-1" });
    assert_eq!(tab.hears(refused), []);
    assert_eq!(tab.does(Event::Send(fields(json!({ "type": "behind" })))), [], "all messages wait");
    let begun = tab.now;
    let sent = tab.sleeps();
    assert_eq!(tab.now, begun + Duration::from_millis(700));
    assert!(matches!(&sent[0], Action::Send(text) if text.contains("r-1")), "{sent:?}");
    assert_eq!(sent[1], Action::Send(r#"{"type":"behind"}"#.into()));
    let answer = json!({ "success": true, "data": { "type": "sum", "data": 3 }, "requestId": "r-1" });
    assert_eq!(code_of(&tab.hears(answer)), [(1, None)]);
}

#[test]
fn a_request_is_settled_once_by_its_answer_by_time_or_by_the_end() {
    let mut tab = Tab::open();
    tab.requests(1);
    let answer = json!({ "success": true, "data": { "type": "sum", "data": 3 }, "requestId": "r-1" });
    assert_eq!(tab.hears(answer.clone()), [Action::Settle(RequestId(1), Ok(json!({ "type": "sum", "data": 3 })))]);
    assert_eq!(tab.hears(answer), [], "once");
    tab.requests(2);
    let refused = json!({ "success": false, "error": "no", "code": "INVALID_MESSAGE", "requestId": "r-2" });
    assert_eq!(code_of(&tab.hears(refused)), [(2, Some(Code::InvalidMessage))]);
    tab.requests(3);
    assert_eq!(code_of(&tab.sleeps()), [(3, Some(Code::NoReply))]);
    tab.requests(4);
    assert_eq!(code_of(&tab.does(Event::Closed { code: 1006 })), [(4, Some(Code::ConnectionLost))]);
    // One that was not sent yet outlives a failed attempt.
    tab.requests(5);
    assert_eq!(tab.sleeps(), [Action::Connect]);
    assert_eq!(code_of(&tab.does(Event::Closed { code: 1006 })), []);
    assert_eq!(code_of(&tab.does(Event::Ended)), [(5, Some(Code::ConnectionLost))]);
    assert_eq!(code_of(&tab.requests(6)), [(6, Some(Code::ConnectionLost))]);
}

#[test]
fn it_comes_back_for_ever_but_never_after_4401_and_4403() {
    let mut tab = Tab::open();
    let lost = tab.does(Event::Closed { code: 1006 });
    assert_eq!(lost, [Action::Status(Status::Reconnecting)]);
    for attempt in 0..50 {
        let before = tab.now;
        assert_eq!(tab.sleeps(), [Action::Connect], "attempt {attempt}");
        assert!(tab.now <= before + Duration::from_secs(15), "half of 30 s, by these dice");
        tab.does(Event::Closed { code: 1006 });
    }
    for code in [4401, 4403] {
        let mut tab = Tab::open();
        assert_eq!(tab.does(Event::Closed { code }), [Action::Status(Status::AuthRequired)]);
        assert_eq!((tab.talk.wake_at(), tab.does(Event::Encouraged)), (None, Vec::new()));
    }
    let mut tab = Tab::open();
    for code in [1000, 1009, 1012, 4408] {
        tab.does(Event::Closed { code });
        assert_eq!(tab.sleeps(), [Action::Connect], "{code}");
        tab.does(Event::Opened);
    }
}

#[test]
fn a_session_that_ended_while_the_connection_was_cut_is_found_out() {
    let mut tab = Tab::open();
    tab.does(Event::Closed { code: 1006 });
    assert_eq!(tab.sleeps(), [Action::Connect]);
    assert_eq!(tab.does(Event::Closed { code: 1006 }), [Action::Inquire]);
    assert_eq!(tab.does(Event::Refused), [Action::Disconnect, Action::Status(Status::AuthRequired)]);
}

#[test]
fn while_no_socket_opens_it_asks_why_now_and_then() {
    let mut tab = Tab::default();
    tab.does(Event::Started);
    let mut asked = Vec::new();
    while tab.now < SECOND * 300 {
        if tab.does(Event::Closed { code: 1006 }).contains(&Action::Inquire) {
            asked.push(tab.now);
        }
        assert_eq!(tab.sleeps(), [Action::Connect]);
    }
    assert!((6..=10).contains(&asked.len()), "{asked:?}");
    assert!(asked.is_sorted_by(|before, after| *after >= *before + INQUIRE_EVERY), "{asked:?}");
    let seen = tab.does(Event::Encouraged);
    assert_eq!(seen, [], "it is connecting");
    assert_eq!(tab.does(Event::Closed { code: 1006 }), [Action::Inquire], "a page that comes back asks at once");
}

#[test]
fn a_door_that_does_not_open_is_asked_why_once() {
    let mut tab = Tab::default();
    tab.does(Event::Started);
    assert_eq!(tab.does(Event::Closed { code: 1006 }), [Action::Inquire]);
    let refused = tab.does(Event::Refused);
    assert_eq!(refused, [Action::Disconnect, Action::Status(Status::AuthRequired)]);
    let mut tab = Tab::default();
    tab.does(Event::Started);
    tab.does(Event::Closed { code: 1006 });
    tab.sleeps();
    assert_eq!(tab.does(Event::Closed { code: 1006 }), [], "the network, then");
}

#[test]
fn a_parting_server_says_when_to_come_back() {
    let mut tab = Tab::open();
    tab.hears(
        json!({ "success": true, "data": { "type": "drain", "data": { "retryAfterMs": 1_000, "spreadMs": 4_000 } } }),
    );
    tab.does(Event::Closed { code: 1012 });
    assert_eq!(tab.talk.wake_at(), Some(SECOND * 3));
    assert_eq!(tab.does(Event::Encouraged), [], "it gets its time, whoever looks at the page");
    assert_eq!(tab.sleeps(), [Action::Connect]);
}

#[test]
fn silence_is_asked_about_and_ends() {
    let mut tab = Tab::open();
    assert_eq!(tab.sleeps(), [Action::Send(ping())]);
    tab.hears(json!({ "success": true, "data": { "type": "pong", "data": {} } }));
    assert_eq!(tab.sleeps(), [Action::Send(ping())]);
    assert_eq!(tab.sleeps(), [Action::Disconnect, Action::Status(Status::Reconnecting)]);
}

#[test]
fn a_reason_for_doubt_shortens_the_wait() {
    for doubt in [Event::Discouraged, Event::Encouraged] {
        let mut tab = Tab::open();
        assert_eq!(tab.does(doubt.clone()), [Action::Send(ping())]);
        assert_eq!(tab.does(doubt), [], "asked already");
        assert!(tab.talk.wake_at().unwrap() <= tab.now + SECOND * 3);
        assert_eq!(tab.sleeps(), [Action::Disconnect, Action::Status(Status::Reconnecting)]);
    }
    let mut tab = Tab::open();
    tab.requests(1);
    let late = tab.sleeps();
    assert!(late.contains(&Action::Send(ping())), "an answer that does not come is one: {late:?}");
}

#[test]
fn what_comes_is_handed_on_and_the_server_is_answered() {
    let mut tab = Tab::open();
    let data = json!({ "type": "message", "data": { "data": 7 } });
    assert_eq!(tab.hears(json!({ "success": true, "data": data })), [Action::Deliver(data)]);
    let failed = tab.hears(json!({ "success": false, "error": "slow down", "code": "RATE_LIMIT_EXCEEDED" }));
    let told = json!({ "type": "error", "code": "RATE_LIMIT_EXCEEDED", "error": "slow down" });
    assert_eq!(failed, [Action::Deliver(told)]);
    let asked =
        tab.hears(json!({ "success": true, "data": { "type": "request", "data": "roll" }, "requestId": "server-1" }));
    assert_eq!(asked, [Action::Asked { request_id: json!("server-1"), data: json!("roll") }]);
    let answered = tab.does(Event::Answer { request_id: json!("server-1"), answer: Ok(json!(6)) });
    let [Action::Send(text)] = answered.as_slice() else { panic!("{answered:?}") };
    assert_eq!(
        serde_json::from_str::<Value>(text).unwrap(),
        json!({ "type": "response", "requestId": "server-1", "data": 6 })
    );
    for strange in ["", "{", "[]", "7", "{\"success\":true}"] {
        tab.does(Event::Text(strange.into()));
    }
}

#[test]
fn what_waits_is_bounded_and_no_request_falls_out() {
    let mut tab = Tab::default();
    tab.does(Event::Started);
    tab.requests(1);
    for number in 0..500 {
        tab.does(Event::Send(fields(json!({ "number": number }))));
    }
    tab.does(Event::Opened);
    let mut sent = tab.does(Event::Text(CONNECTED.into()));
    while sent.len() < WAITING {
        sent.extend(tab.sleeps());
    }
    assert_eq!(sent.len(), WAITING);
    assert!(matches!(&sent[0], Action::Send(text) if text.contains("r-1")));
    assert_eq!(sent[WAITING - 1], Action::Send(r#"{"number":499}"#.into()));
}
