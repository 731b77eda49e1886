//! What the account's page asks the server for.

use leptos::{server, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::{
    account::{SessionEntry, User},
    cluster::ClusterClient,
    error::Problem,
};

/// An account as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Who.
    pub user: User,
    /// Where, the one used last first.
    pub sessions: Vec<SessionEntry>,
}

/// The account of whoever is signed in; `None` for a guest.
///
/// # Errors
///
/// When the server cannot be reached.
#[server(prefix = "/fn", endpoint = "account", input = GetUrl, client = ClusterClient)]
pub async fn read_account() -> Result<Option<AccountView>, Problem> {
    let visitor = crate::pages::request::visitor()?;
    let Some(user) = visitor.user().await else { return Ok(None) };
    Ok(Some(AccountView { user, sessions: visitor.sessions().await }))
}

/// Ends one of the user's sessions.
///
/// # Errors
///
/// When nobody is signed in, or there is no such session.
#[server(prefix = "/fn", endpoint = "session-end", client = ClusterClient)]
pub async fn end_session(
    /// Of the session.
    handle: String,
) -> Result<(), Problem> {
    use crate::{
        components::notice::Notice,
        pages::{address, request},
    };

    let visitor = request::visitor()?;
    let ended = if visitor.user().await.is_some() {
        // Gone already is what was asked for.
        visitor.end_session(&handle).await;
        Ok(())
    } else {
        Err(Problem::SignedOut)
    };
    request::finish(ended, Notice::SessionEnded, address::ACCOUNT)
}
