//! Routes for users and for administrators.

use std::sync::Arc;

use app::ports::CurrentVisitor;
use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware::from_fn,
    routing::{get, post},
};
use http::header;
use http_body_util::BodyExt;
use serde_json::Value;
use server::{
    account::Accounts,
    config::{Mode, SessionsConfig},
    http::{
        answer::{Answer, finish},
        visitor::{Admin, Asking, CurrentUser, SignedIn},
    },
    session::{Door, Sessions, cookie_key},
    store::Store,
    throttle::Throttle,
};
use tower::ServiceExt;

/// Status and code of what a visitor with this cookie is answered; the cookie it has then.
async fn ask(routes: &Router, method: &str, path: &str, cookie: &str) -> (u16, Value, String) {
    let request = Request::builder().method(method).uri(path).header(header::COOKIE, cookie);
    let response = routes.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (head, body) = response.into_parts();
    let set = head.headers.get(header::SET_COOKIE).map(|set| set.to_str().unwrap());
    let cookie = set.map_or(cookie, |set| set.split(';').next().unwrap()).to_owned();
    let bytes = body.collect().await.unwrap().to_bytes();
    let json: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    (head.status.as_u16(), json["code"].clone(), cookie)
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_are_asked_to_sign_in_and_users_without_the_role_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let accounts = Arc::new(Accounts::new(&Store::embedded(data.path()).await.unwrap()));
    accounts.create("mona", "secret", &["editor".into()]).await.unwrap();
    accounts.create("otto", "secret", &["admin".into()]).await.unwrap();
    let (bus, _inbox) = server::bus::MemoryBus::new();
    let topics = server::bus::Topics::local(server::bus::Bus::link(&*bus));
    let (sessions, _announced) = Sessions::start(&SessionsConfig::default(), None, topics, None);
    let door = Door::new(sessions, accounts, Throttle::new(None), cookie_key("", data.path()).unwrap(), Mode::Dev);
    let log_in = |name: &'static str| {
        post(async move |Asking(CurrentVisitor(visitor)): Asking| {
            visitor.log_in(name, "secret").await.unwrap();
        })
    };
    let routes = Router::new()
        .route("/api/1/anybody", get(async |_: CurrentUser| Answer::done()))
        .route("/api/1/users", get(async |_: SignedIn| Answer::done()))
        .route("/api/1/admins", get(async |_: Admin| Answer::done()))
        .route("/mona", log_in("mona"))
        .route("/otto", log_in("otto"))
        .layer(from_fn(finish));
    let routes = door.guard(routes);
    let (_, _, mona) = ask(&routes, "POST", "/mona", "").await;
    let (_, _, otto) = ask(&routes, "POST", "/otto", "").await;
    for (cookie, path, status, code) in [
        ("", "/api/1/anybody", 200, None),
        ("", "/api/1/users", 401, Some("AUTHENTICATION_REQUIRED")),
        ("", "/api/1/admins", 401, Some("AUTHENTICATION_REQUIRED")),
        (&mona, "/api/1/users", 200, None),
        (&mona, "/api/1/admins", 403, Some("UNAUTHORIZED")),
        (&otto, "/api/1/users", 200, None),
        (&otto, "/api/1/admins", 200, None),
    ] {
        let (answered, said, _) = ask(&routes, "GET", path, cookie).await;
        assert_eq!((answered, said.as_str()), (status, code), "{path} with {cookie}");
    }
}
