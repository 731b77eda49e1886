//! Streams as the session and the browser use them.

use serde_json::json;

use super::*;

const A: &str = "view:a:b:c";
const B: &str = "view:b:c:*";
const NOW: Duration = Duration::from_secs(1);

fn subscribe(channel: &str, id: &str, offset: Option<u64>) -> String {
    let mut frame = json!({ "type": "subscribe", "channel": channel, "requestId": id });
    if let Some(offset) = offset {
        frame["since"] = json!({ "epoch": "e", "offset": offset });
    }
    frame.to_string()
}

fn stands(channel: &str) -> String {
    let data = json!({ "channel": channel, "timestamp": "", "recovered": false });
    json!({ "success": true, "data": { "type": "subscribed", "data": data } }).to_string()
}

fn hear(streams: &mut Streams, number: u64, text: &str, id: &str) -> Vec<Step> {
    streams.hear(number, text.to_owned(), id.to_owned(), NOW)
}

fn request_id(step: &Step) -> Value {
    let Step::Hear(text) = step else { panic!("nothing to hear in {step:?}") };
    serde_json::from_str::<Value>(text).unwrap()["requestId"].take()
}

/// Streams of which the first stands in nothing.
fn connected() -> Streams {
    let mut streams = Streams::new("tab".into());
    assert_eq!(streams.open(), Some((1, format!("/api/1/app-cluster/events?uuid=tab&channel={QUIET}"))));
    assert_eq!(hear(&mut streams, 1, "connected", "-"), [Step::Opened, Step::Hear("connected".into())]);
    assert_eq!(hear(&mut streams, 1, &stands(QUIET), "e:0"), [Step::CloseBefore(1)]);
    assert_eq!(streams.open(), None);
    streams
}

#[test]
fn subscriptions_of_a_moment_share_a_stream_that_answers_each() {
    let mut streams = connected();
    assert_eq!(streams.say(&subscribe(A, "s1", Some(4)), NOW), Some(Step::OpenSoon));
    assert_eq!(streams.say(&subscribe(B, "s2", None), NOW), Some(Step::OpenSoon));
    let (number, address) = streams.open().unwrap();
    assert_eq!(address, format!("/api/1/app-cluster/events?uuid=tab&channel={A}&since=e:4&channel={B}&since=-"));
    let answered = hear(&mut streams, number, &stands(A), "e:4,-");
    assert_eq!(answered.iter().map(request_id).collect::<Vec<_>>(), ["s1"]);
    let answered = hear(&mut streams, number, &stands(B), "e:4,-");
    assert_eq!((request_id(&answered[0]), &answered[1..]), (json!("s2"), &[Step::CloseBefore(2)][..]));
}

#[test]
fn another_channel_takes_the_positions_of_the_others_along() {
    let mut streams = connected();
    streams.say(&subscribe(A, "s1", None), NOW);
    streams.open().unwrap();
    hear(&mut streams, 2, &stands(A), "e:7");
    assert_eq!(hear(&mut streams, 2, "message", "e:8"), [Step::Hear("message".into())]);
    streams.say(&subscribe(B, "s2", None), NOW);
    let (number, address) = streams.open().unwrap();
    assert!(address.contains(&format!("{A}&since=e:8&")), "{address}");
    // Until the new one stands, the old one goes on and the connection needs both.
    assert_eq!(hear(&mut streams, 2, "message", "e:9"), [Step::Hear("message".into())]);
    assert!(streams.depends_on(2) && streams.depends_on(number));
    // The session did not ask for this one again.
    assert_eq!(hear(&mut streams, number, &stands(A), "e:8,-"), []);
    assert_eq!(hear(&mut streams, number, "message", "e:9,-"), [Step::Hear("message".into())]);
    assert!(hear(&mut streams, number, &stands(B), "e:9,-").contains(&Step::CloseBefore(number)));
    assert!(!streams.depends_on(2));
}

#[test]
fn what_is_wanted_while_a_stream_is_on_its_way_waits_for_it() {
    let mut streams = connected();
    streams.say(&subscribe(A, "s1", None), NOW);
    let (number, _) = streams.open().unwrap();
    assert_eq!(streams.say(&subscribe(A, "s2", Some(3)), NOW), None);
    assert_eq!(streams.open(), None);
    let answered = hear(&mut streams, number, &stands(A), "e:5");
    assert_eq!(request_id(&answered[0]), "s1");
    assert_eq!(answered[1..], [Step::CloseBefore(number), Step::OpenSoon]);
    let (number, address) = streams.open().unwrap();
    assert!(address.ends_with("&since=e:3"), "{address}");
    assert_eq!(request_id(&hear(&mut streams, number, &stands(A), "e:3")[0]), "s2");
}

#[test]
fn without_channels_a_quiet_one_keeps_the_connection() {
    let mut streams = connected();
    streams.say(&subscribe(A, "s1", None), NOW);
    let (number, _) = streams.open().unwrap();
    hear(&mut streams, number, &stands(A), "e:0");
    let unsubscribe = json!({ "type": "unsubscribe", "channel": A, "requestId": "s2" }).to_string();
    assert_eq!(streams.say(&unsubscribe, NOW), Some(Step::OpenSoon));
    assert!(streams.open().unwrap().1.ends_with(QUIET));
}

#[test]
fn a_channel_that_would_be_refused_does_not_take_the_others_along() {
    let mut streams = connected();
    for channel in ["model:a:b:c", "view:a"] {
        let refused = streams.say(&subscribe(channel, "s1", None), NOW).unwrap();
        assert_eq!(request_id(&refused), "s1");
    }
    for number in 0..SUBSCRIPTIONS {
        let step = streams.say(&subscribe(&format!("view:a:b:{number}"), "s2", None), NOW);
        assert_eq!(step, Some(Step::OpenSoon));
    }
    assert_eq!(request_id(&streams.say(&subscribe(A, "s3", None), NOW).unwrap()), "s3");
}

#[test]
fn a_publish_becomes_a_request_with_its_answer() {
    let mut streams = connected();
    let frame = json!({ "type": "publish", "channel": A, "data": { "n": 1 }, "requestId": "p1" }).to_string();
    let Some(Step::Publish { channel, payload, request_id }) = streams.say(&frame, NOW) else { panic!("no request") };
    assert_eq!((channel.as_str(), &payload["n"], &request_id), (A, &json!(1), &json!("p1")));
    let receipt = json!({ "channel": A, "instanceId": "i", "timestamp": "t", "id": "m" });
    let receipt = Receipt::read(receipt).unwrap();
    for text in [published(&receipt, request_id.clone()), failure(Code::RateLimited, "wait", request_id)] {
        let (wire::Frame::Success { request_id, .. } | wire::Frame::Failure(wire::Failure { request_id, .. })) =
            wire::Frame::parse(&text).unwrap();
        assert_eq!(request_id, Some(json!("p1")));
    }
}

#[test]
fn a_ping_is_answered_here_unless_the_stream_has_been_silent_for_long() {
    let mut streams = connected();
    let ping = json!({ "type": "ping" }).to_string();
    let Some(Step::Hear(answer)) = streams.say(&ping, NOW) else { panic!("no answer") };
    assert!(wire::Frame::parse(&answer).is_ok(), "{answer}");
    assert_eq!(streams.say(&ping, NOW + TRUSTED_FOR), Some(Step::OpenSoon));
    let (number, _) = streams.open().unwrap();
    let steps = hear(&mut streams, number, &stands(QUIET), "e:0");
    assert_eq!(steps, [Step::CloseBefore(number), Step::Hear(answer)]);
}
