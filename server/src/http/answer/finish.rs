//! The one place where JSON answers are written.

use std::{panic::Location, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{OriginalUri, Request},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};
use tokio::time::Instant;
use wire::Code;

use super::ApiError;

/// Middleware: gives every JSON answer its body, with `elapsed` in milliseconds when it succeeded and
/// `path` when it failed. Failures of axum itself below `/api` and `/ws`, such as a wrong method or a path that
/// is no text, get the same envelope; anything else passes untouched.
///
/// Use it as the layer around all routes: `axum::middleware::from_fn(answer::finish)`.
pub async fn finish(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let path = request.extensions().get::<OriginalUri>().map_or(request.uri(), |uri| &uri.0).path().to_owned();
    let mut response = next.run(request).await;
    if is_of_programs(&path) && is_bare_failure(&response) {
        let parts = Parts::of_axum(response.status());
        response.extensions_mut().get_or_insert_with(|| Arc::new(parts));
    }
    complete(response, &path, started.elapsed())
}

/// Writes the body of a response that carries its parts; leaves any other alone.
pub(super) fn complete(mut response: Response, path: &str, elapsed: Duration) -> Response {
    let Some(parts) = response.extensions_mut().remove::<Arc<Parts>>() else { return response };
    if let Parts::Failure(failure) = &*parts {
        let told = Told { code: failure.code, error: failure.error.clone(), at: failure.at };
        response.extensions_mut().insert(told);
    }
    let body = match &*parts {
        Parts::Success { fields, raw_data } => {
            let data = raw_data.as_deref();
            let (success, elapsed) = (response.status().is_success(), elapsed.as_millis());
            // Text, numbers and maps with text keys: nothing here can fail to serialise.
            serde_json::to_vec(&SuccessBody { success, data, fields, elapsed }).unwrap_or_default()
        }
        Parts::Failure(failure) => failure_body(failure, path),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_LENGTH, body.len().into());
    // An answer tells the state of a moment.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    *response.body_mut() = Body::from(body);
    response
}

/// The body of a failure.
pub(super) fn failure_body(failure: &ApiError, path: &str) -> Vec<u8> {
    let ApiError { error, code, details, .. } = failure;
    let body = FailureBody { success: false, error, code: *code, path, details: details.as_ref() };
    serde_json::to_vec(&body).unwrap_or_default()
}

/// What a failed request was told, for whoever counts failures.
#[derive(Clone, Debug)]
pub struct Told {
    /// For programs.
    pub code: Code,
    /// For people.
    pub error: String,
    /// Where in the program it was made.
    pub at: &'static Location<'static>,
}

impl Told {
    /// The first lines of what other languages call a stack.
    pub fn stack(&self) -> String {
        format!("{}: {}\n    at {}", self.code, self.error, self.at)
    }
}

/// What a handler's response carries to [`finish`] instead of a body.
#[derive(Debug)]
pub(super) enum Parts {
    Success { fields: Map<String, Value>, raw_data: Option<Box<RawValue>> },
    Failure(ApiError),
}

impl Parts {
    fn of_axum(status: StatusCode) -> Self {
        let (code, error) = match status {
            StatusCode::NOT_FOUND => (Code::NotFound, "There is no such route."),
            StatusCode::METHOD_NOT_ALLOWED => (Code::MethodNotAllowed, "The route does not take this method."),
            StatusCode::PAYLOAD_TOO_LARGE => (Code::PayloadTooLarge, "The body is too large."),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (Code::ValidationError, "The route does not take this kind of body."),
            StatusCode::TOO_MANY_REQUESTS => (Code::RateLimited, "Too many requests; please wait a moment."),
            status if status.is_server_error() => (Code::InternalError, "Something went wrong on the server."),
            _ => (Code::ValidationError, "The request is malformed."),
        };
        Self::Failure(ApiError::new(status, code, error))
    }
}

#[derive(Serialize)]
struct SuccessBody<'a> {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(flatten)]
    fields: &'a Map<String, Value>,
    elapsed: u128,
}

#[derive(Serialize)]
struct FailureBody<'a> {
    success: bool,
    error: &'a str,
    code: Code,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a Value>,
}

/// A response that [`finish`] will complete.
pub(super) fn carry(status: StatusCode, parts: Parts) -> Response {
    let mut response = status.into_response();
    response.extensions_mut().insert(Arc::new(parts));
    response
}

/// Whether an address is one of the API or of sockets: its errors are read by programs.
fn is_of_programs(path: &str) -> bool {
    ["/api", "/ws"]
        .iter()
        .any(|start| path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Whether axum answered by itself: a failure without JSON.
fn is_bare_failure(response: &Response) -> bool {
    let is_failure = response.status().is_client_error() || response.status().is_server_error();
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    is_failure && !is_json
}

#[cfg(test)]
mod tests {
    use app::ports::StoreError;
    use axum::{Router, middleware::from_fn, routing::get};
    use http_body_util::BodyExt;
    use serde_json::json;
    use tower::ServiceExt;

    use super::{
        super::{Answer, Outcome},
        *,
    };

    /// Status, headers and JSON of a GET of this path.
    async fn ask(path: &str) -> (u16, http::HeaderMap, Value) {
        let routes = Router::new()
            .route("/api/1/data", get(async || Answer::data(json!([1, 2])).message("two")))
            .route("/api/1/top", get(async || Answer::fields(json!({ "todo": 1 })).status(StatusCode::CREATED)))
            .route("/api/1/done", get(async || Answer::done()))
            .route("/api/1/number", get(async || Answer::fields(7)))
            .route("/api/1/text", get(async || "plain"))
            .route("/api/1/flood", get(async || ApiError::rate_limited(Duration::from_millis(1_200))))
            .route("/api/1/store", get(async || -> Outcome { Err(StoreError::Unavailable("secret".into()).into()) }))
            .route(
                "/api/1/wrong",
                get(async || ApiError::bad_request(Code::InvalidData, "no").details(json!({ "a": 1 }))),
            )
            .nest("/api/1/nested", Router::new().route("/x", get(async || ApiError::no_route())))
            .layer(from_fn(finish));
        let response = routes.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let length = head.headers.get(header::CONTENT_LENGTH);
        assert!(length.is_none_or(|length| length == bytes.len().to_string().as_str()), "{length:?}");
        (head.status.as_u16(), head.headers, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    #[tokio::test]
    async fn a_success_has_its_parts_and_the_time_it_took() {
        let (status, headers, body) = ask("/api/1/data?x=1").await;
        assert_eq!((status, &headers[header::CONTENT_TYPE]), (200, &"application/json".parse().unwrap()));
        let elapsed = body["elapsed"].as_u64().unwrap();
        assert_eq!(body, json!({ "success": true, "data": [1, 2], "message": "two", "elapsed": elapsed }));
        let (status, _, body) = ask("/api/1/top").await;
        assert_eq!((status, &body["todo"], &body["success"]), (201, &json!(1), &json!(true)));
        let (_, _, body) = ask("/api/1/done").await;
        assert_eq!(body.as_object().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_failure_has_its_code_and_path() {
        let (status, _, body) = ask("/api/1/wrong?secret=1").await;
        let wanted = json!({
            "success": false, "error": "no", "code": "INVALID_DATA", "path": "/api/1/wrong", "details": { "a": 1 },
        });
        assert_eq!((status, body), (400, wanted));
        assert_eq!(ask("/api/1/nested/x").await.2["path"], "/api/1/nested/x");
    }

    #[tokio::test]
    async fn a_flood_is_told_when_to_come_back() {
        let (status, headers, body) = ask("/api/1/flood").await;
        assert_eq!((status, &headers[header::RETRY_AFTER]), (429, &"2".parse().unwrap()));
        assert_eq!(body["code"], "RATE_LIMITED");
    }

    #[tokio::test]
    async fn a_layer_outside_answers_for_itself() {
        let response = ApiError::no_route().at("/api/1/x");
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap()["path"], "/api/1/x");
    }

    #[tokio::test]
    async fn what_went_wrong_inside_stays_inside() {
        let (status, _, body) = ask("/api/1/store").await;
        assert_eq!((status, &body["code"]), (503, &json!("STORE_UNAVAILABLE")));
        assert!(!body.to_string().contains("secret"), "{body}");
        let (status, _, body) = ask("/api/1/number").await;
        assert_eq!((status, &body["code"]), (500, &json!("INTERNAL_ERROR")));
    }

    #[tokio::test]
    async fn what_axum_refuses_is_json_for_programs_and_nothing_else_is_touched() {
        for path in ["/api/1/unknown", "/api/", "/ws/unknown", "/ws"] {
            let (status, _, body) = ask(path).await;
            assert_eq!((status, &body["code"], &body["path"]), (404, &json!("NOT_FOUND"), &json!(path)));
        }
        assert_eq!(ask("/apiary").await.2, Value::Null);
        assert_eq!(ask("/api/1/text").await.2, Value::Null);
    }
}
