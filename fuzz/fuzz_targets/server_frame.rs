//! What a browser reads of whoever claims to be a server: written and read again it stays the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Frame;

fuzz_target!(|text: &str| {
    if let Ok(frame) = Frame::parse(text) {
        let written = frame.to_json();
        let again = Frame::parse(&written).expect("a frame reads what it writes");
        assert_eq!(again.to_json(), written);
    }
});
