//! Waiting until all is well again, and everybody has heard the last word.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{
    error::SoakError,
    history::{Receipt, What},
    tab::{Command, Tab, World},
};

/// How long all may take to be well again once the last fault is over.
const HEALED_WITHIN: Duration = Duration::from_secs(60);

/// Waits until every subscription of every tab stands.
pub async fn everybody_stands(tabs: &[Tab]) -> Result<(), SoakError> {
    until("every tab is connected and subscribed", async || {
        tabs.iter().filter(|tab| !tab.is_whole()).for_each(|tab| tab.order(Command::Encourage));
        tabs.iter().all(Tab::is_whole)
    })
    .await
}

/// Waits until all are well, then lets every instance say one last word on every channel, and waits until
/// everybody has heard it.
pub async fn heal(world: &World, tabs: &[Tab], closers: &[Tab]) -> Result<(), SoakError> {
    until("every instance is linked", async || {
        let mut are_linked = true;
        for instance in &world.cluster.instances {
            are_linked &= instance.is_linked().await;
        }
        are_linked
    })
    .await?;
    everybody_stands(closers).await?;
    everybody_stands(tabs).await?;
    let channels = world.ledger.history().channels.len();
    for closer in closers {
        for channel in 0..channels {
            // A receipt with a position says that the outbox is empty.
            let first = world.ledger.history().messages.len();
            until("an instance logs a message", async || {
                closer.order(Command::Encourage);
                closer.order(Command::Publish { channel, padding: 0 });
                sleep(Duration::from_millis(100)).await;
                let history = world.ledger.history();
                history.messages[first..].iter().any(|message| matches!(message.receipt, Some(Receipt::Logged(_))))
            })
            .await?;
        }
    }
    // Whoever does not hear them is found by the checker.
    let _ = until("everybody has heard the last words", async || has_heard_the_last(world)).await;
    Ok(())
}

/// Whether every listener has heard the last logged message of each of its channels.
pub fn has_heard_the_last(world: &World) -> bool {
    let history = world.ledger.history();
    (0..history.channels.len()).all(|channel| {
        let is_last = |receipt| matches!(receipt, Some(Receipt::Logged(_)));
        let last = history.messages.iter().rposition(|message| message.channel == channel && is_last(message.receipt));
        history.listeners.iter().filter(|listener| listener.channels.contains(&channel)).all(|listener| {
            listener.heard.iter().rev().any(|heard| match heard.what {
                What::Message { message, .. } => Some(message) == last,
                _ => false,
            })
        })
    })
}

pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Result<(), SoakError> {
    let began = Instant::now();
    while !is_so().await {
        if began.elapsed() > HEALED_WITHIN {
            return Err(SoakError::NotHealed { what: what.to_owned(), seconds: HEALED_WITHIN.as_secs() });
        }
        sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}
