//! Names of channels and patterns: two names, split at a line break, one as a channel, one as a pattern.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::{Channel, Pattern};

fuzz_target!(|text: &str| {
    let (name, pattern) = text.split_once('\n').unwrap_or((text, "*"));
    let Ok(channel) = Channel::parse(name) else { return };
    assert_eq!(channel.as_str(), name);
    let itself = Pattern::parse(name).expect("a channel is a pattern of one");
    assert!(itself.matches(&channel));
    if let Ok(pattern) = Pattern::parse(pattern) {
        match (pattern.as_channel(), pattern.prefix()) {
            (Some(only), _) => assert_eq!(pattern.matches(&channel), only.as_str() == name),
            // Indexed by prefix and asked one by one must be the same.
            (None, Some(prefix)) => assert_eq!(
                pattern.matches(&channel),
                channel.prefixes().any(|known| known == prefix),
                "{channel:?} {pattern:?}"
            ),
            (None, None) => {}
        }
    }
});
