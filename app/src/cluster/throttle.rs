//! Doing something often, but not too often.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use leptos::prelude::set_timeout;

/// Calls `act` at most once in an interval: with the first value at once, of those that follow too soon
/// with the latest when the interval is over.
pub(super) fn throttled<T: 'static>(every: Duration, act: impl Fn(T) + 'static) -> impl Fn(T) + Clone + 'static {
    let pace = Rc::new(Pace { act, every, waiting: RefCell::new(None), is_resting: Cell::new(false) });
    move |value| {
        if pace.is_resting.replace(true) {
            pace.waiting.replace(Some(value));
            return;
        }
        (pace.act)(value);
        rest(Rc::clone(&pace));
    }
}

struct Pace<T, F> {
    act: F,
    every: Duration,
    waiting: RefCell<Option<T>>,
    is_resting: Cell<bool>,
}

/// Lets the interval pass, and then acts on what came meanwhile.
fn rest<T: 'static, F: Fn(T) + 'static>(pace: Rc<Pace<T, F>>) {
    let every = pace.every;
    set_timeout(
        move || {
            // In a statement of its own: the act may bring the next value.
            let waiting = pace.waiting.take();
            match waiting {
                Some(value) => {
                    (pace.act)(value);
                    rest(pace);
                }
                None => pace.is_resting.set(false),
            }
        },
        every,
    );
}
