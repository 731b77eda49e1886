//! A Redis that answers and is not well: full, read-only, evicting, or holding a key that is not what it should be.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::sleep;

use super::{error::SoakError, redis::Redis};

/// How far a clock steps back.
const STEP: Duration = Duration::from_mins(5);

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impairment {
    /// It takes no writes for want of memory.
    Full,
    /// It was made a replica of a server that is not there.
    ReadOnly,
    /// It drops keys that were not used lately, whatever they are.
    Evicting,
    /// The log of a channel holds something else.
    WrongType { channel: usize },
    /// Its clock was ahead: every bucket in use is full again in five minutes, as the keys say.
    ClockStep,
}

impl Impairment {
    /// For the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "redis full",
            Self::ReadOnly => "redis read-only",
            Self::Evicting => "redis evicting",
            Self::WrongType { .. } => "channel refused",
            Self::ClockStep => "clock stepped back",
        }
    }

    /// Makes Redis ill for a while. One that is killed by another fault is well when it comes back.
    ///
    /// # Errors
    ///
    /// When a channel cannot be mended.
    pub async fn last(self, redis: &Redis, channels: &[String], lasts: Duration) -> Result<(), SoakError> {
        match self {
            Self::Full => {
                redis.command("CONFIG SET maxmemory 1").await?;
                sleep(lasts).await;
                redis.command("CONFIG SET maxmemory 0").await?;
            }
            Self::ReadOnly => {
                redis.command("REPLICAOF 127.0.0.1 1").await?;
                sleep(lasts).await;
                redis.command("REPLICAOF NO ONE").await?;
            }
            Self::Evicting => {
                redis.command("CONFIG SET maxmemory-policy allkeys-lru").await?;
                // Less than an empty one takes is refused; a little more than that makes it drop what it holds.
                redis.command("CONFIG SET maxmemory 1500000").await?;
                sleep(lasts).await;
                redis.command("CONFIG SET maxmemory 0").await?;
                redis.command("CONFIG SET maxmemory-policy noeviction").await?;
            }
            Self::WrongType { channel } => {
                let log = format!("jpulse:dev:log:{{{}}}", channels[channel]);
                redis.command(&format!("RENAME {log} soak:aside")).await?;
                redis.command(&format!("SET {log} junk")).await?;
                sleep(lasts).await;
                redis.command(&format!("DEL {log}")).await?;
                redis.command(&format!("RENAME soak:aside {log}")).await?;
            }
            Self::ClockStep => {
                let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let full_at = (since_1970 + STEP).as_micros();
                let buckets = redis.command("KEYS jpulse:dev:throttle:*").await?;
                for bucket in buckets.lines().filter(|line| line.starts_with("jpulse:")) {
                    redis.command(&format!("SET {bucket} {full_at} PX {}", STEP.as_millis())).await?;
                }
            }
        }
        Ok(())
    }
}
