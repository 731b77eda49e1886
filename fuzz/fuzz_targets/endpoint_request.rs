//! What browsers say to endpoints: read without a panic, and nothing grows but what came.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::endpoint::{Ask, Request, frame, is_endpoint_name, is_id};

fuzz_target!(|text: &str| {
    let Request { ask, request_id } = Request::parse(text);
    // An answer repeats the id, and stays a frame.
    let answer = frame("sent", &serde_json::Value::Null, request_id.as_ref());
    serde_json::from_str::<serde_json::Value>(&answer).expect("an answer is JSON");
    match ask {
        Ok(Ask::Join { room_id } | Ask::Leave { room_id } | Ask::Room { room_id, .. }) => assert!(is_id(&room_id)),
        Ok(Ask::User { user_id, .. }) => assert!(is_id(&user_id)),
        Ok(ask) => assert!(ask.kind().len() <= text.len()),
        // What is said of a mistake must not carry it back at full length.
        Err(refusal) => assert!(refusal.error.len() <= 1_024, "{} bytes", refusal.error.len()),
    }
    assert!(!is_endpoint_name(text) || text.len() <= wire::limits::ENDPOINT_NAME_BYTES);
});
