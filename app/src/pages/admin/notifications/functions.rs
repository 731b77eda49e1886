//! What the page asks the server for.

use leptos::{server, server_fn::codec::GetUrl};

use crate::{cluster::ClusterClient, error::Problem, system_notification::LoggedNotification};

/// The latest notifications, newest first.
///
/// # Errors
///
/// When nobody is signed in, or no administrator, or the store does not answer.
#[server(prefix = "/fn", endpoint = "admin-notifications", input = GetUrl, client = ClusterClient)]
pub async fn read_notifications() -> Result<Vec<LoggedNotification>, Problem> {
    /// On the page; the others are in the store.
    const SHOWN: usize = 50;

    use crate::pages::{admin, request};

    admin::administrator().await?;
    request::ports()?.notifications.latest(SHOWN).await.map_err(|_| Problem::Unavailable)
}

/// Logs a notification and tells every open page.
///
/// # Errors
///
/// When nobody is signed in, or no administrator, when it is no notification, or the store does not answer.
#[server(prefix = "/fn", endpoint = "admin-notification-send", client = ClusterClient)]
pub async fn send_system_notification(
    /// One line.
    message: String,
    /// Empty for the least.
    #[server(default)]
    level: String,
    /// Whether it is critical.
    #[server(default)]
    critical: bool,
) -> Result<(), Problem> {
    use crate::{
        components::notice::Notice,
        pages::{address, request},
    };

    let sent = send(&message, &level, critical).await;
    request::finish(sent, Notice::Told, address::ADMIN_NOTIFICATIONS)
}

#[cfg(feature = "ssr")]
async fn send(message: &str, level: &str, critical: bool) -> Result<(), Problem> {
    use crate::{
        pages::{admin, request},
        system_notification::NotificationDraft,
        system_notifications,
    };

    admin::administrator().await?;
    let draft = NotificationDraft::parse(message, level, critical)?;
    let sent = system_notifications::send(&request::ports()?, draft, request::publisher().await).await;
    sent.map(drop).map_err(|_| Problem::Unavailable)
}
