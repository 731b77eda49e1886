//! What a run says of itself.

use std::io::Write;

use super::{
    check::{Offence, Verdict},
    history::{Heard, History, Message, What},
    options::Options,
};

/// Broken promises that are shown whole, and those of which only the headline is.
const SHOWN: usize = 2;
const NAMED: usize = 20;
/// Events shown before and after the one that broke a promise.
const BEFORE: usize = 12;
const AFTER: usize = 4;

/// Says what happens now.
pub fn progress(what: &str) {
    line(what);
}

/// Prints one line of a result.
pub fn line(text: &str) {
    // A reader who has gone needs no report.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints how a soak went.
pub fn soak(options: &Options, history: &History, verdict: &Verdict, faults: &str, sockets: usize) {
    let subscriptions = history.listeners.len();
    let wildcards = history.listeners.iter().filter(|listener| listener.pattern.ends_with('*')).count();
    line(&format!(
        "soak: SOAK_SEED={} SOAK_SECONDS={}, {sockets} sockets, {subscriptions} subscriptions, {wildcards} of them wildcards",
        options.seed,
        options.duration.as_secs()
    ));
    line(&format!("faults: {faults}"));
    self::verdict(history, verdict);
}

/// Prints what the checker found.
pub fn verdict(history: &History, verdict: &Verdict) {
    line(&format!(
        "published {} (receipts {}, of them fallback {}), delivered {}, recovered {}, ahead of the log {}, logged twice {}",
        verdict.published,
        verdict.receipts,
        verdict.fallback,
        verdict.delivered,
        verdict.recovered,
        verdict.ahead_of_log,
        verdict.logged_twice
    ));
    line(&format!(
        "reported gaps {} (for {} messages), fallback receipts lost with their instance {}",
        verdict.gaps, verdict.within_gaps, verdict.lost_with_instance
    ));
    line(&format!(
        "duplicates {}, reordered {}, unreported losses {}",
        verdict.duplicates, verdict.reordered, verdict.losses
    ));
    let mut offences: Vec<&Offence> = verdict.offences.iter().collect();
    offences.sort_by_key(|offence| offence.message.map(|message| history.messages[message].sent));
    offences.iter().take(SHOWN).for_each(|offence| show(history, offence));
    for offence in offences.iter().skip(SHOWN).take(NAMED) {
        line(&format!("  and {}", headline(history, offence)));
    }
    if offences.len() > SHOWN + NAMED {
        line(&format!("  and {} more", offences.len() - SHOWN - NAMED));
    }
}

fn headline(history: &History, offence: &Offence) -> String {
    let message = offence.message.map_or_else(|| "unknown".to_owned(), |index| describe(&history.messages[index]));
    let listener = offence.listener.map_or_else(
        || "the log".to_owned(),
        |index| format!("tab {} on {}", history.listeners[index].tab, history.listeners[index].pattern),
    );
    format!("{:?}: {listener}, {}, message {message}: {}", offence.kind, history.channels[offence.channel], offence.why)
}

fn show(history: &History, offence: &Offence) {
    line(&headline(history, offence));
    let Some(listener) = offence.listener.map(|index| &history.listeners[index]) else { return };
    let is_of_it = |heard: &Heard| match heard.what {
        What::Message { message, .. } => history.messages[message].channel == offence.channel,
        What::Gap(of) => of.is_none_or(|of| of == offence.channel),
        What::Stands => true,
    };
    let before = listener.heard[..offence.index].iter().rev().filter(|heard| is_of_it(heard)).take(BEFORE);
    let before: Vec<_> = before.collect();
    let after = listener.heard[offence.index..].iter().filter(|heard| is_of_it(heard)).take(AFTER + 1);
    for heard in before.into_iter().rev().chain(after) {
        let what = match heard.what {
            What::Stands => "stands".to_owned(),
            What::Gap(_) => "gap".to_owned(),
            What::Message { message, place, is_recovered } => {
                let place = place.map_or_else(
                    || "no position".to_owned(),
                    |place| format!("epoch {} offset {}", place.epoch, place.offset),
                );
                let recovered = if is_recovered { ", recovered" } else { "" };
                format!("{place}{recovered}: {}", describe(&history.messages[message]))
            }
        };
        line(&format!("  {:>9.3} s  {what}", seconds(heard.at)));
    }
}

fn describe(message: &Message) -> String {
    format!(
        "{} (publisher {}, connection {}, number {}, sent {:.3} s to instance {} run {}, receipt {:?})",
        message.id.as_deref().unwrap_or("without an id"),
        message.publisher,
        message.connection,
        message.number,
        seconds(message.sent),
        message.taken_by.instance,
        message.taken_by.restarts,
        message.receipt
    )
}

#[expect(clippy::cast_precision_loss, reason = "a run lasts less than 2^53 microseconds")]
fn seconds(tick: u64) -> f64 {
    tick as f64 / 1_000_000.0
}
