//! What an instance says of itself: the value of `health:instance:{id}`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{custom::Measured, namespaces::Namespace, site::Site};

/// One instance at one moment. Fields that another kind of instance does not write are empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Record {
    /// The claimed name of the instance.
    pub instance_id: String,
    /// What tells its host apart: the number at the end of the host's name.
    pub server_id: String,
    /// When it was written, in milliseconds since 1970.
    pub timestamp: u64,
    /// Whole seconds since the start.
    pub uptime: u64,
    /// Of the process, in bytes.
    pub memory: Memory,
    /// Of the process and its host.
    pub cpu: Cpu,
    /// What is open now.
    pub connections: Connections,
    /// The host.
    pub server: Server,
    /// The process.
    pub process: Process,
    /// WebSocket endpoints.
    pub namespaces: Vec<Namespace>,
    /// Broadcasts.
    pub traffic: Traffic,
    /// What is measured once for all instances.
    pub site: Site,
    /// What components measure.
    pub custom: BTreeMap<String, Measured>,
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// In use.
    pub used: u64,
    /// Reserved.
    pub total: u64,
    /// In the machine's memory.
    pub rss: u64,
}

/// Processor time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cpu {
    /// Microseconds in the program itself, since its start.
    pub user: u64,
    /// Microseconds in the system for it.
    pub system: u64,
    /// Per cent of one processor, lately.
    pub percent: f64,
    /// Of the host, over 1, 5 and 15 minutes.
    pub load_avg: [f64; 3],
}

/// What is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Connections {
    /// WebSockets and event streams.
    pub websocket: u64,
    /// Requests being answered.
    pub http: u64,
}

/// The host of an instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// `linux`, …
    pub platform: String,
    /// `x64`, `arm64`, …
    pub arch: String,
    /// How many processors.
    pub cpus: u64,
    /// Bytes that programs could still have.
    pub free_memory: u64,
    /// Bytes in all.
    pub total_memory: u64,
    /// What its instances know of their MongoDB.
    pub mongodb: Value,
}

/// The process of an instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Process {
    /// Its number on the host.
    pub pid: u32,
    /// Its parent's.
    pub ppid: u32,
    /// `online`, or `stopping`.
    pub status: String,
    /// Of the program.
    pub version: String,
    /// What was released as.
    pub release: String,
    /// `dev` or `prod`.
    pub environment: String,
    /// Where it listens.
    pub port: u16,
    /// How often the instance was started again because a process of it ended or grew too large.
    pub restarts: u64,
    /// `embedded` or `mongodb`.
    pub store: String,
    /// Whether the store answered.
    pub is_store_well: bool,
    /// The name of the database, when it has one.
    pub database: String,
    /// `local`, `up` or `down`.
    pub link: String,
    /// Why it is down, in the word of [`OutageCause::as_str`]; else empty.
    ///
    /// [`OutageCause::as_str`]: crate::bus::OutageCause::as_str
    pub outage: String,
    /// How long Redis took to answer, in microseconds; 0 while there is none.
    pub redis_micros: u64,
}

/// Broadcasts since the start, and what waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Traffic {
    /// Published through the instance.
    pub published: u64,
    /// Delivered to its listeners.
    pub delivered: u64,
    /// Losses that could not be repaired.
    pub gaps: u64,
    /// Fetched from the log.
    pub replayed: u64,
    /// Dropped: fallen out of the outbox.
    pub dropped: u64,
    /// Sockets closed because they read too slowly.
    pub slow_sockets: u64,
    /// Waiting for the link.
    pub outbox: u64,
    /// Half of all `view:` messages were delivered within so many milliseconds.
    pub latency_p50: u64,
    /// 99 of 100.
    pub latency_p99: u64,
    /// Requests answered.
    pub requests: u64,
    /// Those answered with a status of 500 and above.
    pub failures: u64,
}

/// A point of an instance's history: `health:history:{id}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Point {
    /// When, in milliseconds since 1970.
    pub timestamp: u64,
    /// Sockets.
    pub sockets: u64,
    /// Messages published and delivered since the start.
    pub messages: u64,
    /// Requests answered since the start.
    pub requests: u64,
    /// Bytes of memory.
    pub rss: u64,
    /// Per cent of one processor.
    pub cpu: f64,
}

impl Record {
    /// Reads what stands under `key`; what has no name of its own is named by the key.
    pub fn parse(id: &str, json: &str) -> Option<Self> {
        let mut record: Self = serde_json::from_str(json).ok()?;
        if record.instance_id.is_empty() {
            id.clone_into(&mut record.instance_id);
        }
        if record.server_id.is_empty() {
            record.server_id = record.instance_id.split(':').next().unwrap_or_default().to_owned();
        }
        if record.server.name.is_empty() {
            record.server.name.clone_from(&record.server_id);
        }
        Some(record)
    }

    /// The point of the history it makes.
    pub fn point(&self) -> Point {
        Point {
            timestamp: self.timestamp,
            sockets: self.connections.websocket,
            messages: self.traffic.published + self.traffic.delivered,
            requests: self.traffic.requests,
            rss: self.memory.rss,
            cpu: self.cpu.percent,
        }
    }
}
