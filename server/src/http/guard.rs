//! How much one address may change in a while.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::DashMapStateStore,
};

use super::{Peer, answer::ApiError};
use crate::config::LimitsConfig;

/// Requests between two looks for addresses that need not be remembered any more.
const SWEEP_EVERY: u32 = 10_000;

/// Token buckets, one an address. Reading is free.
pub(super) struct Guard {
    limiter: RateLimiter<IpAddr, DashMapStateStore<IpAddr>, DefaultClock>,
    requests: AtomicU32,
}

impl Guard {
    pub(super) fn new(limits: &LimitsConfig) -> Self {
        let each_second = NonZeroU32::new(limits.requests_per_second).unwrap_or(NonZeroU32::MIN);
        let burst = each_second.saturating_mul(NonZeroU32::MIN.saturating_add(1));
        Self {
            limiter: RateLimiter::dashmap(Quota::per_second(each_second).allow_burst(burst)),
            requests: AtomicU32::new(0),
        }
    }
}

/// Answers 429 to an address that changes too much.
pub(super) async fn limit(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let Some(Peer(peer)) = request.extensions().get::<Peer>().copied() else { return next.run(request).await };
    if guard.requests.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
        guard.limiter.retain_recent();
    }
    match guard.limiter.check_key(&network(peer.ip())) {
        Ok(()) => next.run(request).await,
        Err(not_until) => {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            ApiError::rate_limited(wait).at(request.uri().path())
        }
    }
}

/// What one subscriber of an Internet provider has: an IPv4 address, or an IPv6 network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}
