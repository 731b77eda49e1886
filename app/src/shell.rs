//! The HTML document around every page.

use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;

use crate::{app::App, cluster::ClusterHead, components::local_only::REMEMBER, site_files::SiteFiles};

/// The document. Every script in it carries the nonce of its response, and no element has a `style`
/// attribute, so that a content security policy can do without `unsafe-inline`.
pub fn shell(options: LeptosOptions) -> AnyView {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" content="#f6f7f5" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#111715" media="(prefers-color-scheme: dark)" />
                <link rel="icon" type="image/svg+xml" href="/favicon.svg" />
                <script nonce=use_nonce()>{REMEMBER}</script>
                <ClusterHead />
                <AutoReload options=options.clone() />
                <SiteFiles options />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
    .into_any()
}
