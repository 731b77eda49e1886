//! Breaking things on purpose: [`app::ports::Faults`], for developers on their own machine.

use std::{net::IpAddr, sync::Arc, time::Duration};

use app::{
    fault::{CUT_SECONDS, Fault, PAUSE_SECONDS},
    ports::{CallbackOptions, Cluster, FaultError, Faults, Observatory, Publisher},
};
use async_trait::async_trait;
use rustix::process::{Signal, getpid, kill_process};
use serde_json::{Value, json};
use wire::{Channel, Pattern};

use crate::{bus::RedisBus, config::Mode};

/// Where an instance is told that it is to be killed.
const KILLED: &str = "controller:system:instance:killed";

/// What may be broken.
pub struct FaultPort {
    bus: Option<Arc<RedisBus>>,
    cluster: Arc<dyn Cluster>,
    observatory: Arc<dyn Observatory>,
}

impl FaultPort {
    /// For a site in development that only its own machine reaches; `None` for all others. From now on other
    /// such instances may kill this one.
    pub fn start(
        mode: Mode,
        address: Option<IpAddr>,
        bus: Option<Arc<RedisBus>>,
        cluster: Arc<dyn Cluster>,
        observatory: Arc<dyn Observatory>,
    ) -> Option<Arc<dyn Faults>> {
        if mode != Mode::Dev || !address.is_some_and(|address| address.is_loopback()) {
            return None;
        }
        // Weak: the cluster keeps the callback.
        let named = Arc::downgrade(&cluster);
        cluster.register_broadcast_callback(
            Pattern::from(&killed()),
            CallbackOptions::default(),
            Box::new(move |message| {
                let Some(own) = named.upgrade().map(|cluster| cluster.status().instance_id) else { return };
                if message.data.get("instanceId").and_then(Value::as_str) == Some(&*own) {
                    tracing::warn!("killed on purpose by another instance");
                    // It does not return when it succeeds.
                    if let Err(error) = kill_process(getpid(), Signal::KILL) {
                        tracing::error!(%error, "cannot end this process");
                    }
                }
            }),
        );
        Some(Arc::new(Self { bus, cluster, observatory }))
    }

    async fn kill_other(&self) -> Result<(), FaultError> {
        let own = self.cluster.status().instance_id;
        let instances = self.observatory.cluster().await.instances;
        let other = instances
            .into_iter()
            .filter(|instance| instance.id != *own && instance.status == "online")
            // One that was killed is listed for a while: the one that runs is younger.
            .min_by_key(|instance| instance.uptime_seconds)
            .ok_or(FaultError::NobodyElse)?;
        let Value::Object(payload) = json!({ "instanceId": other.id }) else { return Err(FaultError::NobodyElse) };
        let told = self.cluster.publish_broadcast(&killed(), payload, Publisher::default()).await;
        told.map(drop).map_err(|_| FaultError::NobodyElse)
    }
}

#[async_trait]
impl Faults for FaultPort {
    async fn cause(&self, fault: Fault) -> Result<(), FaultError> {
        let redis = self.bus.as_ref().ok_or(FaultError::NoRedis);
        tracing::warn!(?fault, "broken on purpose");
        match fault {
            Fault::CutRedis => redis?.cut(Duration::from_secs(CUT_SECONDS)),
            Fault::PauseRedis => {
                redis?.pause(Duration::from_secs(PAUSE_SECONDS)).await.map_err(|_| FaultError::NoRedis)?;
            }
            Fault::KillOther => self.kill_other().await?,
        }
        Ok(())
    }
}

fn killed() -> Channel {
    Channel::parse(KILLED).expect("well-formed")
}
