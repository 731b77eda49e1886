//! The name of this instance among the others.

use std::sync::Arc;

use crate::config::SiteConfig;

/// Characters of a host name without a number that are kept.
const HOST_CHARS: usize = 12;

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
    use super::hostname_numeric;

    #[test]
    fn the_number_at_the_end_of_the_first_label_names_the_host() {
        assert_eq!(hostname_numeric("app-025"), "025");
        assert_eq!(hostname_numeric("web01.example.com"), "01");
        assert_eq!(hostname_numeric("a1b"), "a1b");
        assert_eq!(hostname_numeric("a-very-long-host-name"), "a-very-long-");
        assert_eq!(hostname_numeric("localhost"), "localhost");
    }
}
