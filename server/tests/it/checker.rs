//! The soak's checker finds what it is there to find: each promise, broken in the smallest way.

#[path = "../soak/check.rs"]
#[allow(dead_code, reason = "the soak reads more of it")]
mod check;
#[path = "../soak/history.rs"]
#[allow(dead_code, reason = "the soak reads more of it")]
mod history;

use check::{Kind, Verdict, check};
use history::{At, Heard, History, Kill, Listener, Message, Receipt, Run, What};

const RUN: Run = Run { instance: 0, restarts: 0 };

/// A history of one channel and one publisher; the listener stands before anything is sent.
struct Story(History);

impl Story {
    fn new() -> Self {
        let listener = Listener { tab: 0, pattern: "c".into(), channels: vec![0], heard: Vec::new() };
        let mut story = Self(History { channels: vec!["c".into()], listeners: vec![listener], ..History::default() });
        story.hear(What::Stands);
        story
    }

    fn now(&self) -> u64 {
        let heard = self.0.listeners[0].heard.len();
        u64::try_from(heard + self.0.messages.len() + self.0.kills.len()).unwrap()
    }

    fn hear(&mut self, what: What) {
        let at = self.now();
        self.0.listeners[0].heard.push(Heard { at, what });
    }

    /// Sends messages with these receipts, numbered from 1.
    fn sent(mut self, receipts: &[Option<Receipt>]) -> Self {
        for receipt in receipts {
            let number = u32::try_from(self.0.messages.len() + 1).unwrap();
            let (sent, receipt) = (self.now(), *receipt);
            let taken_by = RUN;
            let (publisher, connection, channel, id) = (7, 1, 0, None);
            self.0.messages.push(Message { publisher, connection, channel, number, sent, taken_by, id, receipt });
        }
        self
    }

    /// The listener gets message `number`, at an offset of the first log or without a position.
    fn got(self, number: usize, offset: Option<u64>) -> Self {
        self.got_of(0, number, offset)
    }

    fn got_of(mut self, epoch: u32, number: usize, offset: Option<u64>) -> Self {
        let place = offset.map(|offset| At { epoch, offset });
        self.hear(What::Message { message: number - 1, place, is_recovered: false });
        self
    }

    fn told_of_a_gap(mut self) -> Self {
        self.hear(What::Gap(None));
        self
    }

    fn killed(mut self) -> Self {
        let at = self.now();
        self.0.kills.push(Kill { run: RUN, at });
        self
    }

    fn judged(&self) -> Verdict {
        check(&self.0)
    }

    fn is_fine(&self) {
        let verdict = self.judged();
        assert!(verdict.is_clean(), "{:?}", verdict.offences);
    }

    fn breaks(&self, kind: Kind) {
        let verdict = self.judged();
        let kinds: Vec<Kind> = verdict.offences.iter().map(|offence| offence.kind).collect();
        assert_eq!(kinds, [kind], "{:?}", verdict.offences);
    }
}

#[expect(clippy::unnecessary_wraps, reason = "stands beside receipts that never came")]
fn logged(offset: u64) -> Option<Receipt> {
    Some(Receipt::Logged(At { epoch: 0, offset }))
}

const FALLBACK: Option<Receipt> = Some(Receipt::Fallback);

#[test]
fn everything_once_and_in_order_is_fine() {
    Story::new().sent(&[logged(1), logged(2), None]).got(1, Some(1)).got(2, Some(2)).is_fine();
}

#[test]
fn a_message_heard_twice_is_a_duplicate() {
    Story::new().sent(&[logged(1)]).got(1, Some(1)).got(1, Some(1)).breaks(Kind::Duplicate);
    Story::new().sent(&[FALLBACK]).got(1, None).got(1, Some(1)).breaks(Kind::Duplicate);
}

#[test]
fn an_offset_that_goes_back_is_out_of_order() {
    Story::new().sent(&[logged(1), logged(2)]).told_of_a_gap().got(2, Some(2)).got(1, Some(1)).breaks(Kind::Reorder);
}

#[test]
fn a_place_that_holds_two_messages_is_out_of_order() {
    Story::new().sent(&[logged(1), None]).told_of_a_gap().got(2, Some(1)).breaks(Kind::Reorder);
}

#[test]
fn a_log_that_turns_a_publishers_order_round_is_found() {
    Story::new().sent(&[logged(2), logged(1)]).got(2, Some(1)).got(1, Some(2)).breaks(Kind::Reorder);
}

#[test]
fn local_deliveries_keep_the_publishers_order() {
    Story::new().sent(&[FALLBACK, FALLBACK]).got(2, None).got(1, None).breaks(Kind::Reorder);
}

#[test]
fn a_local_delivery_may_come_before_an_older_logged_message() {
    let story = Story::new().sent(&[logged(1), FALLBACK]).got(2, None).got(1, Some(1));
    story.is_fine();
    assert_eq!(story.judged().ahead_of_log, 1);
}

#[test]
fn an_offset_left_out_is_a_loss_even_without_a_receipt() {
    let story = Story::new().sent(&[logged(1), None, logged(3)]).got(1, Some(1));
    story.got(3, Some(3)).breaks(Kind::Loss);
}

#[test]
fn an_offset_heard_before_without_a_position_is_no_hole() {
    let story = Story::new().sent(&[logged(1), FALLBACK, logged(3)]).got(1, Some(1)).got(2, None);
    // Only somebody else's ears tell where the local message went.
    let mut story = story.got(3, Some(3));
    let other = Heard {
        at: 0,
        what: What::Message { message: 1, place: Some(At { epoch: 0, offset: 2 }), is_recovered: true },
    };
    story.0.listeners.push(Listener { tab: 1, pattern: "c".into(), channels: vec![0], heard: vec![other] });
    let losses: Vec<_> = story.judged().offences.into_iter().filter(|offence| offence.listener == Some(0)).collect();
    assert!(losses.is_empty(), "{losses:?}");
}

#[test]
fn a_gap_told_in_between_excuses() {
    let story = Story::new().sent(&[logged(1), logged(2), logged(3)]).got(1, Some(1)).told_of_a_gap().got(3, Some(3));
    story.is_fine();
    assert_eq!((story.judged().gaps, story.judged().within_gaps), (1, 1));
}

#[test]
fn a_gap_told_before_or_too_late_does_not() {
    Story::new().told_of_a_gap().sent(&[logged(1)]).breaks(Kind::Loss);
    let late = Story::new().sent(&[logged(1), logged(2), logged(3)]).got(1, Some(1)).got(3, Some(3)).told_of_a_gap();
    late.breaks(Kind::Loss);
}

#[test]
fn a_new_log_without_a_gap_is_a_loss() {
    Story::new().sent(&[None, None]).got(1, Some(5)).got_of(1, 2, Some(1)).breaks(Kind::Loss);
}

#[test]
fn a_log_goes_on_in_another_epoch_from_where_the_listener_stands() {
    Story::new().sent(&[None, None]).got(1, Some(5)).got_of(1, 2, Some(6)).is_fine();
    Story::new().sent(&[None, None]).got(1, Some(5)).got_of(1, 2, Some(7)).breaks(Kind::Loss);
    // Heard without a position; where it was in the log, others know, from an epoch before.
    let mut story = Story::new().sent(&[None, FALLBACK, None]).got(1, Some(5)).got(2, None).got_of(2, 3, Some(7));
    let at = At { epoch: 1, offset: 6 };
    let other = Heard { at: 0, what: What::Message { message: 1, place: Some(at), is_recovered: false } };
    story.0.listeners.push(Listener { tab: 1, pattern: "c".into(), channels: vec![0], heard: vec![other] });
    assert!(story.judged().offences.iter().all(|offence| offence.listener != Some(0)));
    Story::new().sent(&[None, logged(6), None]).got(1, Some(5)).got(2, Some(6)).got_of(1, 3, Some(7)).is_fine();
}

#[test]
fn a_receipt_that_nobody_honours_is_a_loss() {
    Story::new().sent(&[logged(1)]).breaks(Kind::Loss);
    Story::new().sent(&[FALLBACK]).breaks(Kind::Loss);
    Story::new().sent(&[None]).is_fine();
}

#[test]
fn what_was_sent_before_a_listener_stood_is_not_owed_to_it() {
    let mut story = Story::new().sent(&[logged(1)]);
    story.0.listeners[0].heard[0].at = 100;
    story.is_fine();
}

#[test]
fn an_outbox_that_died_with_its_instance_is_counted_apart() {
    let story = Story::new().sent(&[FALLBACK]).killed();
    story.is_fine();
    assert_eq!(story.judged().lost_with_instance, 1);
    // A receipt without `fallback` promised more, and so did a kill before it.
    Story::new().sent(&[logged(1)]).killed().breaks(Kind::Loss);
    Story::new().killed().sent(&[FALLBACK]).breaks(Kind::Loss);
}
