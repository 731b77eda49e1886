//! Token buckets in Redis: one key each, gone when the bucket is full again.

use std::time::Duration;

use async_trait::async_trait;
use fred::{
    prelude::{LuaInterface, Value},
    types::scripts::Script,
};

use super::{
    super::{
        BusError,
        buckets::{Buckets, Quota, Taken},
    },
    RedisBus,
};

/// The script that takes tokens.
pub(super) fn script() -> Script {
    Script::from_lua(include_str!("take.lua"))
}

#[async_trait]
impl Buckets for RedisBus {
    async fn take(&self, bucket: &str, quota: Quota, tokens: i64) -> Result<Taken, BusError> {
        let shared = &self.shared;
        let key = format!("{}throttle:{bucket}", shared.prefix);
        let connection = shared.connection_for(&key)?;
        let client = connection.commands();
        let every = i64::try_from(quota.every.as_micros()).unwrap_or(i64::MAX).max(1);
        let values: Vec<Value> = vec![every.into(), i64::from(quota.burst).into(), tokens.into()];
        let asked: Result<Value, _> =
            client.evalsha(shared.take.sha1().clone(), vec![key.clone()], values.clone()).await;
        let answer = match asked {
            Err(error) if error.details().starts_with("NOSCRIPT") => {
                client.eval(shared.take.lua().cloned().unwrap_or_default(), vec![key], values).await?
            }
            answered => answered?,
        };
        match answer.as_u64().ok_or(BusError::Unreadable)? {
            0 => Ok(Taken::All),
            microseconds => Ok(Taken::Short(Duration::from_micros(microseconds))),
        }
    }
}
