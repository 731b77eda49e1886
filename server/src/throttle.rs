//! How much one address, user or account may do in a while: token buckets, on all instances together
//! while Redis is up, on each alone while it is not.
//!
//! Every instance keeps buckets of its own ([`local`]). They decide alone as long as little is taken; what
//! was taken is reported to the buckets all instances share in parts of at most a sixteenth of a burst, and a
//! report that finds the shared bucket empty is refused. So most requests wait for nobody, a strict quota
//! of a few tokens is exact, and a generous one is exceeded by a sixteenth an instance at most.

mod local;

use std::{
    fmt::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::time::timeout;

pub use crate::bus::{Buckets, Quota, Taken};
use local::{Local, Spent};

/// How long a request waits for the shared buckets before its instance decides alone.
const SHARED_WITHIN: Duration = Duration::from_millis(100);
/// How long nobody asks them again when they were too slow: one request in this time waits in vain.
const REST: Duration = Duration::from_secs(1);
/// Parts of a burst in which an instance reports what was taken.
const REPORTS_A_BURST: u32 = 16;
/// Bytes of a key that count: longer ones with the same beginning share a bucket.
const KEY_BYTES: usize = 64;

/// What is counted. Each has buckets of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Changing requests of one address.
    Address,
    /// What one signed-in user does.
    User,
    /// Attempts to sign in from one address.
    LoginAddress,
    /// Attempts to sign in to one account, from wherever.
    LoginAccount,
    /// Mottos that visitors write.
    Motto,
}

impl Scope {
    /// As it stands in the name of a bucket.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::User => "user",
            Self::LoginAddress => "login-address",
            Self::LoginAccount => "login-account",
            Self::Motto => "motto",
        }
    }
}

/// The bucket is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted {
    /// When it holds a token again.
    pub wait: Duration,
}

/// The buckets. Cheap to clone.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(async {
/// use std::time::Duration;
/// use server::throttle::{Quota, Scope, Throttle};
///
/// let throttle = Throttle::new(None);
/// let quota = Quota::per(Duration::from_mins(5), 2);
/// // Taken before a password is checked, so that attempts made at once count as well.
/// assert!(throttle.take(Scope::LoginAccount, "jane", quota).await.is_ok());
/// // It was right: that does not count.
/// throttle.give_back(Scope::LoginAccount, "jane", quota).await;
/// assert!(throttle.take(Scope::LoginAccount, "jane", quota).await.is_ok());
/// assert!(throttle.take(Scope::LoginAccount, "jane", quota).await.is_ok());
/// assert!(throttle.take(Scope::LoginAccount, "jane", quota).await.is_err());
/// # });
/// ```
#[derive(Clone)]
pub struct Throttle {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Option<Arc<dyn Buckets>>,
    local: Mutex<Local>,
    /// The shared buckets were too slow: nobody asks them before.
    rests_until: Mutex<Option<Instant>>,
}

impl Throttle {
    /// With buckets that all instances share, where there are any.
    pub fn new(shared: Option<Arc<dyn Buckets>>) -> Self {
        let inner = Inner { shared, local: Mutex::new(Local::new(Instant::now())), rests_until: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Takes a token from the bucket of `key`. One scope goes with one quota.
    ///
    /// Waits for Redis seldom, and never for long; without it the buckets of this instance decide.
    ///
    /// # Errors
    ///
    /// When the bucket is empty: the caller answers 429.
    pub async fn take(&self, scope: Scope, key: &str, quota: Quota) -> Result<(), Exhausted> {
        let bucket = bucket(scope, key);
        let reported_at = (quota.burst / REPORTS_A_BURST).max(1);
        let owed = match self.local().spend(&bucket, quota, reported_at, Instant::now()) {
            Spent::Quietly => return Ok(()),
            Spent::Owed(tokens) => tokens,
            Spent::Nothing(wait) => return Err(Exhausted { wait }),
        };
        match self.ask(&bucket, quota, owed.into()).await {
            Some(Taken::All) => Ok(()),
            Some(Taken::Short(wait)) => {
                // No bucket takes longer to be full, whatever became of the clock of Redis.
                let wait = wait.min(quota.refill());
                self.local().refuse(&bucket, Instant::now() + wait);
                Err(Exhausted { wait })
            }
            None => {
                self.local().owe(&bucket, owed, quota);
                Ok(())
            }
        }
    }

    /// Undoes one [`Throttle::take`]: what was attempted turned out to be nothing to limit.
    pub async fn give_back(&self, scope: Scope, key: &str, quota: Quota) {
        let bucket = bucket(scope, key);
        if self.local().refund(&bucket, quota, Instant::now()) {
            // Lost, it grows back in time.
            let _ = self.ask(&bucket, quota, -1).await;
        }
    }

    /// What the shared buckets say; `None` when there are none, or none that answer soon.
    async fn ask(&self, bucket: &str, quota: Quota, tokens: i64) -> Option<Taken> {
        let shared = self.inner.shared.as_ref()?;
        if self.rests_until().is_some_and(|until| Instant::now() < until) {
            return None;
        }
        match timeout(SHARED_WITHIN, shared.take(bucket, quota, tokens)).await {
            Ok(Ok(taken)) => Some(taken),
            Ok(Err(error)) => {
                tracing::debug!(%error, "the shared limits are not reached: this instance's own hold");
                None
            }
            Err(_) => {
                tracing::debug!("the shared limits are slow: this instance's own hold");
                *self.rests_until() = Some(Instant::now() + REST);
                None
            }
        }
    }

    fn local(&self) -> MutexGuard<'_, Local> {
        self.inner.local.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rests_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.inner.rests_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a bucket; whatever stands in `key`, it holds no white space and no braces.
fn bucket(scope: Scope, key: &str) -> String {
    let mut name = format!("{}:", scope.as_str());
    for byte in key.bytes().take(KEY_BYTES) {
        if byte.is_ascii_alphanumeric() || b".:_-@/".contains(&byte) {
            name.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(name, "%{byte:02x}");
        }
    }
    name
}

#[cfg(test)]
mod tests;
