//! The grammar of channels and patterns, against a plain description of it.

use proptest::prelude::*;
use wire::{Channel, ChannelError, Layer, Pattern, limits::CHANNEL_BYTES};

/// One part behind the layer.
fn part() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_.-]{1,8}"
}

fn layer() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("model"), Just("view"), Just("controller")]
}

/// The parts of a well-formed channel.
fn parts() -> impl Strategy<Value = Vec<String>> {
    (layer(), prop::collection::vec(part(), 2..=16)).prop_map(|(layer, rest)| {
        let mut parts = vec![layer.to_owned()];
        parts.extend(rest);
        parts
    })
}

/// What the grammar says, without a thought of speed.
fn is_channel(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    text.len() <= CHANNEL_BYTES
        && (3..=17).contains(&parts.len())
        && ["model", "view", "controller"].contains(&parts[0])
        && parts[1..].iter().all(|part| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || ['_', '-', '.'].contains(&c))
        })
}

/// What a pattern means, part by part.
fn means(pattern: &[&str], channel: &[&str]) -> bool {
    match pattern {
        ["*"] => !channel.is_empty(),
        [] => channel.is_empty(),
        [first, rest @ ..] => channel.first() == Some(first) && means(rest, &channel[1..]),
    }
}

proptest! {
    #[test]
    fn every_well_formed_channel_is_read_and_written_back(parts in parts()) {
        let text = parts.join(":");
        match Channel::parse(&text) {
            Ok(channel) => {
                prop_assert_eq!(channel.as_str(), &text);
                prop_assert_eq!(channel.layer().as_str(), &parts[0]);
            }
            Err(error) => prop_assert!(text.len() > CHANNEL_BYTES, "{}: {}", text, error),
        }
    }

    #[test]
    fn the_parser_agrees_with_the_grammar_on_any_text(
        text in "(model|view|controller|views|)(:[A-Za-z0-9_.*: é-]{0,6}){0,18}"
    ) {
        prop_assert_eq!(Channel::parse(&text).is_ok(), is_channel(&text), "{}", text);
    }

    #[test]
    fn a_pattern_matches_what_its_parts_mean(channel in parts(), pattern in parts(), cut in 1..16_usize, own in any::<bool>()) {
        let Ok(parsed) = Channel::parse(&channel.join(":")) else { return Ok(()) };
        let source = if own { &channel } else { &pattern };
        let mut words: Vec<&str> = source.iter().take(cut.min(source.len() - 1)).map(String::as_str).collect();
        words.push("*");
        let Ok(pattern) = Pattern::parse(&words.join(":")) else { return Ok(()) };
        let parts: Vec<&str> = channel.iter().map(String::as_str).collect();
        prop_assert_eq!(pattern.matches(&parsed), means(&words, &parts));
        let by_prefix = parsed.prefixes().any(|prefix| Some(prefix) == pattern.prefix());
        prop_assert_eq!(by_prefix, pattern.matches(&parsed));
    }
}

#[test]
fn each_mistake_has_its_name() {
    for (text, error) in [
        ("tasks", ChannelError::Layer),
        ("customLayer:myApp:event:x", ChannelError::Layer),
        ("view-tasks-created", ChannelError::Layer),
        ("view:myApp", ChannelError::TooFewParts),
        ("view:a::b:c", ChannelError::EmptyPart),
        ("view:a:b:", ChannelError::EmptyPart),
        ("view:a:b:c d", ChannelError::Character),
        ("view:a:b:ü", ChannelError::Character),
        ("view:a:b:*", ChannelError::Wildcard),
        ("view:1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17", ChannelError::TooManyParts),
    ] {
        assert_eq!(Channel::parse(text).unwrap_err(), error, "{text}");
    }
    let long = format!("view:a:b:{}", "c".repeat(CHANNEL_BYTES));
    assert_eq!(Channel::parse(&long).unwrap_err(), ChannelError::TooLong);
}

#[test]
fn three_parts_are_enough() {
    for text in ["view:notifications:alert", "view:myApp:event", "controller:myApp:event", "model:a:b"] {
        assert_eq!(Channel::parse(text).unwrap().as_str(), text);
        wire::assert_channel(text);
    }
    let channel = Channel::parse("view:myApp:event").unwrap();
    assert!(Pattern::parse("view:myApp:*").unwrap().matches(&channel));
    assert!(!Pattern::parse("view:myApp:event:*").unwrap().matches(&channel));
}

#[test]
fn a_wildcard_is_the_last_part_and_nothing_else() {
    for text in ["view:*", "controller:*", "view:myApp:*", "view:a:b:c:d:*"] {
        assert!(Pattern::parse(text).is_ok(), "{text}");
    }
    for text in ["*", "*:a:b:c", "view:a*", "view:*:b:c", "view:a:b:c*", "view:**", "view"] {
        assert!(Pattern::parse(text).is_err(), "{text}");
    }
    let pattern = Pattern::parse("view:myApp:*").unwrap();
    assert_eq!(pattern.layer(), Layer::View);
    assert!(!pattern.matches(&Channel::parse("view:myApps:list:changed").unwrap()));
}

#[test]
fn browsers_publish_on_views_but_not_in_the_servers_name() {
    let is_open = |name: &str| Channel::parse(name).unwrap().is_open_to_browsers();
    assert!(is_open("view:myApp:item:changed") && is_open("view:systems:item:changed"));
    assert!(!is_open("view:system:notification:global") && !is_open("controller:myApp:item:changed"));
}
