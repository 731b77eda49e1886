//! The request a page or a server function runs in.

use std::sync::Arc;

use http::{StatusCode, header, request::Parts};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use wire::limits::UUID_BYTES;

use crate::{
    account::User,
    components::notice::{NOTICE, Notice, PROBLEM},
    error::{Problem, set_status},
    ports::{CurrentVisitor, KnownUser, Ports, Publisher, Visitor},
};

/// What the instance supplies.
///
/// # Errors
///
/// [`Problem::Internal`] when the server mounted the pages without [`Ports`].
pub fn ports() -> Result<Ports, Problem> {
    use_context::<Ports>().ok_or(Problem::Internal)
}

/// Who asks, and what they may do about it.
///
/// # Errors
///
/// [`Problem::Internal`] when the server mounted the pages without a door before them.
pub fn visitor() -> Result<Arc<dyn Visitor>, Problem> {
    let visitor = use_context::<Parts>().and_then(|parts| parts.extensions.get::<CurrentVisitor>().cloned());
    visitor.map(|CurrentVisitor(visitor)| visitor).ok_or(Problem::Internal)
}

/// Who is signed in, as it was known before the page began.
pub fn signed_in() -> Option<User> {
    use_context::<Parts>().and_then(|parts| parts.extensions.get::<KnownUser>()?.0.clone())
}

/// Who publishes: the user who is signed in, and the tab, which names itself in the header
/// `X-JPulse-Uuid`. Anybody may claim any tab there; all it decides is which is left out of a broadcast.
pub async fn publisher() -> Publisher {
    let uuid = use_context::<Parts>()
        .and_then(|parts| parts.headers.get("x-jpulse-uuid")?.to_str().ok().map(Arc::from))
        .filter(|uuid: &Arc<str>| !uuid.is_empty() && uuid.len() <= UUID_BYTES);
    let user = match visitor() {
        Ok(visitor) => visitor.user().await,
        Err(_) => None,
    };
    let (username, name) = user.map(|user| (user.username, user.name)).unwrap_or_default();
    Publisher { uuid, username, name }
}

/// Whether a browser posted a form by itself and now waits for a page, not for JSON.
pub fn is_plain_form() -> bool {
    use_context::<Parts>().is_some_and(|parts| parts.method == http::Method::POST && accepts_html(&parts))
}

/// Ends a server function that a form calls. A plain form is led back to the page it is on (`fallback`
/// when the browser does not say), which shows the outcome; everybody else gets the result and its status.
///
/// # Errors
///
/// Hands `result`'s problem on.
pub fn finish<T>(result: Result<T, Problem>, done: Notice, fallback: &str) -> Result<T, Problem> {
    if is_plain_form() {
        let (name, value) = match &result {
            Ok(_) => (NOTICE, done.code()),
            Err(problem) => (PROBLEM, problem.code()),
        };
        see_other(&format!("{}?{name}={value}", referring_path().as_deref().unwrap_or(fallback)));
    } else if let Err(problem) = result {
        set_status(problem);
    }
    result
}

fn accepts_html(parts: &Parts) -> bool {
    parts
        .headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/html"))
}

/// Leads a plain form to another page.
pub fn see_other(location: &str) {
    if let Some(response) = use_context::<ResponseOptions>()
        && let Ok(location) = header::HeaderValue::from_str(location)
    {
        response.insert_header(header::LOCATION, location);
        response.set_status(StatusCode::SEE_OTHER);
    }
}

/// The path of the page the form is on. Only the path: a foreign host in the header leads nowhere.
fn referring_path() -> Option<String> {
    let parts = use_context::<Parts>()?;
    let referer: http::Uri = parts.headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    let path = referer.path();
    (path.starts_with('/') && !path.starts_with("//")).then(|| path.to_owned())
}
