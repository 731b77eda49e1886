//! Passwords as argon2id hashes, on blocking threads, as many at once as there are processors.

use std::{sync::Arc, thread::available_parallelism};

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};
use thiserror::Error;
use tokio::{sync::Semaphore, task};
use uuid::Uuid;

/// Passwords that wait for a processor at most; more are refused at once.
const WAITING: usize = 64;
/// A hash as made here that no password has: what a stranger's name is compared with. The parameters are
/// argon2's defaults, 19 MiB and 2 passes.
///
/// Source: OWASP Password Storage Cheat Sheet, argon2id.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGF0IGFsbC4$Tm9ib2R5IGhhcyBhIHBhc3N3b3JkIHRoYXQgZml0cyE";

/// Hashes and compares, within bounds.
pub(super) struct Passwords {
    working: Arc<Semaphore>,
    waiting: Semaphore,
}

/// More passwords are compared at once than this instance takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("too many sign in at once; please try again in a moment")]
pub struct Busy;

impl Passwords {
    pub(super) fn new() -> Self {
        let at_once = available_parallelism().map_or(1, usize::from);
        Self { working: Arc::new(Semaphore::new(at_once)), waiting: Semaphore::new(WAITING) }
    }

    pub(super) async fn hash(&self, password: &str) -> Result<String, Busy> {
        let password = password.to_owned();
        self.work(move || {
            let salt = SaltString::encode_b64(Uuid::new_v4().as_bytes()).ok()?;
            Some(Argon2::default().hash_password(password.as_bytes(), &salt).ok()?.to_string())
        })
        .await?
        .ok_or(Busy)
    }

    /// Whether it is the password of this hash; without one it never is, and takes as long.
    pub(super) async fn is_right(&self, hash: Option<String>, password: &str) -> Result<bool, Busy> {
        let password = password.to_owned();
        self.work(move || {
            let is_known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
            let is_right = PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
            is_right && is_known
        })
        .await
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let _waiting = self.waiting.try_acquire().map_err(|_| Busy)?;
        let working = Arc::clone(&self.working).acquire_owned().await.map_err(|_| Busy)?;
        let done = task::spawn_blocking(move || {
            let done = work();
            // Held by the work, not by whoever waits for it: one who leaves makes no room.
            drop(working);
            done
        });
        done.await.map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert_ne!(hash, passwords.hash("correct horse").await.unwrap(), "salted");
        assert_eq!(passwords.is_right(Some(hash.clone()), "correct horse").await, Ok(true));
        assert_eq!(passwords.is_right(Some(hash), "battery staple").await, Ok(false));
        assert_eq!(passwords.is_right(Some("not a hash".into()), "x").await, Ok(false));
    }

    #[tokio::test]
    async fn nobody_has_a_hash_that_costs_what_others_cost() {
        let passwords = Passwords::new();
        let real = passwords.hash("x").await.unwrap();
        let parameters = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parameters(NOBODY), parameters(&real));
        let (nobody, real) = (PasswordHash::new(NOBODY).unwrap(), PasswordHash::new(&real).unwrap());
        assert_eq!(nobody.hash.unwrap().len(), real.hash.unwrap().len());
        assert_eq!(passwords.is_right(None, "x").await, Ok(false));
    }
}
