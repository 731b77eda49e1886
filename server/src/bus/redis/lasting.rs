//! The link without its short changes, for people: browsers, pages, the status route.

use std::time::Duration;

use tokio::{sync::watch, time::timeout};

use crate::bus::Link;

/// How long a state must last before it is announced.
pub(super) const LASTS: Duration = Duration::from_secs(1);

/// Passes on the states of `link` that last for `lasts`. The first time the link comes up is passed on at once.
pub(super) async fn run(mut link: watch::Receiver<Link>, lasting: &watch::Sender<Link>, lasts: Duration) {
    if link.wait_for(|link| *link == Link::Up).await.is_err() {
        return;
    }
    lasting.send_replace(Link::Up);
    loop {
        let announced = *lasting.borrow();
        if *link.borrow_and_update() == announced {
            if link.changed().await.is_err() {
                return;
            }
            continue;
        }
        let is_as_before = timeout(lasts, link.wait_for(|now| *now == announced)).await.map(|back| back.is_ok());
        match is_as_before {
            Ok(true) => {}
            Ok(false) => return,
            Err(_) => {
                let now = *link.borrow();
                lasting.send_if_modified(|before| std::mem::replace(before, now) != now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn only_states_that_last_are_passed_on() {
        let (link, changes) = watch::channel(Link::Down);
        let (lasting, mut announced) = watch::channel(Link::Down);
        let passing = tokio::spawn(async move { run(changes, &lasting, LASTS).await });
        link.send_replace(Link::Up);
        announced.changed().await.unwrap();
        assert_eq!(*announced.borrow_and_update(), Link::Up);
        for _ in 0..100 {
            link.send_replace(Link::Down);
            yield_now().await;
            link.send_replace(Link::Up);
            yield_now().await;
        }
        assert!(!announced.has_changed().unwrap());
        link.send_replace(Link::Down);
        announced.changed().await.unwrap();
        assert_eq!(*announced.borrow_and_update(), Link::Down);
        drop(link);
        passing.await.unwrap();
    }
}
