//! What a site calls itself: its title and a banner, which administrators change while pages are open.

use std::{cell::Cell, rc::Rc};

use leptos::{prelude::*, server_fn::codec::GetUrl, task::spawn_local};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::Position;

use crate::{
    channel,
    cluster::{ClusterClient, News, OwnMessages, Repairs, Subscription, TypedChannel, installed},
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

/// The settings as an instance has them at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SiteStanding {
    /// What they are.
    pub settings: SiteSettings,
    /// Where [`CHANGED`] stood; what follows there is newer. `None` when nobody knows.
    pub position: Option<Position>,
}

/// Brings the settings into the page; to be called once, where every page begins. They travel with the
/// rendered page, so that its head waits for nothing, and follow live from there.
pub fn provide_site() {
    let SiteStanding { settings, position } = SharedValue::new(rendered).into_inner();
    let site = RwSignal::new(settings);
    follow(site, position);
    provide_context(site.read_only());
}

/// The site's title and banner; follow live.
///
/// On the server, as they are when the page is rendered.
pub fn use_site() -> Signal<SiteSettings> {
    let site = use_context::<ReadSignal<SiteSettings>>();
    Signal::derive(move || site.map(|site| site.get()).unwrap_or_default())
}

#[cfg(feature = "ssr")]
fn rendered() -> SiteStanding {
    use_context::<crate::ports::Ports>().map(|ports| ports.site.standing()).unwrap_or_default()
}

/// Nothing was rendered: the browser asks.
#[cfg(not(feature = "ssr"))]
fn rendered() -> SiteStanding {
    SiteStanding::default()
}

/// Takes what is told after `position`; asks when that cannot be known. On the server, does nothing.
fn follow(site: RwSignal<SiteSettings>, position: Option<Position>) {
    let read = move |repairs: Repairs| {
        spawn_local(async move {
            let read = read_site().await;
            repairs.ended(read.map(|settings| site.set(settings)));
        });
    };
    let repairs = Repairs::new(read);
    Effect::new(move || {
        let Some(link) = installed() else { return };
        let is_unknown = Cell::new(position.is_none());
        let id = link.subscribe(Subscription {
            pattern: (&CHANGED.channel()).into(),
            own: OwnMessages::Hear,
            since: position.clone(),
            on_message: Rc::new(move |delivery| {
                if let Ok(settings) = serde_json::from_value(Value::Object(delivery.data.clone())) {
                    site.set(settings);
                    repairs.applied(&delivery.meta);
                }
            }),
            on_news: Rc::new(move |news| {
                if news == News::Gap {
                    repairs.lost();
                } else if is_unknown.replace(false) {
                    read(repairs);
                }
            }),
        });
        on_cleanup(move || {
            if let Some(link) = installed() {
                link.unsubscribe(id);
            }
        });
    });
}

/// The site's title and banner.
///
/// # Errors
///
/// When the server cannot be reached.
#[server(prefix = "/fn", endpoint = "site", input = GetUrl, client = ClusterClient)]
pub async fn read_site() -> Result<SiteSettings, Problem> {
    Ok(crate::pages::request::ports()?.site.standing().settings)
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
