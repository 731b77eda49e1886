//! How often signing in may fail before whoever tries has to wait.

use std::{net::IpAddr, time::Duration};

use app::ports::LogInError;
use tokio::sync::Semaphore;

use crate::{
    account::CheckError,
    http::network,
    throttle::{Exhausted, Quota, Scope, Throttle},
};

/// Wrong passwords from one address, and the time in which so many are forgotten.
const OF_AN_ADDRESS: (u32, Duration) = (15, Duration::from_mins(5));
/// Wrong passwords for one account, from wherever: many more, so that nobody shuts its owner out from a
/// single address.
const OF_AN_ACCOUNT: (u32, Duration) = (100, Duration::from_mins(15));
/// Attempts that are judged at once: each holds a token until it is known to be right.
const AT_ONCE: usize = 4;
/// Attempts that wait for that at most; more are refused as too many at once.
const WAITING: usize = 64;

/// Counts attempts, on all instances together while Redis is up. Right ones do not count.
pub(super) struct Attempts {
    throttle: Throttle,
    judging: Semaphore,
    waiting: Semaphore,
}

impl Attempts {
    pub(super) fn new(throttle: Throttle) -> Self {
        Self { throttle, judging: Semaphore::new(AT_ONCE), waiting: Semaphore::new(WAITING) }
    }

    /// Lets `check` say whether an attempt is right, unless too many were wrong lately.
    ///
    /// # Errors
    ///
    /// When it is wrong, comes too often, or nobody can say.
    pub(super) async fn judge<T>(
        &self,
        address: Option<IpAddr>,
        username: &str,
        check: impl Future<Output = Result<T, CheckError>>,
    ) -> Result<T, LogInError> {
        let _waiting = self.waiting.try_acquire().map_err(|_| LogInError::Busy)?;
        let _judging = self.judging.acquire().await.map_err(|_| LogInError::Busy)?;
        let address = address.map(|address| network(address).to_string());
        let account = username.to_lowercase();
        let buckets = address
            .iter()
            .map(|address| (Scope::LoginAddress, address, OF_AN_ADDRESS))
            .chain([(Scope::LoginAccount, &account, OF_AN_ACCOUNT)])
            .map(|(scope, key, (count, time))| (scope, key, Quota::per(time, count)));
        for (scope, key, quota) in buckets.clone() {
            let taken = self.throttle.take(scope, key, quota).await;
            taken.map_err(|Exhausted { wait }| LogInError::TooOften(wait))?;
        }
        let judged = check.await;
        if !matches!(judged, Err(CheckError::Wrong)) {
            for (scope, key, quota) in buckets {
                self.throttle.give_back(scope, key, quota).await;
            }
        }
        judged.map_err(|error| match error {
            CheckError::Wrong => LogInError::Credentials,
            CheckError::Busy(_) => LogInError::Busy,
            CheckError::Store(error) => LogInError::Unavailable(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn attempt(attempts: &Attempts, address: &str, name: &str, is_right: bool) -> Result<(), LogInError> {
        let answer = async { if is_right { Ok(()) } else { Err(CheckError::Wrong) } };
        attempts.judge(address.parse().ok(), name, answer).await
    }

    #[tokio::test]
    async fn wrong_passwords_make_an_address_wait_and_right_ones_do_not_count() {
        let attempts = Attempts::new(Throttle::new(None));
        for _ in 0..50 {
            assert!(attempt(&attempts, "192.0.2.1", "jane", true).await.is_ok());
        }
        for _ in 0..15 {
            assert!(matches!(attempt(&attempts, "192.0.2.1", "jane", false).await, Err(LogInError::Credentials)));
        }
        let refused = attempt(&attempts, "192.0.2.1", "joan", true).await;
        assert!(matches!(refused, Err(LogInError::TooOften(wait)) if wait <= Duration::from_secs(20)), "{refused:?}");
        assert!(attempt(&attempts, "192.0.2.2", "jane", true).await.is_ok(), "somewhere else its owner gets in");
    }

    #[tokio::test]
    async fn wrong_passwords_from_everywhere_make_an_account_wait() {
        let attempts = Attempts::new(Throttle::new(None));
        for number in 0..100 {
            let address = format!("192.0.2.{number}");
            assert!(matches!(attempt(&attempts, &address, "Jane", false).await, Err(LogInError::Credentials)));
        }
        assert!(matches!(attempt(&attempts, "198.51.100.1", "jane", true).await, Err(LogInError::TooOften(_))));
    }
}
