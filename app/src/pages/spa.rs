//! The demo as a single-page application: one page, views that change in place.

use leptos::prelude::*;
use leptos_router::components::{A, Outlet};

use crate::{
    components::{nav::PageLink, page::PageHeader},
    pages::address,
};

/// What all views of the single page stand in. Its links are the router's: the connection, the toasts
/// and this frame stay while views come and go.
#[component]
pub fn SpaLayout() -> impl IntoView {
    view! {
        <nav class="sub-nav" aria-label="Single page">
            <ul role="list">
                <li>
                    <A href=address::SPA exact=true>
                        "Introduction"
                    </A>
                </li>
                <li>
                    <A href=address::SPA_TODO>"To-do"</A>
                </li>
                <li>
                    <A href=address::SPA_NOTIFICATIONS>"Notifications"</A>
                </li>
                <li>
                    <A href=address::SPA_ABOUT>"About"</A>
                </li>
            </ul>
        </nav>
        <Outlet />
    }
    .into_any()
}

/// Where the single page begins.
#[component]
pub fn SpaHome() -> impl IntoView {
    view! {
        <PageHeader
            title="Single page"
            lead="The same demo with views that change in place. The live connection stays open between them."
        />
        <ul class="cards" role="list">
            <li class="card card-link">
                <h2>
                    <A href=address::SPA_TODO>"Collaborative to-do"</A>
                </h2>
                <p>"The list of the multi-page demo: the same data, the same code."</p>
            </li>
            <li class="card card-link">
                <h2>
                    <A href=address::SPA_NOTIFICATIONS>"Notifications"</A>
                </h2>
                <p>"Lines from browser to browser, on the same channel."</p>
            </li>
        </ul>
    }
    .into_any()
}

/// How the single page differs from the multi-page demo.
#[component]
pub fn SpaAbout() -> impl IntoView {
    view! {
        <PageHeader
            title="About the single page"
            lead="Multi-page and single-page sites use the same components and the same server functions."
        />
        <section class="explain" aria-labelledby="differences">
            <h2 id="differences">"What differs"</h2>
            <dl class="facts">
                <div>
                    <dt>"Links"</dt>
                    <dd>
                        "Here the browser draws the next view itself. On the multi-page demo every link loads a page from the server."
                    </dd>
                </div>
                <div>
                    <dt>"Connection"</dt>
                    <dd>"Here it stays open from view to view. There each page opens its own and resumes where it was rendered."</dd>
                </div>
                <div>
                    <dt>"Without WebAssembly"</dt>
                    <dd>"No difference: each address below " <code>"/hello-spa/"</code> " is a page of its own, and its forms work."</dd>
                </div>
            </dl>
            <p>
                <PageLink href=address::OVERVIEW>"To the multi-page demo"</PageLink>
            </p>
        </section>
    }
    .into_any()
}
