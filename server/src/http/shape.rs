//! Requests that no browser sends, and no program that means well.

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderValue, Method, StatusCode, header};
use wire::Code;

use super::{answer::ApiError, events};

/// Bytes of a path and its query at most. Event streams name their channels there, and may have more.
const ADDRESS_BYTES: usize = 8 * 1024;

/// On a request whose length can be read in two ways, by us and by a proxy in front: what follows it on
/// its connection may have been smuggled in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ambiguous;

/// Middleware: refuses what is malformed beyond what hyper refuses.
pub(super) async fn refuse_malformed(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if request.extensions().get::<Ambiguous>().is_some() {
        return refused(StatusCode::BAD_REQUEST, "the length of the body is told twice").at(path);
    }
    if request.headers().get_all(header::HOST).into_iter().count() > 1 {
        return refused(StatusCode::BAD_REQUEST, "the host is told twice").at(path);
    }
    if !is_known(request.method()) {
        let error = "no route takes this method";
        let mut response = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, Code::MethodNotAllowed, error).at(path);
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE"));
        return response;
    }
    let address_bytes = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    if address_bytes > ADDRESS_BYTES && path != events::PATH {
        return refused(StatusCode::URI_TOO_LONG, "the address is too long").at(path);
    }
    next.run(request).await
}

/// `TRACE` answers with what was sent, cookies included; nobody needs it.
fn is_known(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS]
        .contains(method)
}

fn refused(status: StatusCode, error: &str) -> ApiError {
    ApiError::new(status, Code::ValidationError, error)
}
