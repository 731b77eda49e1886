//! One instance, or two with a Redis between them.

use std::time::Duration;

use crate::{error::LoadError, instance::Instance, redis::Redis};

/// How many instances share the load.
#[derive(Clone, Copy)]
pub enum Setting {
    /// One, everything embedded.
    Alone,
    /// Two, linked by a Redis.
    Two,
}

/// The servers of one measurement; all end with this value.
pub struct Servers {
    /// One or two.
    pub instances: Vec<Instance>,
    /// What links them.
    pub redis: Option<Redis>,
}

/// Processor time used so far.
#[derive(Clone, Copy)]
pub struct CpuTime {
    /// By all instances.
    pub instances: Duration,
    /// By Redis.
    pub redis: Duration,
}

impl Setting {
    /// How the report calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alone => "1 instance",
            Self::Two => "2 instances, Redis",
        }
    }

    /// Starts the servers.
    pub async fn start(self) -> Result<Servers, LoadError> {
        match self {
            Self::Alone => Ok(Servers { instances: vec![Instance::start(0, None).await?], redis: None }),
            Self::Two => {
                let redis = Redis::start().await?;
                let instances =
                    vec![Instance::start(0, Some(redis.port)).await?, Instance::start(1, Some(redis.port)).await?];
                Ok(Servers { instances, redis: Some(redis) })
            }
        }
    }
}

impl Servers {
    /// The instance that number `number` of many clients connects to.
    pub fn instance_for(&self, number: usize) -> &Instance {
        &self.instances[number % self.instances.len()]
    }

    /// What all of them have used so far.
    pub fn cpu_time(&self) -> Result<CpuTime, LoadError> {
        let mut instances = Duration::ZERO;
        for instance in &self.instances {
            instances += instance.process.cpu_time()?;
        }
        let redis = self.redis.as_ref().map_or(Ok(Duration::ZERO), |redis| redis.process.cpu_time())?;
        Ok(CpuTime { instances, redis })
    }
}

impl std::ops::Sub for CpuTime {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            instances: self.instances.saturating_sub(earlier.instances),
            redis: self.redis.saturating_sub(earlier.redis),
        }
    }
}
