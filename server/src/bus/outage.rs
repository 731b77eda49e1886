//! Why there is no link, in the words of Redis and in those of an operator.

use serde::Serialize;

/// Why instances are not linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum OutageCause {
    /// No connection can be made, or it broke.
    #[serde(rename = "UNREACHABLE")]
    Unreachable,
    /// Connected, but answers or heartbeats do not come in time.
    #[serde(rename = "TIMEOUT")]
    Timeout,
    /// The user or the password is wrong or missing.
    #[serde(rename = "NOAUTH")]
    NoAuth,
    /// The user lacks a permission.
    #[serde(rename = "NOPERM")]
    NoPerm,
    /// The server is a replica.
    #[serde(rename = "READONLY")]
    ReadOnly,
    /// The server's memory is full.
    #[serde(rename = "OOM")]
    OutOfMemory,
    /// The server cannot save to its disk.
    #[serde(rename = "MISCONF")]
    Misconf,
    /// The server has fewer replicas than it is set to need for a write.
    #[serde(rename = "NOREPLICAS")]
    NoReplicas,
    /// The cluster has slots that nobody serves.
    #[serde(rename = "CLUSTERDOWN")]
    ClusterDown,
    /// The server is a replica that has lost its primary.
    #[serde(rename = "MASTERDOWN")]
    MasterDown,
    /// The server reads its data from disk.
    #[serde(rename = "LOADING")]
    Loading,
    /// A script keeps the server from everything else.
    #[serde(rename = "BUSY")]
    Busy,
    /// Somebody cut the link on purpose.
    #[serde(rename = "CUT")]
    Cut,
}

impl OutageCause {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Unreachable,
        Self::Timeout,
        Self::NoAuth,
        Self::NoPerm,
        Self::ReadOnly,
        Self::OutOfMemory,
        Self::Misconf,
        Self::NoReplicas,
        Self::ClusterDown,
        Self::MasterDown,
        Self::Loading,
        Self::Busy,
        Self::Cut,
    ];

    /// As it stands in answers and metrics: Redis's own word where it has one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "UNREACHABLE",
            Self::Timeout => "TIMEOUT",
            Self::NoAuth => "NOAUTH",
            Self::NoPerm => "NOPERM",
            Self::ReadOnly => "READONLY",
            Self::OutOfMemory => "OOM",
            Self::Misconf => "MISCONF",
            Self::NoReplicas => "NOREPLICAS",
            Self::ClusterDown => "CLUSTERDOWN",
            Self::MasterDown => "MASTERDOWN",
            Self::Loading => "LOADING",
            Self::Busy => "BUSY",
            Self::Cut => "CUT",
        }
    }

    /// For people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Unreachable => "Redis cannot be reached",
            Self::Timeout => "Redis does not answer in time",
            Self::NoAuth => "Redis does not accept the user or the password",
            Self::NoPerm => "Redis does not permit its user what an instance does",
            Self::ReadOnly => "Redis is read-only: the server is a replica",
            Self::OutOfMemory => "Redis is full and refuses writes",
            Self::Misconf => "Redis cannot save to its disk and refuses writes",
            Self::NoReplicas => "Redis has too few replicas and refuses writes",
            Self::ClusterDown => "the Redis Cluster is down: slots are not served",
            Self::MasterDown => "Redis is a replica that has lost its primary",
            Self::Loading => "Redis is loading its data",
            Self::Busy => "Redis is busy with a script",
            Self::Cut => "the link was cut on purpose",
        }
    }

    /// What an operator can do.
    pub fn cure(self) -> &'static str {
        match self {
            Self::Unreachable => "check the [redis] table, and that the server runs",
            Self::Timeout => "see what Redis does: SLOWLOG GET, INFO commandstats; may its user use all channels, &*?",
            Self::NoAuth => "set redis.username and REDIS_PASSWORD to what Redis knows",
            Self::NoPerm => "permit the site's keys and all channels: ACL SETUSER … ~<site>:<mode>:* &* +@all -@admin",
            Self::ReadOnly => "name the primary in [redis], or promote this server: REPLICAOF NO ONE",
            Self::OutOfMemory => "raise maxmemory, or free memory",
            Self::Misconf => "free disk space, see Redis's log; stop-writes-on-bgsave-error decides",
            Self::NoReplicas => "bring the replicas back, or lower min-replicas-to-write",
            Self::ClusterDown => "see CLUSTER INFO and redis-cli --cluster check; bring the lost primaries back",
            Self::MasterDown => "bring the primary back, or promote this server: REPLICAOF NO ONE",
            Self::Loading => "wait: INFO persistence says how far it is",
            Self::Busy => "wait, or end the script: SCRIPT KILL",
            Self::Cut => "wait until its time is over",
        }
    }

    /// Whether the server is no primary, or none yet: another one may be.
    pub fn is_no_primary(self) -> bool {
        matches!(self, Self::ReadOnly | Self::MasterDown | Self::Loading)
    }

    /// What an error of Redis says of the whole server; `None` when it concerns a key, a script or a connection.
    pub fn of(error: &str) -> Option<Self> {
        error.split(|sign: char| !sign.is_ascii_uppercase()).find_map(|word| match word {
            "NOAUTH" | "WRONGPASS" => Some(Self::NoAuth),
            "NOPERM" => Some(Self::NoPerm),
            "READONLY" => Some(Self::ReadOnly),
            "OOM" => Some(Self::OutOfMemory),
            "MISCONF" => Some(Self::Misconf),
            "NOREPLICAS" => Some(Self::NoReplicas),
            "CLUSTERDOWN" => Some(Self::ClusterDown),
            "MASTERDOWN" => Some(Self::MasterDown),
            "LOADING" => Some(Self::Loading),
            "BUSY" => Some(Self::Busy),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_redis_names_the_cause() {
        for (error, cause) in [
            ("Unknown Error: READONLY You can't write against a read only replica.", OutageCause::ReadOnly),
            (
                "OOM command not allowed when used memory > 'maxmemory'. script: f, on @user_script:3.",
                OutageCause::OutOfMemory,
            ),
            ("Authentication Error: WRONGPASS invalid username-password pair", OutageCause::NoAuth),
            ("Cluster Error: CLUSTERDOWN Hash slot not served", OutageCause::ClusterDown),
        ] {
            assert_eq!(OutageCause::of(error), Some(cause), "{error}");
        }
        for other in ["WRONGTYPE Operation against a key", "IO Error: connection refused", "TRYAGAIN Multiple keys"] {
            assert_eq!(OutageCause::of(other), None, "{other}");
        }
    }

    #[test]
    fn each_cause_has_one_word() {
        for cause in OutageCause::ALL {
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
        }
    }
}
