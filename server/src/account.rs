//! Who may sign in: accounts, their passwords, and what becomes of sessions when they change.

pub mod command;
mod password;
mod standing;

use std::{collections::HashMap, sync::Arc};

use app::{
    account::{PersonName, User},
    ports::StoreError,
};
use thiserror::Error;
use uuid::Uuid;

use crate::{
    clock::now_milliseconds,
    store::{NewUser, Store, StoredUser, Users},
};
use password::Passwords;
use standing::Standings;

pub use password::Busy;
pub use standing::Standing;

/// The user who is there from the start; has the role of this name.
const ADMIN: &str = User::ADMIN;
/// Characters of a name at most.
const NAME_CHARS: usize = 64;
/// Bytes of a password at most: hashing takes no longer for them.
const PASSWORD_BYTES: usize = 1_024;

/// The accounts of the site.
pub struct Accounts {
    users: Arc<dyn Users>,
    passwords: Passwords,
    standings: Standings,
}

/// Why nobody was signed in.
#[derive(Debug, Error)]
pub enum CheckError {
    /// There is no such user, or the password is another.
    #[error("there is no such user, or the password is another")]
    Wrong,
    /// More sign in at once than this instance takes.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an account was not made or changed.
#[derive(Debug, Error)]
pub enum AccountError {
    /// Not a name.
    #[error("{0:?} is no user name: allowed are 1 to {NAME_CHARS} of A-Z a-z 0-9 _ . -")]
    Name(String),
    /// Not a role.
    #[error("{0:?} is no role: allowed are 1 to {NAME_CHARS} of A-Z a-z 0-9 _ . -")]
    Role(String),
    /// Not a first or last name.
    #[error("a first or last name is one line of at most {} characters", PersonName::MAX_CHARS)]
    PersonName,
    /// Not a password.
    #[error("the password is empty or has more than {PASSWORD_BYTES} bytes")]
    Password,
    /// The name is taken.
    #[error("there is a user {0:?} already: delete it first, or use --replace")]
    Taken(String),
    /// Nobody has this name.
    #[error("there is no user {0:?}")]
    Unknown(String),
    /// The password could not be hashed.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Those in this store.
    pub fn new(store: &Store) -> Self {
        let users = store.users();
        // In a store of one instance alone, sessions of others are about accounts it cannot know.
        let watched = store.is_shared().then(|| Arc::clone(&users));
        Self { users, passwords: Passwords::new(), standings: Standings::new(watched) }
    }

    /// The account, when the password is right. Takes as long when there is no such user.
    ///
    /// # Errors
    ///
    /// When it is wrong, or nobody can say.
    pub async fn check(&self, username: &str, password: &str) -> Result<StoredUser, CheckError> {
        let found = if is_name(username) { self.users.find(username).await? } else { None };
        let hash = found.as_ref().map(|user| user.password_hash.clone());
        let is_right = is_password(password) && self.passwords.is_right(hash, password).await?;
        match found {
            Some(user) if is_right => Ok(user),
            _ => Err(CheckError::Wrong),
        }
    }

    /// Makes an account.
    ///
    /// # Errors
    ///
    /// When a part is malformed, the name is taken, or the store does not answer.
    pub async fn create(&self, username: &str, password: &str, roles: &[String]) -> Result<StoredUser, AccountError> {
        self.create_named(username, PersonName::default(), password, roles).await
    }

    /// Makes an account of somebody with a first and a last name.
    ///
    /// # Errors
    ///
    /// As [`Accounts::create`].
    pub async fn create_named(
        &self,
        username: &str,
        name: PersonName,
        password: &str,
        roles: &[String],
    ) -> Result<StoredUser, AccountError> {
        check_parts(username, password, roles)?;
        if !name.is_allowed() {
            return Err(AccountError::PersonName);
        }
        let password_hash = self.passwords.hash(password).await?;
        let user = NewUser { username: username.to_owned(), name, password_hash, roles: roles.to_vec() };
        self.users.insert(user).await?.ok_or_else(|| AccountError::Taken(username.to_owned()))
    }

    /// Makes an account, or gives the one of this name another password and other roles: its sessions are
    /// over then.
    ///
    /// # Errors
    ///
    /// When a part is malformed or the store does not answer.
    pub async fn replace(&self, username: &str, password: &str, roles: &[String]) -> Result<StoredUser, AccountError> {
        self.replace_named(username, None, password, roles).await
    }

    /// The same, and a first and a last name; with `None` those it has stay.
    ///
    /// # Errors
    ///
    /// As [`Accounts::replace`].
    pub async fn replace_named(
        &self,
        username: &str,
        name: Option<PersonName>,
        password: &str,
        roles: &[String],
    ) -> Result<StoredUser, AccountError> {
        let created = self.create_named(username, name.clone().unwrap_or_default(), password, roles).await;
        let Err(AccountError::Taken(_)) = created else { return created };
        let found = self.users.find(username).await?.ok_or_else(|| AccountError::Unknown(username.to_owned()))?;
        let password_hash = self.passwords.hash(password).await?;
        let name = name.unwrap_or_else(|| found.name.clone());
        let sessions_from = now_milliseconds();
        let changed = StoredUser { password_hash, name, roles: roles.to_vec(), sessions_from, ..found };
        self.users.replace(&changed).await?;
        Ok(changed)
    }

    /// Makes sure that there is a user `admin` with this password and the role `admin`. Nothing changes,
    /// and nobody is signed out, when that is so already.
    ///
    /// # Errors
    ///
    /// When the password is malformed or the store does not answer.
    pub async fn set_admin(&self, password: &str) -> Result<(), AccountError> {
        match self.users.find(ADMIN).await? {
            Some(user) if user.roles.iter().any(|role| role == ADMIN) => {
                if self.passwords.is_right(Some(user.password_hash), password).await? {
                    return Ok(());
                }
                self.replace(ADMIN, password, &user.roles).await.map(drop)
            }
            _ => self.replace(ADMIN, password, &[ADMIN.to_owned()]).await.map(drop),
        }
    }

    /// Makes a user `admin` with a random password where there is no user at all; the password.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn first_admin(&self) -> Result<Option<String>, AccountError> {
        if !self.users.list().await?.is_empty() {
            return Ok(None);
        }
        let password = Uuid::new_v4().simple().to_string();
        match self.create(ADMIN, &password, &[ADMIN.to_owned()]).await {
            Ok(_) => Ok(Some(password)),
            Err(AccountError::Taken(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All accounts, by name.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn list(&self) -> Result<Vec<StoredUser>, StoreError> {
        self.users.list().await
    }

    /// Removes an account.
    ///
    /// # Errors
    ///
    /// When there is none of this name, or the store does not answer.
    pub async fn delete(&self, username: &str) -> Result<StoredUser, AccountError> {
        self.users.remove(username).await?.ok_or_else(|| AccountError::Unknown(username.to_owned()))
    }

    /// What is known of a user now, at most two seconds late.
    pub async fn standing(&self, user_id: &str) -> Standing {
        let id = user_id.to_owned();
        self.standings(std::slice::from_ref(&id)).await.remove(&id).unwrap_or(Standing::Unknown)
    }

    /// The same of several users with one question; those nobody knows anything of are left out.
    pub async fn standings(&self, user_ids: &[String]) -> HashMap<String, Standing> {
        self.standings.of(user_ids).await
    }
}

fn check_parts(username: &str, password: &str, roles: &[String]) -> Result<(), AccountError> {
    if !is_name(username) {
        return Err(AccountError::Name(username.to_owned()));
    }
    if let Some(role) = roles.iter().find(|role| !is_name(role)) {
        return Err(AccountError::Role(role.clone()));
    }
    if is_password(password) { Ok(()) } else { Err(AccountError::Password) }
}

/// No `@`: a name stands in everybody's messages, an address must not.
fn is_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=NAME_CHARS).contains(&text.len()) && text.bytes().all(is_allowed)
}

fn is_password(text: &str) -> bool {
    (1..=PASSWORD_BYTES).contains(&text.len())
}
