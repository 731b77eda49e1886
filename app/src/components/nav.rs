//! Finding one's way: the site's head and foot, and links that load a page.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::{cluster::use_username, components::badge::ConnectionBadge, pages::address, site::use_site};

/// What the head of every page links to.
const MAIN_PAGES: [(&str, &str); 9] = [
    (address::OVERVIEW, "Overview"),
    (address::NOTIFICATIONS, "Notifications"),
    (address::COLLABORATIVE_TODO, "To-do"),
    (address::DASHBOARD, "Dashboard"),
    (address::PATTERNS, "Patterns"),
    (address::WEBSOCKET, "WebSockets"),
    (address::CODE_EXAMPLES, "Code"),
    (address::ARCHITECTURE, "Architecture"),
    (address::SPA, "Single page"),
];

/// A link that loads a page from the server, as in any multi-page site.
///
/// The router takes over every click on a plain link; `target="_self"`, which changes nothing else,
/// tells it not to. Links between the views of the single-page demo are `<A>`.
#[component]
pub fn PageLink(
    /// Where to.
    #[prop(into)]
    href: String,
    /// For the style sheet.
    #[prop(optional)]
    class: &'static str,
    /// What is linked.
    children: Children,
) -> impl IntoView {
    view! { <a href=href target="_self" class=(!class.is_empty()).then_some(class)>{children()}</a> }
}

/// One card of a list `.cards`: a page and what it is for.
#[component]
pub fn LinkCard(
    /// The page.
    href: &'static str,
    /// Its name.
    title: &'static str,
    /// What it is for.
    text: &'static str,
) -> impl IntoView {
    view! {
        <li class="card card-link">
            <h2>
                <PageLink href=href>{title}</PageLink>
            </h2>
            <p>{text}</p>
        </li>
    }
    .into_any()
}

/// The head of every page: name, connection, main pages.
#[component]
pub fn SiteHeader() -> impl IntoView {
    let path = use_location().pathname;
    let links = MAIN_PAGES
        .into_iter()
        .map(|(href, label)| {
            let current = move || path.with(|path| is_current(href, path)).then_some("page");
            view! { <li><a href=href target="_self" aria-current=current>{label}</a></li> }
        })
        .collect_view();
    view! {
        <header class="site-header">
            <div class="site-bar">
                <a class="brand" href=address::HOME target="_self">
                    <svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true">
                        <path d="M3 17h6l3.5-9 6 16 3.5-9 1.6 2H29" />
                    </svg>
                    <SiteTitle />
                </a>
                <div class="site-state">
                    <ConnectionBadge />
                    <SignedInState />
                </div>
            </div>
            <nav aria-label="Main">
                <ul class="site-nav" role="list">{links}</ul>
            </nav>
        </header>
    }
    .into_any()
}

/// What the site calls itself; follows live.
#[component]
fn SiteTitle() -> impl IntoView {
    let site = use_site();
    view! { {move || site.with(|site| site.shown_title().to_owned())} }.into_any()
}

/// Who is signed in, or the way to do so; follows live.
#[component]
fn SignedInState() -> impl IntoView {
    let username = use_username(SharedValue::<Option<String>>::new(signed_in).into_inner());
    move || match username.get() {
        Some(username) => view! {
            <PageLink href=address::ACCOUNT class="site-user">
                <span class="visually-hidden">"Signed in as "</span>
                {username}
            </PageLink>
        }
        .into_any(),
        None => view! {
            <PageLink href=address::LOGIN class="site-user">
                "Sign in"
            </PageLink>
        }
        .into_any(),
    }
}

/// Known to the server alone; a browser has it from there.
fn signed_in() -> Option<String> {
    #[cfg(feature = "ssr")]
    return crate::pages::request::signed_in().map(|user| user.username);
    #[cfg(not(feature = "ssr"))]
    None
}

/// The foot of every page.
#[component]
pub fn SiteFooter() -> impl IntoView {
    view! {
        <footer class="site-footer">
            <p>"Every open browser in step, on every instance."</p>
            <p>
                <a href="/api/1/app-cluster/broadcast/status" target="_self">"Status as JSON"</a>
                " · "
                <a href="/health" target="_self">"Health"</a>
            </p>
        </footer>
    }
    .into_any()
}

/// Whether `path` is the page at `href`; the single-page and the WebSocket demo and the patterns count with all their pages.
fn is_current(href: &str, path: &str) -> bool {
    let is_whole_demo = matches!(href, address::SPA | address::WEBSOCKET | address::PATTERNS);
    href.trim_end_matches('/') == path.trim_end_matches('/') || (is_whole_demo && path.starts_with(href))
}

#[cfg(test)]
mod tests {
    use super::is_current;
    use crate::pages::address::{NOTIFICATIONS, OVERVIEW, SPA, WEBSOCKET};

    #[test]
    fn a_page_is_current_with_and_without_its_last_slash() {
        assert!(is_current(OVERVIEW, "/hello-app-cluster"));
        assert!(is_current(OVERVIEW, "/hello-app-cluster/"));
        assert!(!is_current(OVERVIEW, NOTIFICATIONS));
    }

    #[test]
    fn every_page_of_a_demo_is_that_demo() {
        assert!(is_current(SPA, "/hello-spa/todo"));
        assert!(is_current(WEBSOCKET, "/hello-websocket/chat"));
        assert!(!is_current(SPA, "/hello-spare"));
    }
}
