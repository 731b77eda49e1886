//! Telling everybody, on the server.

use leptos::server;

use crate::{cluster::ClusterClient, error::Problem};

/// Checks a notice and tells every browser that listens, on every instance.
///
/// # Errors
///
/// When the text is not one line of 1 to 200 characters.
#[server(prefix = "/fn", endpoint = "pattern-notice", client = ClusterClient)]
pub async fn send_notice(
    /// What to tell.
    text: String,
    /// `info`, `success` or `warning`; anything else is information.
    #[server(default)]
    level: String,
) -> Result<(), Problem> {
    use crate::{
        components::notice,
        pages::{address, request},
    };

    // Leads a browser without WebAssembly back to its page.
    request::finish(tell(&text, &level).await, notice::Notice::Sent, address::GLOBAL_NOTIFICATIONS)
}

#[cfg(feature = "ssr")]
async fn tell(text: &str, level: &str) -> Result<(), Problem> {
    use serde_json::Value;

    use super::notices::{Notice, SENT};
    use crate::pages::{Notification, request};

    let text = Notification::checked(text, "")?.message;
    let level = if ["success", "warning"].contains(&level) { level } else { "info" };
    let notice = Notice { text, level: level.to_owned() };
    let Ok(Value::Object(payload)) = serde_json::to_value(notice) else { return Err(Problem::Internal) };
    let cluster = request::ports()?.cluster;
    let told = cluster.publish_broadcast(&SENT.channel(), payload, request::publisher().await).await;
    told.map(drop).map_err(|_too_large| Problem::Message)
}
