//! A line of the site's own at the top of every page.

use leptos::prelude::*;

use crate::site::use_site;

/// The site's banner, when it has one; comes, changes and goes while the page is open.
#[component]
pub fn SiteBanner() -> impl IntoView {
    let site = use_site();
    let show = move || {
        let banner = site.with(|site| site.banner.clone());
        (!banner.is_empty()).then(|| {
            view! {
                <aside class="notice notice-info" aria-label="From this site">
                    <p>{banner}</p>
                </aside>
            }
        })
    };
    // Around it in any case, so that a banner that comes later is read out.
    view! {
        <div class="site-banner" aria-live="polite">{show}</div>
    }
    .into_any()
}
