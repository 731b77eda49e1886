//! What browsers say to endpoints: read without a panic, and nothing grows but what came.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::endpoint::{Ask, is_endpoint_name, is_id};

fuzz_target!(|text: &str| {
    for ask in [Ask::parse(text), Ask::parse_reply(text)] {
        match ask {
            Ok(Ask::Join { room_id } | Ask::Leave { room_id } | Ask::Room { room_id, .. }) => assert!(is_id(&room_id)),
            Ok(Ask::User { user_id, .. }) => assert!(is_id(&user_id)),
            // A reply has no type.
            Ok(Ask::Response(_)) => {}
            Ok(ask) => assert!(ask.kind().len() <= text.len()),
            // What is said of a mistake must not carry it back at full length.
            Err(refusal) => assert!(refusal.error.len() <= 1_024, "{} bytes", refusal.error.len()),
        }
    }
    assert!(!is_endpoint_name(text) || text.len() <= wire::limits::ENDPOINT_NAME_BYTES);
});
