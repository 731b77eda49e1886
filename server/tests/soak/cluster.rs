//! Instances and the Redis they share, each reaching it through a proxy of its own.

use std::{cell::RefCell, path::PathBuf};

use tempfile::TempDir;

use super::{error::SoakError, instance::Instance, proxy::Proxy, redis::Redis};

/// All servers of one run; they end with it.
pub struct Cluster {
    /// In the order of their numbers.
    pub instances: Vec<Instance>,
    /// What stands between Redis and the instance of the same number.
    pub links: Vec<Proxy>,
    /// What joins them.
    pub redis: Redis,
    folder: RefCell<TempDir>,
}

impl Cluster {
    /// Starts so many instances.
    pub async fn start(instances: usize) -> Result<Self, SoakError> {
        let folder = TempDir::with_prefix("jpulse-soak-")?;
        let own = |number| folder.path().join(format!("instance-{number}"));
        let redis = Redis::start(folder.path().join("redis")).await?;
        let (mut servers, mut links) = (Vec::new(), Vec::new());
        for number in 0..instances {
            let link = Proxy::start(redis.address()).await?;
            servers.push(Instance::start(number, link.address(), own(number)).await?);
            links.push(link);
        }
        Ok(Self { instances: servers, links, redis, folder: RefCell::new(folder) })
    }

    /// Leaves the logs where they are when everything else ends; where that is.
    pub fn keep_logs(&self) -> PathBuf {
        let mut folder = self.folder.borrow_mut();
        folder.disable_cleanup(true);
        folder.path().to_owned()
    }
}
