//! How a request reached us: from which address, over which scheme, through which of our own proxies.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName};

use crate::config::{Network, Origin, ServerConfig};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The address a request came from: the visitor's, where a trusted proxy tells it.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// How the visitor's browser speaks to this site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Readable by everybody on the way.
    #[default]
    Http,
    /// Encrypted as far as the proxy in front of us.
    Https,
}

/// What every request carries from the door on, as an extension.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// How the visitor's browser speaks to this site.
    pub scheme: Scheme,
    /// Where browsers find the site; empty when only they know.
    pub(super) origins: Arc<[Origin]>,
}

/// Knows the proxies in front of us.
pub(super) struct Gate {
    proxies: Vec<Network>,
    origins: Arc<[Origin]>,
}

impl Gate {
    pub(super) fn new(config: &ServerConfig) -> Self {
        Self { proxies: config.trusted_proxies.clone(), origins: config.origins.clone().into() }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|proxy| proxy.contains(address))
    }

    /// The last address on the way that is none of our proxies: what stands left of it anybody can invent.
    fn visitor(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let mut visitor = peer;
        let values = headers.get_all(FORWARDED_FOR).into_iter().rev();
        let mut hops = values.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
        while self.trusts(visitor) {
            let Some(hop) = hops.next().and_then(address) else { break };
            visitor = hop;
        }
        visitor
    }
}

/// Middleware, the outermost: notes who asks, and how.
pub(super) async fn note(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let mut entry = Entry { scheme: Scheme::Http, origins: Arc::clone(&gate.origins) };
    if let Some(Peer(peer)) = request.extensions().get::<Peer>().copied()
        && gate.trusts(peer.ip())
    {
        let visitor = gate.visitor(request.headers(), peer.ip());
        entry.scheme = scheme(request.headers());
        request.extensions_mut().insert(Peer(SocketAddr::new(visitor, peer.port())));
    }
    request.extensions_mut().insert(entry);
    next.run(request).await
}

/// What one subscriber of an Internet provider has: an IPv4 address, or an IPv6 network of 64 bits.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        IpAddr::V4(address) => address.into(),
    }
}

/// The scheme the nearest proxy was asked with.
fn scheme(headers: &HeaderMap) -> Scheme {
    let told = headers.get_all(FORWARDED_PROTO).into_iter().next_back().and_then(|value| value.to_str().ok());
    match told.and_then(|told| told.rsplit(',').next()) {
        Some(last) if last.trim().eq_ignore_ascii_case("https") => Scheme::Https,
        _ => Scheme::Http,
    }
}

/// An address as proxies write it: bare, in brackets, with a port or without.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(address, _)| address);
    let parsed = bare.parse().ok().or_else(|| bare.parse::<SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(IpAddr::to_canonical(&parsed))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn visitor(proxies: &[&str], peer: &str, forwarded: &[&'static str]) -> String {
        let proxies = proxies.iter().map(|network| network.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
        }
        Gate { proxies, origins: Arc::default() }.visitor(&headers, peer.parse().unwrap()).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_what_it_added() {
        assert_eq!(visitor(&[], "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        let proxies = ["10.0.0.0/8"];
        assert_eq!(visitor(&proxies, "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(visitor(&proxies, "10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(visitor(&proxies, "10.0.0.1", &["1.1.1.1, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(visitor(&proxies, "10.0.0.1", &["1.1.1.1, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(visitor(&proxies, "10.0.0.1", &["1.1.1.1", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(visitor(&proxies, "::ffff:10.0.0.1", &["198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(visitor(&proxies, "10.0.0.1", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(visitor(&proxies, "10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        for nothing in ["", "unknown", "1.1.1.1, nonsense"] {
            assert_eq!(visitor(&proxies, "10.0.0.1", &[nothing]), "10.0.0.1", "{nothing}");
        }
    }

    #[test]
    fn the_nearest_proxy_tells_the_scheme() {
        let told = |values: &[&'static str]| {
            let pairs = values.iter().map(|value| (FORWARDED_PROTO, HeaderValue::from_static(value)));
            scheme(&pairs.collect())
        };
        assert_eq!([told(&[]), told(&["http"]), told(&["https, http"])], [Scheme::Http; 3]);
        assert_eq!([told(&["https"]), told(&["http", "HTTPS"]), told(&["http,https"])], [Scheme::Https; 3]);
    }

    #[test]
    fn an_ipv6_subscriber_is_a_network_and_an_ipv4_one_an_address() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
