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
        <script nonce=use_nonce() inner_html=script::TEXT.as_str()></script>
    };
}

#[cfg(feature = "ssr")]
mod script {
    use std::sync::LazyLock;

    /// The script without its comments and indentation.
    pub(super) static TEXT: LazyLock<String> = LazyLock::new(|| {
        let lines = include_str!("jpulse.js").lines().map(str::trim);
        lines.filter(|line| !line.is_empty() && !line.starts_with("//")).collect::<Vec<_>>().join("\n")
    });
}
