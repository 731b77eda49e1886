//! Frames and messages to the letter: what other programs were written against.
//!
//! `tests/fixtures` holds one JSON text a file; reading and writing it again changes nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path};

use serde_json::{Value, json};
use wire::{ClientFrame, Code, Frame, Message, Position};

fn fixtures(kind: &str) -> Vec<(String, String)> {
    // Cargo runs tests in the folder of their package, wherever they were compiled.
    let folder = Path::new("tests/fixtures").join(kind);
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.display().to_string(), fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

#[test]
fn what_a_server_sends_stays_as_it_is() {
    for (file, json) in fixtures("server") {
        let frame = Frame::parse(&json).unwrap_or_else(|error| panic!("{file}: {error:?}"));
        assert_eq!(value(&frame.to_json()), value(&json), "{file}");
    }
}

#[test]
fn what_a_browser_sends_stays_as_it_is() {
    for (file, json) in fixtures("client") {
        let frame = ClientFrame::parse(&json).unwrap_or_else(|error| panic!("{file}: {error:?}"));
        let mut sent = value(&json);
        // Whoever answers reads it.
        sent.as_object_mut().unwrap().remove("requestId");
        assert_eq!(serde_json::to_value(frame).unwrap(), sent, "{file}");
    }
}

#[test]
fn what_instances_send_each_other_stays_as_it_is() {
    for (file, json) in fixtures("message") {
        let message = Message::parse(json.as_bytes()).unwrap_or_else(|error| panic!("{file}: {error:?}"));
        assert_eq!(serde_json::to_value(message).unwrap(), value(&json), "{file}");
    }
}

#[test]
fn a_nodejs_message_has_no_position_and_keeps_only_the_name_of_its_context() {
    let json = json!({
        "channel": "view:a:b:c",
        "data": { "n": 1, "uuid": "tab", "ctx": { "username": "jane", "ip": "10.0.0.7" } },
        "instanceId": "web:0",
        "timestamp": 1_700_000_000_000.0,
    });
    let message = Message::parse(json.to_string().as_bytes()).unwrap();
    assert_eq!((message.id, message.position), (None, None));
    assert_eq!((message.uuid.as_deref(), message.username.as_str()), (Some("tab"), "jane"));
    assert_eq!(message.timestamp, 1_700_000_000_000);
    assert!(!message.data.contains_key("ctx"));
}

#[test]
fn fields_nobody_knows_are_passed_over() {
    assert_eq!(ClientFrame::parse(r#"{"type":"ping","newer":true}"#).unwrap(), ClientFrame::Ping);
    assert!(ClientFrame::parse(r#"{"type":"dance"}"#).is_err());
    assert_eq!(serde_json::from_str::<Code>(r#""NEWER_CODE""#).unwrap(), Code::Unknown);
}

#[test]
fn a_position_follows_the_one_directly_before_it() {
    let at = |epoch: &str, offset| Position { epoch: epoch.into(), offset };
    assert!(at("e", 2).follows(&at("e", 1)));
    assert!(!at("e", 3).follows(&at("e", 1)));
    assert!(!at("f", 2).follows(&at("e", 1)));
}
