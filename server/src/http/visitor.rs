//! Who asks: extractors for routes that are for some visitors only.
//!
//! ```
//! use axum::{Router, routing::get};
//! use serde_json::json;
//! use server::http::{answer::Answer, visitor::{Admin, SignedIn}};
//!
//! let routes: Router = Router::new()
//!     // 401 for a guest.
//!     .route("/api/1/mine", get(async |SignedIn(user): SignedIn| Answer::data(json!({ "name": user.username }))))
//!     // 401 for a guest, 403 for a user without the role `admin`.
//!     .route("/api/1/ours", get(async |_: Admin| Answer::done()));
//! ```

use app::{account::User, ports::CurrentVisitor};
use axum::extract::FromRequestParts;
use http::{StatusCode, request::Parts};
use wire::Code;

use super::answer::ApiError;

/// The user who asks, if one is signed in.
#[derive(Clone, Debug)]
pub struct CurrentUser(pub Option<User>);

/// The user who asks; a guest is refused with 401 `AUTHENTICATION_REQUIRED`.
#[derive(Clone, Debug)]
pub struct SignedIn(pub User);

/// The user with the role `admin` who asks; others are refused with 403 `UNAUTHORIZED`, guests with 401.
#[derive(Clone, Debug)]
pub struct Admin(pub User);

/// What a visitor may do about their session.
#[derive(Clone)]
pub struct Asking(pub CurrentVisitor);

impl<S: Sync> FromRequestParts<S> for Asking {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<CurrentVisitor>().cloned().map(Self).ok_or_else(|| {
            tracing::error!("a route asks for its visitor, but stands before the door");
            ApiError::internal()
        })
    }
}

impl<S: Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Asking(CurrentVisitor(visitor)) = Asking::from_request_parts(parts, state).await?;
        Ok(Self(visitor.user().await))
    }
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let CurrentUser(user) = CurrentUser::from_request_parts(parts, state).await?;
        user.map(Self).ok_or_else(|| {
            ApiError::new(StatusCode::UNAUTHORIZED, Code::AuthenticationRequired, "Please sign in first.")
        })
    }
}

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let SignedIn(user) = SignedIn::from_request_parts(parts, state).await?;
        if user.is_admin() {
            return Ok(Self(user));
        }
        Err(ApiError::new(StatusCode::FORBIDDEN, Code::Unauthorized, "This is for administrators."))
    }
}
