//! The visitor behind a request.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use thiserror::Error;

use super::StoreError;
use crate::account::{SessionEntry, User};

/// The visitor behind the current request, found among the request's extensions.
#[derive(Clone)]
pub struct CurrentVisitor(pub Arc<dyn Visitor>);

/// Who is signed in, found among the extensions of a request for a page: the head of every page says it,
/// and needs not wait for it.
#[derive(Clone, Debug, Default)]
pub struct KnownUser(pub Option<User>);

/// Who asks, and what they may do about it. Cookies are set and removed with the answer.
#[async_trait]
pub trait Visitor: Send + Sync + 'static {
    /// Who is signed in; `None` for a guest. Looked up once a request.
    async fn user(&self) -> Option<User>;
    /// Signs in, with a new session.
    async fn log_in(&self, username: &str, password: &str) -> Result<User, LogInError>;
    /// Ends this session everywhere.
    async fn log_out(&self);
    /// Ends every session of the user, this one too.
    async fn log_out_everywhere(&self);
    /// The user's sessions, those used last first.
    async fn sessions(&self) -> Vec<SessionEntry>;
    /// Ends one of them; whether there was such a one.
    async fn end_session(&self, handle: &str) -> bool;
}

/// Why nobody was signed in.
#[derive(Debug, Error)]
pub enum LogInError {
    /// There is no such user, or the password is another: nobody learns which.
    #[error("the name or the password is wrong")]
    Credentials,
    /// More sign in at once than the instance takes.
    #[error("too many sign in at once")]
    Busy,
    /// Too many attempts were wrong lately; when the next one is allowed.
    #[error("too many wrong attempts")]
    TooOften(Duration),
    /// The accounts cannot be looked up just now.
    #[error(transparent)]
    Unavailable(StoreError),
}
