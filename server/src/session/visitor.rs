//! Who asks, and what they may do about it: sign in, sign out, see and end their sessions.

use std::{net::IpAddr, sync::Arc};

use app::{
    account::{SessionEntry, User},
    ports::{LogInError, StoreError, Visitor},
};
use async_trait::async_trait;
use http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use tower_sessions::Session;

use super::{Door, Facts, Sessions, attempts::Attempts, facts::FACTS};
use crate::{
    account::{Accounts, Standing},
    clock::{now_milliseconds, rfc3339},
    relay::Owner,
};

/// Characters kept of what a browser calls itself.
const BROWSER_CHARS: usize = 80;
/// How often a session's last use is written down at most, in milliseconds; more often where sessions are short.
const NOTED_EVERY: u64 = 60_000;
/// Parts of a session's life in which its use is written down at least once.
const NOTED_PARTS: u64 = 4;

/// The visitor behind one request.
pub struct RequestVisitor {
    session: Session,
    sessions: Sessions,
    accounts: Arc<Accounts>,
    attempts: Arc<Attempts>,
    address: Option<IpAddr>,
    browser: String,
    facts: OnceCell<Option<Facts>>,
}

impl RequestVisitor {
    pub(super) fn new(door: &Door, session: Session, headers: &HeaderMap, address: Option<IpAddr>) -> Self {
        let browser = headers.get(header::USER_AGENT).and_then(|name| name.to_str().ok()).unwrap_or_default();
        Self {
            session,
            sessions: door.sessions.clone(),
            accounts: Arc::clone(&door.accounts),
            attempts: Arc::clone(&door.attempts),
            address,
            browser: browser.chars().take(BROWSER_CHARS).collect(),
            facts: OnceCell::new(),
        }
    }

    /// Whose socket one that is opened now is; `None` for a guest. It lives as long as the session does.
    pub async fn owner(&self) -> Option<Owner> {
        let Facts { user, since, .. } = self.facts().await?;
        let session = self.session.id()?.to_string().into();
        Some(Owner { session, user_id: user.id, username: user.username, name: user.name, roles: user.roles, since })
    }

    async fn facts(&self) -> Option<Facts> {
        self.facts.get_or_init(|| self.recognise()).await.clone()
    }

    /// Whom the session belongs to, as the account is now.
    async fn recognise(&self) -> Option<Facts> {
        self.session.id()?;
        let mut facts = match self.session.get::<Facts>(FACTS).await {
            Ok(facts) => facts?,
            Err(error) => {
                tracing::debug!(%error, "a session cannot be looked up: its browser is treated as a guest's");
                return None;
            }
        };
        match self.accounts.standing(&facts.user.id).await {
            Standing::Known { roles, sessions_from } if facts.since >= sessions_from => facts.user.roles = roles,
            Standing::Unknown => {}
            Standing::Known { .. } | Standing::Gone => {
                self.leave().await;
                return None;
            }
        }
        self.note_use(facts.clone()).await;
        Some(facts)
    }

    /// Writes down that the session is used, now and then, which also gives the browser a fresh cookie.
    async fn note_use(&self, facts: Facts) {
        let life = u64::try_from(self.sessions.life().as_millis()).unwrap_or(u64::MAX);
        let now = now_milliseconds();
        // A use that lies ahead was noted before the clock was stepped back.
        if now.abs_diff(facts.used) < NOTED_EVERY.min(life / NOTED_PARTS) {
            return;
        }
        if let Err(error) = self.session.insert(FACTS, Facts { used: now, ..facts }).await {
            tracing::debug!(%error, "the use of a session is not noted");
        }
    }

    /// The browser loses its cookie, and the session ends if it has not yet.
    async fn leave(&self) {
        if let Err(error) = self.session.flush().await {
            tracing::warn!(%error, "a session was not ended");
        }
    }
}

#[async_trait]
impl Visitor for RequestVisitor {
    async fn user(&self) -> Option<User> {
        self.facts().await.map(|facts| facts.user)
    }

    async fn log_in(&self, username: &str, password: &str) -> Result<User, LogInError> {
        let check = self.accounts.check(username, password);
        let account = self.attempts.judge(self.address, username, check).await?;
        let sessions_from = account.sessions_from;
        let user = User { id: account.id, username: account.username, roles: account.roles, name: account.name };
        // Whoever knew this browser's session before does not know the one it gets now.
        if self.session.id().is_some() {
            self.leave().await;
        }
        // Never before the account's last change: the clock may have been stepped back since.
        let since = self.sessions.fresh_moment(&user.id).await.max(sessions_from);
        let facts = Facts { user: user.clone(), since, used: now_milliseconds(), browser: self.browser.clone() };
        // Kept, under a new name, with the answer.
        let inserted = self.session.insert(FACTS, facts).await;
        inserted.map_err(|error| LogInError::Unavailable(StoreError::Unavailable(Box::new(error))))?;
        Ok(user)
    }

    async fn log_out(&self) {
        if self.session.id().is_some() {
            self.leave().await;
        }
    }

    async fn log_out_everywhere(&self) {
        if let Some(user) = self.user().await {
            self.sessions.end_all(&user.id).await;
            self.leave().await;
        }
    }

    async fn sessions(&self) -> Vec<SessionEntry> {
        let Some(Owner { session: own, user_id, .. }) = self.owner().await else { return Vec::new() };
        let all = self.sessions.of_user(&user_id).await;
        all.into_iter()
            .map(|(id, facts)| SessionEntry {
                handle: handle(&id),
                browser: facts.browser,
                since: rfc3339(facts.since),
                used: rfc3339(facts.used),
                is_current: *id == *own,
            })
            .collect()
    }

    async fn end_session(&self, handle_of_it: &str) -> bool {
        let Some(Owner { session: own, user_id, .. }) = self.owner().await else { return false };
        let all = self.sessions.of_user(&user_id).await;
        let Some((id, _)) = all.into_iter().find(|(id, _)| handle(id) == handle_of_it) else { return false };
        if *id == *own {
            self.leave().await;
        } else {
            self.sessions.end(&id).await;
        }
        true
    }
}

/// What stands for a session in a page: its name there would be the cookie, but for the signature.
fn handle(id: &str) -> String {
    Sha256::digest(id).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
