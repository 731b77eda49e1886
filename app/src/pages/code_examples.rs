//! Code to take away.

use leptos::prelude::*;

use crate::components::{code::CodeSample, page::PageHeader};

/// Snippets for Rust pages, for servers and for plain scripts. The Rust ones are compiled by the tests.
#[component]
pub fn CodeExamplesPage() -> impl IntoView {
    view! {
        <PageHeader
            title="Code examples"
            lead="A few lines are enough. In Rust the compiler checks channels and payloads; plain scripts use window.jPulse."
        />
        <section class="samples" aria-labelledby="rust-pages">
            <h2 id="rust-pages">"Pages in Rust"</h2>
            <CodeSample title="A list that stays current" language="Rust" code=include_str!("code_examples/live_page.rs") />
            <CodeSample title="Publish and listen" language="Rust" code=include_str!("code_examples/listen.rs") />
        </section>
        <section class="samples" aria-labelledby="rust-server">
            <h2 id="rust-server">"On the server"</h2>
            <CodeSample title="Announce a saved change" language="Rust" code=include_str!("code_examples/announce.rs") />
            <CodeSample
                title="From instance to instance"
                language="Rust"
                code=include_str!("code_examples/between_instances.rs")
            />
        </section>
        <section class="samples" aria-labelledby="scripts">
            <h2 id="scripts">"Plain scripts"</h2>
            <CodeSample title="Subscribe" language="JavaScript" code=include_str!("code_examples/subscribe.js") />
            <CodeSample title="Publish" language="JavaScript" code=include_str!("code_examples/publish.js") />
            <CodeSample title="Call your own routes" language="JavaScript" code=include_str!("code_examples/fetch.js") />
            <CodeSample title="Follow the cluster" language="JavaScript" code=include_str!("code_examples/cluster_mode.js") />
        </section>
        <section class="explain" aria-labelledby="names">
            <h2 id="names">"Names of channels"</h2>
            <p>
                <code>"layer:component:domain:action"</code>
                ", then more parts if you like. Browsers use the layer "
                <code>"view:"</code> "; instances talk on " <code>"controller:"</code> " and " <code>"model:"</code>
                ". A pattern ends in " <code>":*"</code> ", as in " <code>"view:myApp:*"</code> "."
            </p>
        </section>
    }
    .into_any()
}

/// What visitors copy must compile.
#[cfg(all(doctest, feature = "ssr"))]
mod compiled {
    #[doc = concat!("```no_run\n", include_str!("code_examples/live_page.rs"), "\n# fn main() {}\n```")]
    struct LivePage;
    #[doc = concat!("```no_run\n", include_str!("code_examples/listen.rs"), "\n# fn main() {}\n```")]
    struct Listen;
    #[doc = concat!("```no_run\n", include_str!("code_examples/announce.rs"), "\n# fn main() {}\n```")]
    struct Announce;
    #[doc = concat!("```no_run\n", include_str!("code_examples/between_instances.rs"), "\n# fn main() {}\n```")]
    struct BetweenInstances;
}
