//! Who is signed in, as pages and routes tell it to that very user.

use serde::{Deserialize, Serialize};

/// What somebody is called beside the user name; either may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PersonName {
    /// Given name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub first_name: String,
    /// Family name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub last_name: String,
}

impl PersonName {
    /// Characters of each part at most.
    pub const MAX_CHARS: usize = 64;

    /// Whether both parts are short enough and hold no control characters.
    pub fn is_allowed(&self) -> bool {
        let is_allowed = |part: &str| part.chars().count() <= Self::MAX_CHARS && !part.chars().any(char::is_control);
        is_allowed(&self.first_name) && is_allowed(&self.last_name)
    }
}

/// A user, for the user's own eyes: others see the name alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Never given to another.
    pub id: String,
    /// What others see.
    pub username: String,
    /// What the user may do.
    pub roles: Vec<String>,
    /// `firstName` and `lastName`, where the account has them.
    #[serde(flatten)]
    pub name: PersonName,
}

impl User {
    /// The role of those who look after the site.
    pub const ADMIN: &str = "admin";

    /// Whether the user looks after the site.
    pub fn is_admin(&self) -> bool {
        self.roles.iter().any(|role| role == Self::ADMIN)
    }
}

/// One of a user's sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionEntry {
    /// Stands for it where it is to be ended.
    pub handle: String,
    /// What its browser calls itself; may be empty.
    pub browser: String,
    /// When it began, in RFC 3339.
    pub since: String,
    /// When it was last used, in RFC 3339; up to a minute late.
    pub used: String,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

impl SessionEntry {
    /// The browser by the name people know, and its system.
    pub fn browser_name(&self) -> String {
        // The more particular first: most browsers claim to be others too.
        const BROWSERS: [(&str, &str); 6] = [
            ("Edg/", "Edge"),
            ("OPR/", "Opera"),
            ("Firefox/", "Firefox"),
            ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
            ("curl/", "curl"),
        ];
        const SYSTEMS: [(&str, &str); 6] = [
            ("Android", "Android"),
            ("iPhone", "iPhone"),
            ("iPad", "iPad"),
            ("Windows", "Windows"),
            ("Mac OS", "macOS"),
            ("Linux", "Linux"),
        ];
        let of = |names: &[(&str, &'static str)]| {
            names.iter().find(|(sign, _)| self.browser.contains(sign)).map(|(_, name)| *name)
        };
        match (of(&BROWSERS), of(&SYSTEMS)) {
            (Some(browser), Some(system)) => format!("{browser} on {system}"),
            (Some(name), None) | (None, Some(name)) => name.to_owned(),
            (None, None) => "Unknown browser".to_owned(),
        }
    }
}

/// Where a visitor goes after signing in: a path of this site, and nothing that a browser could take for
/// another one.
pub fn local_path(next: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    let is_local = next.starts_with('/') && !next.starts_with("//") && next.bytes().all(is_plain);
    (is_local && next.len() <= 2_000).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_after_signing_in_leads_nowhere_else() {
        for local in ["/", "/account", "/hello-app-cluster/?a=1#b"] {
            assert_eq!(local_path(local), Some(local));
        }
        for foreign in [
            "",
            "account",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\tevil",
            "/\n/evil.example",
            " /x",
            "/ü",
        ] {
            assert_eq!(local_path(foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn browsers_are_known_by_name() {
        let name = |browser: &str| {
            let empty = String::new;
            SessionEntry { handle: empty(), browser: browser.into(), since: empty(), used: empty(), is_current: true }
                .browser_name()
        };
        assert_eq!(name("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari"), "Chrome on Linux");
        assert_eq!(name("curl/8.5"), "curl");
        assert_eq!(name(""), "Unknown browser");
    }
}
