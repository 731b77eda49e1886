//! Telling everybody: one way for the REST route and the admin page alike.

use serde_json::Value;
use wire::Channel;

use crate::{
    ports::{Announcement, Ports, Publisher, StoreError, Tell},
    system_notification::{GLOBAL, LoggedNotification, NotificationDraft},
};

/// Logs a notification and tells every open browser, on every instance; both or neither.
///
/// # Errors
///
/// When the store does not answer.
pub async fn send(
    ports: &Ports,
    draft: NotificationDraft,
    publisher: Publisher,
) -> Result<LoggedNotification, StoreError> {
    let admin_user = publisher.username.clone();
    ports.notifications.add(draft, &admin_user, tell(publisher)).await
}

fn tell(publisher: Publisher) -> Tell<LoggedNotification> {
    Box::new(move |logged: &LoggedNotification| {
        let Ok(Value::Object(payload)) = serde_json::to_value(&logged.sent) else { return None };
        let channel = Channel::parse(GLOBAL).ok()?;
        // The name of the administrator is for other administrators.
        let publisher = Publisher { uuid: publisher.uuid.clone(), ..Publisher::default() };
        Some(Announcement { channel, payload, publisher })
    })
}
