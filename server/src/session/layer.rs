//! The door every request passes: from a cookie to a visitor, and back.

use std::sync::Arc;

use app::ports::CurrentVisitor;
use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use http::{HeaderMap, HeaderValue, header};
use tower_sessions::{
    Expiry, Session, SessionManagerLayer,
    cookie::{Key, SameSite},
};

use super::{RequestVisitor, Sessions, attempts::Attempts};
use crate::{account::Accounts, config::Mode, http::Peer, throttle::Throttle};

/// What it takes to know a visitor. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    /// Who is signed in.
    pub sessions: Sessions,
    /// Who may sign in.
    pub accounts: Arc<Accounts>,
    pub(super) attempts: Arc<Attempts>,
    key: Key,
    mode: Mode,
}

impl Door {
    /// Cookies are signed with `key`; in `prod` they are for encrypted connections only.
    pub fn new(sessions: Sessions, accounts: Arc<Accounts>, throttle: Throttle, key: Key, mode: Mode) -> Self {
        Self { sessions, accounts, attempts: Arc::new(Attempts::new(throttle)), key, mode }
    }

    /// Puts it before these routes: each request then has a [`CurrentVisitor`] and a [`RequestVisitor`].
    pub fn guard(&self, routes: Router) -> Router {
        let is_secure = self.mode == Mode::Prod;
        let life = time::Duration::try_from(self.sessions.life()).unwrap_or(time::Duration::DAY);
        let cookies = SessionManagerLayer::new(self.sessions.clone())
            .with_name(self.cookie_name())
            .with_http_only(true)
            .with_same_site(SameSite::Lax)
            .with_secure(is_secure)
            .with_path("/")
            .with_expiry(Expiry::OnInactivity(life))
            .with_signed(self.key.clone());
        routes
            .layer(middleware::from_fn_with_state(self.clone(), introduce))
            .layer(cookies)
            .layer(middleware::from_fn_with_state(self.clone(), complete_removals))
    }

    /// With `__Host-` a browser takes the cookie from this host alone, over an encrypted connection.
    fn cookie_name(&self) -> &'static str {
        match self.mode {
            Mode::Prod => "__Host-session",
            Mode::Dev => "session",
        }
    }
}

/// Lets what answers ask who is there. Nothing is looked up until it does.
async fn introduce(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    if let Some(session) = request.extensions().get::<Session>().cloned() {
        let address = request.extensions().get::<Peer>().map(|Peer(peer)| peer.ip());
        let visitor = Arc::new(RequestVisitor::new(&door, session, request.headers(), address));
        request.extensions_mut().insert(Arc::clone(&visitor));
        request.extensions_mut().insert(CurrentVisitor(visitor));
    }
    next.run(request).await
}

/// A cookie is removed with the attributes it was set with: a browser ignores the removal otherwise.
async fn complete_removals(State(door): State<Door>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if !headers.contains_key(header::SET_COOKIE) {
        return response;
    }
    let name = door.cookie_name();
    complete(
        headers,
        name,
        if door.mode == Mode::Prod { "; HttpOnly; SameSite=Lax; Secure" } else { "; HttpOnly; SameSite=Lax" },
    );
    // Nobody on the way keeps what belongs to one visitor.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn complete(headers: &mut HeaderMap, name: &str, attributes: &str) {
    let cookies: Vec<HeaderValue> = headers.get_all(header::SET_COOKIE).iter().cloned().collect();
    headers.remove(header::SET_COOKIE);
    for cookie in cookies {
        let completed = cookie.to_str().ok().and_then(|text| {
            let is_removal = text.strip_prefix(name)?.starts_with('=') && !text.contains("HttpOnly");
            HeaderValue::try_from(is_removal.then(|| format!("{text}{attributes}"))?).ok()
        });
        headers.append(header::SET_COOKIE, completed.unwrap_or(cookie));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_gets_the_attributes_of_the_cookie_and_nothing_else_is_touched() {
        let mut headers = HeaderMap::new();
        for cookie in ["session=; Max-Age=0; Path=/", "session=a; HttpOnly; Path=/", "sessions=; Max-Age=0"] {
            headers.append(header::SET_COOKIE, HeaderValue::from_static(cookie));
        }
        complete(&mut headers, "session", "; HttpOnly; Secure");
        let after: Vec<_> = headers.get_all(header::SET_COOKIE).iter().collect();
        let wanted =
            ["session=; Max-Age=0; Path=/; HttpOnly; Secure", "session=a; HttpOnly; Path=/", "sessions=; Max-Age=0"];
        assert_eq!(after, wanted);
    }
}
