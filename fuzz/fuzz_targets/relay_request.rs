//! What browsers say to the relay: what is read is written and read again as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::ClientFrame;

fuzz_target!(|text: &str| {
    if let Ok(frame) = ClientFrame::parse(text) {
        let written = serde_json::to_string(&frame).expect("a frame is JSON");
        let again = serde_json::from_str::<ClientFrame>(&written).expect("a frame reads what it writes");
        assert_eq!(frame, again);
    }
});
