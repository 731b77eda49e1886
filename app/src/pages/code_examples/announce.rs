use app::ports::{Ports, Publisher};
use serde_json::json;
use wire::{Channel, ChannelError};

/// Pattern B: the change is checked and saved already; now everybody hears of it.
async fn announce_order(ports: &Ports, order: u64) -> Result<(), ChannelError> {
    let channel: Channel = "view:shop:order:placed".parse()?;
    let payload = json!({ "order": order }).as_object().cloned().unwrap_or_default();
    // Queued in order; a broadcast that fails never fails the request.
    ports.cluster.announce(&channel, payload, Publisher::default()).await;
    Ok(())
}
