//! What the head of every page carries for scripts.

use leptos::prelude::*;

/// `window.jPulse` for plain scripts, ready before any other script runs, and the cluster mode it
/// starts with. Belongs into the `<head>` of the shell, before the site's own scripts.
///
/// Rendered by the server only, as the shell is: in the browser, nothing.
#[component]
pub fn ClusterHead() -> impl IntoView {
    #[cfg(feature = "ssr")]
    return view! {
        <meta name="jpulse-cluster-mode" content=super::hooks::current_cluster_mode().to_string() />
        <script nonce=use_nonce() inner_html=SCRIPT.as_str()></script>
    };
}

/// The same for every page.
#[cfg(feature = "ssr")]
static SCRIPT: std::sync::LazyLock<String> = std::sync::LazyLock::new(script::for_site_pages);
