//! Addresses an operator names: of proxies, and of the site itself.

use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// One address, or a network such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

impl Network {
    /// Whether an address is in it; an IPv4 address counts as itself however it is written.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(Self).map_err(|_| format!("an address, or a network such as 10.0.0.0/8, which {text:?} is not"))
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.0.to_string()
    }
}

/// Where browsers find a site, as they put it: `https://site.example`, with a port only where it is not
/// the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        if authority.is_empty() || !authority.bytes().all(is_part) {
            return Err(format!("an origin such as https://site.example, which {text:?} is not"));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

impl PartialEq<str> for Origin {
    fn eq(&self, text: &str) -> bool {
        self.0.eq_ignore_ascii_case(text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Network, Origin};

    #[test]
    fn a_network_is_an_address_or_has_a_length() {
        let contains =
            |network: &str, address: &str| network.parse::<Network>().unwrap().contains(address.parse().unwrap());
        assert!(contains("10.0.0.0/8", "10.1.2.3") && !contains("10.0.0.0/8", "11.1.2.3"));
        assert!(contains("127.0.0.1", "127.0.0.1") && !contains("127.0.0.1", "127.0.0.2"));
        assert!(contains("10.0.0.0/8", "::ffff:10.1.2.3") && contains("2001:db8::/32", "2001:db8::1"));
        for wrong in ["", "10.0.0.0/33", "proxy.example", "*"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_origin_has_no_path() {
        let origin = Origin::try_from("https://Site.Example:8443".to_owned()).unwrap();
        assert!(origin == *"https://site.example:8443" && origin != *"https://site.example");
        for wrong in ["site.example", "https://", "https://site.example/", "https://a@b", "ftp://a", "null", "*"] {
            assert!(Origin::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
