//! Sending for browsers without WebAssembly: the server publishes for them.

use leptos::server;

use crate::{cluster::ClusterClient, error::Problem};

/// Publishes a notification on behalf of the visitor.
///
/// # Errors
///
/// When a line is not as [`Notification::checked`](super::Notification::checked) wants it.
#[server(prefix = "/fn", endpoint = "notification-send", client = ClusterClient)]
pub async fn send_notification(
    /// What is said, as it was typed.
    message: String,
    /// Who says it; may be empty.
    name: String,
) -> Result<(), Problem> {
    use crate::{
        components::notice::Notice,
        pages::{address, request},
    };

    let sent = publish(&message, &name).await;
    request::finish(sent, Notice::Sent, address::NOTIFICATIONS)
}

#[cfg(feature = "ssr")]
async fn publish(message: &str, name: &str) -> Result<(), Problem> {
    use serde_json::Value;

    use super::{Notification, board::SENT};
    use crate::pages::request;

    let notification = Notification::checked(message, name)?;
    let Ok(Value::Object(payload)) = serde_json::to_value(notification) else { return Err(Problem::Internal) };
    let cluster = request::ports()?.cluster;
    cluster
        .publish_broadcast(&SENT.channel(), payload, request::publisher().await)
        .await
        .map(drop)
        .map_err(|_too_large| Problem::Message)
}
