//! Notes who asked for what failed, for the record of errors.

use std::time::Duration;

use app::ports::CurrentVisitor;
use axum::{extract::Request, middleware::Next, response::Response};
use tokio::time::timeout;

/// How long a failed answer waits to learn who asked: Redis may be what failed.
const KNOWN_WITHIN: Duration = Duration::from_millis(100);

/// The id of the user a failed answer is for, among the response's extensions.
#[derive(Clone, Debug)]
pub(super) struct ActingUser(pub(super) String);

/// Stands behind the door. Costs nothing unless the answer has a status of 500 and above.
pub(super) async fn note(request: Request, next: Next) -> Response {
    let visitor = request.extensions().get::<CurrentVisitor>().cloned();
    let mut response = next.run(request).await;
    if response.status().is_server_error()
        && let Some(CurrentVisitor(visitor)) = visitor
        && let Ok(Some(user)) = timeout(KNOWN_WITHIN, visitor.user()).await
    {
        response.extensions_mut().insert(ActingUser(user.id));
    }
    response
}
