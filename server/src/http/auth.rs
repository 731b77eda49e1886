//! Signing in and out over REST.

use std::time::Duration;

use app::ports::{CurrentVisitor, LogInError};
use axum::{
    Router,
    routing::{get, post},
};
use http::StatusCode;
use serde_json::{Value, json};
use wire::Code;

use super::{
    Site,
    answer::{Answer, ApiError, Outcome},
    body::JsonBody,
    visitor::{Asking, SignedIn},
};

/// When somebody may try again who came while too many others did.
const BUSY_FOR: Duration = Duration::from_secs(1);

pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/api/1/auth/login", post(log_in))
        .route("/api/1/auth/logout", post(log_out))
        .route("/api/1/auth/logout-all", post(log_out_everywhere))
        .route("/api/1/auth/status", get(status))
}

async fn log_in(Asking(CurrentVisitor(visitor)): Asking, JsonBody(body): JsonBody) -> Outcome {
    let text = |field: &str| body.get(field).and_then(Value::as_str);
    // Anything else than text, such as `{"$ne": null}`, never gets near the store.
    let (Some(username), Some(password)) = (text("username"), text("password")) else {
        let error = "A sign-in needs `username` and `password`, both strings.";
        return Err(ApiError::bad_request(Code::ValidationError, error));
    };
    let user = visitor.log_in(username, password).await?;
    Ok(Answer::fields(json!({ "user": user })))
}

/// A guest is signed out already.
async fn log_out(Asking(CurrentVisitor(visitor)): Asking) -> Outcome {
    visitor.log_out().await;
    Ok(Answer::done())
}

/// Without a session there is nobody whose sessions could end: 401.
async fn log_out_everywhere(_: SignedIn, Asking(CurrentVisitor(visitor)): Asking) -> Outcome {
    visitor.log_out_everywhere().await;
    Ok(Answer::done())
}

/// `user` is `null` for a guest. `data` is what scripts of jPulse on Node.js read.
async fn status(Asking(CurrentVisitor(visitor)): Asking) -> Outcome {
    let user = visitor.user().await;
    let data = match &user {
        Some(user) => json!({ "authenticated": true, "username": user.username, "roles": user.roles }),
        None => json!({ "authenticated": false }),
    };
    Ok(Answer::fields(json!({ "data": data, "authenticated": user.is_some(), "user": user })))
}

impl From<LogInError> for ApiError {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::Credentials => {
                Self::new(StatusCode::UNAUTHORIZED, Code::InvalidCredentials, "The name or the password is wrong.")
            }
            LogInError::Busy => {
                let error = "Too many sign in at once; please try again in a moment.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::TooManyConnections, error).retry_after(BUSY_FOR)
            }
            LogInError::TooOften(wait) => Self::rate_limited(wait),
            LogInError::Unavailable(error) => error.into(),
        }
    }
}
