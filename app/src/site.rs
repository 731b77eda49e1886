//! What a site calls itself: its title and a banner, which administrators change while pages are open.

use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::{
    channel,
    cluster::{ClusterClient, LiveResource, TypedChannel},
    error::Problem,
};

/// Where every page hears that the title or the banner is another.
pub const CHANGED: TypedChannel<SiteSettings> = channel!("view:system:site:changed");

/// Title and banner of every page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SiteSettings {
    /// The site's name in the head of every page; empty for [`SiteSettings::DEFAULT_TITLE`].
    pub title: String,
    /// A line at the top of every page; empty for none.
    pub banner: String,
}

impl SiteSettings {
    /// The title of a site that was given none.
    pub const DEFAULT_TITLE: &'static str = "jPulse";
    /// Characters of a title at most.
    pub const TITLE_CHARS: usize = 60;
    /// Characters of a banner at most.
    pub const BANNER_CHARS: usize = 300;

    /// The settings without the spaces around them; `None` when one is too long or not one line.
    pub fn parse(title: &str, banner: &str) -> Option<Self> {
        let line = |text: &str, most| {
            let text = text.trim();
            (text.chars().count() <= most && !text.contains(char::is_control)).then(|| text.to_owned())
        };
        Some(Self { title: line(title, Self::TITLE_CHARS)?, banner: line(banner, Self::BANNER_CHARS)? })
    }

    /// The title as it is shown.
    pub fn shown_title(&self) -> &str {
        if self.title.is_empty() { Self::DEFAULT_TITLE } else { &self.title }
    }
}

/// The settings as the pages have them.
type LiveSite = LiveResource<SiteSettings, Problem>;

/// Loads the settings once for the whole page; to be called where every page begins.
pub fn provide_site() {
    provide_context::<LiveSite>(LiveResource::new(CHANGED, read_site, |site: &mut SiteSettings, new, _| *site = new));
}

/// The site's title and banner; follow live. To be read under `Suspense` or `Transition`.
///
/// On the server, as they are when the page is rendered.
pub fn use_site() -> Signal<SiteSettings> {
    let site = use_context::<LiveSite>();
    Signal::derive(move || site.and_then(|site| site.get()).and_then(Result::ok).unwrap_or_default())
}

/// The site's title and banner.
///
/// # Errors
///
/// When the server cannot be reached.
#[server(prefix = "/fn", endpoint = "site", input = GetUrl, client = ClusterClient)]
pub async fn read_site() -> Result<SiteSettings, Problem> {
    Ok(crate::pages::request::ports()?.site.settings().await)
}

#[cfg(test)]
mod tests {
    use super::SiteSettings;

    #[test]
    fn settings_are_one_short_line_each() {
        let parsed = SiteSettings::parse(" Tea ", "").unwrap();
        assert_eq!((parsed.shown_title(), parsed.banner.as_str()), ("Tea", ""));
        assert_eq!(SiteSettings::parse("", "").unwrap().shown_title(), SiteSettings::DEFAULT_TITLE);
        let long = |chars| "ü".repeat(chars);
        assert!(SiteSettings::parse(&long(60), &long(300)).is_some());
        assert!(SiteSettings::parse(&long(61), "").is_none() && SiteSettings::parse("", &long(301)).is_none());
        assert!(SiteSettings::parse("a\nb", "").is_none());
    }
}
