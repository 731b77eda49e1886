//! An instance of this test's own, in this process.

use std::{net::SocketAddr, path::PathBuf};

use app::ports::Ports;
use server::{Instance, config::Config, config_cache::ConfigCache, endpoint::Endpoints, metrics::Metrics};
use tokio::{sync::oneshot, task::JoinHandle};

use super::browser::Browser;

/// Stopped gracefully by [`Running::stop`], with its tasks when the test ends.
pub struct Running {
    pub address: SocketAddr,
    pub id: String,
    pub ports: Ports,
    pub metrics: Metrics,
    pub config_cache: ConfigCache,
    pub endpoints: Endpoints,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
    folder: tempfile::TempDir,
}

impl Running {
    /// Starts one on a free port, with an embedded store and an empty site.
    pub async fn start(mut config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        config.server.port = 0;
        config.server.data_dir = folder.path().join("data");
        config.server.site_root = folder.path().join("site");
        std::fs::create_dir(&config.server.site_root).unwrap();
        let instance = Instance::bind(config).await.unwrap();
        let endpoints = instance.endpoints().clone();
        let (address, id, ports) = (instance.address().unwrap(), instance.id().to_owned(), instance.ports().clone());
        let (metrics, config_cache) = (instance.metrics().clone(), instance.config_cache().clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(instance.run_until(async {
            // A dropped sender stops it too.
            let _ = stopped.await;
        }));
        Self { address, id, ports, metrics, config_cache, endpoints, stop: Some(stop), serving, folder }
    }

    /// A browser's socket on the relay.
    pub async fn open_browser(&self) -> Browser {
        Browser::open(self.address, &format!("tab-{}", uuid::Uuid::new_v4())).await
    }

    /// Where the files of its site are.
    pub fn site_root(&self) -> PathBuf {
        self.folder.path().join("site")
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// As SIGTERM does.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        (&mut self.serving).await.unwrap();
    }
}
