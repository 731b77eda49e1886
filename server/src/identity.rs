//! The name of this instance among the others.

use std::sync::{Arc, OnceLock};

use crate::config::SiteConfig;

/// Characters of a host name without a number that are kept.
const HOST_CHARS: usize = 12;
/// Characters of a process's token that tell apart processes of one number on different hosts.
const TOKEN_CHARS: usize = 8;

/// The id of this instance, for all its parts: each asks for the current one. It changes, twice at most, when another
/// live process turns out to have it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct InstanceId(Arc<[OnceLock<Arc<str>>; 3]>);

impl InstanceId {
    /// As it is before anybody else is known.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(Arc::new([OnceLock::from(id.into()), OnceLock::new(), OnceLock::new()]))
    }

    /// As it is now.
    pub fn current(&self) -> &Arc<str> {
        let [first, second, third] = &*self.0;
        // The first is there from the beginning.
        [third, second].into_iter().find_map(OnceLock::get).unwrap_or_else(|| first.get_or_init(Arc::default))
    }

    /// Takes another one in place of `taken`: `{id}:{pid}`, then `{id}:{pid}:…` with the end of `token`. Whether it did:
    /// not when there is none left, or somebody else just did.
    pub fn change(&self, taken: &Arc<str>, pid: u32, token: &str) -> bool {
        let [first, second, third] = &*self.0;
        let end = token.char_indices().rev().nth(TOKEN_CHARS - 1).map_or(0, |(start, _)| start);
        if first.get() == Some(taken) {
            second.set(format!("{taken}:{pid}").into()).is_ok()
        } else if second.get() == Some(taken) {
            third.set(format!("{taken}:{}", &token[end..]).into()).is_ok()
        } else {
            false
        }
    }
}

impl From<&str> for InstanceId {
    fn from(id: &str) -> Self {
        Self::new(id)
    }
}

/// The instance's id before it is claimed: `{hostname_numeric}:{instance}`.
pub fn instance_id(site: &SiteConfig) -> Arc<str> {
    let hostname = if site.hostname.is_empty() {
        gethostname::gethostname().to_string_lossy().into_owned()
    } else {
        site.hostname.clone()
    };
    format!("{}:{}", hostname_numeric(&hostname), site.instance).into()
}

/// The number at the end of the first host label, zeros kept, else the start of the label.
pub(crate) fn hostname_numeric(hostname: &str) -> &str {
    let label = hostname.split('.').next().unwrap_or_default();
    let digits_start = label.len() - label.bytes().rev().take_while(u8::is_ascii_digit).count();
    let digits = &label[digits_start..];
    if digits.is_empty() {
        label.char_indices().nth(HOST_CHARS).map_or(label, |(end, _)| &label[..end])
    } else {
        digits
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{InstanceId, hostname_numeric};

    #[test]
    fn an_id_that_is_taken_changes_twice_at_most() {
        let id = InstanceId::from("025:0");
        let other = id.clone();
        assert_eq!(&**id.current(), "025:0");
        let first = Arc::clone(id.current());
        let change = |taken: &Arc<str>| id.change(taken, 7, "7@host#0123456789abcdef");
        assert!(change(&first));
        assert_eq!(&**id.current(), "025:0:7");
        assert!(!change(&first), "somebody else did");
        assert!(change(id.current()));
        assert!(!change(id.current()), "none is left");
        assert_eq!(&**other.current(), "025:0:7:89abcdef");
    }

    #[test]
    fn the_number_at_the_end_of_the_first_label_names_the_host() {
        assert_eq!(hostname_numeric("app-025"), "025");
        assert_eq!(hostname_numeric("web01.example.com"), "01");
        assert_eq!(hostname_numeric("a1b"), "a1b");
        assert_eq!(hostname_numeric("a-very-long-host-name"), "a-very-long-");
        assert_eq!(hostname_numeric("localhost"), "localhost");
    }
}
