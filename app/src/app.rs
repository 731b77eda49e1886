//! What every page stands in, and which page is at which address.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    SsrMode, StaticSegment,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use crate::{
    components::{
        banner::SiteBanner,
        local_only::LocalOnlyHint,
        nav::{SiteFooter, SiteHeader},
        system_notices::SystemNotices,
        time::provide_clock,
        toast::{ToastRegion, provide_toasts},
    },
    pages::{
        account::AccountPage,
        admin::{
            notifications::AdminNotificationsPage, site::AdminSitePage, websocket_console::WebSocketConsolePage,
            websocket_endpoints::WebSocketEndpointsPage, websocket_status::WebSocketStatusPage,
        },
        architecture::ArchitecturePage,
        cluster::ClusterPage,
        code_examples::CodeExamplesPage,
        collaborative_todo::CollaborativeTodoPage,
        dashboard::DashboardPage,
        features::FeaturesPage,
        hello_websocket::{
            ChatPage, EmojiPage, RequestPage, RoomsPage, WebSocketDemo, WebSocketPage, WebSocketTodoPage,
        },
        home::HomePage,
        login::LoginPage,
        not_found::NotFoundPage,
        notifications::NotificationsPage,
        overview::OverviewPage,
        patterns::{
            CollaborativeEditingPage, ConfigurationCachePage, GlobalNotificationsPage, PatternsPage,
            RealTimeDashboardPage, ShoppingCartPage,
        },
        spa::{SpaAbout, SpaHome, SpaLayout},
    },
    site::provide_site,
};

/// The application, rendered by the server and taken over by the browser.
///
/// Pages are sent whole (`SsrMode::Async`): their status is known before the first byte, and nothing in
/// them waits for a script. A new page is one more line in the table below, and its address in
/// [`crate::pages::address`].
#[component]
pub fn App() -> AnyView {
    provide_meta_context();
    provide_toasts();
    provide_clock();
    provide_site();
    let whole = SsrMode::Async;
    view! {
        <Router>
            <a class="skip-link" href="#content" target="_self">
                "Skip to content"
            </a>
            <SiteHeader />
            <SiteBanner />
            <LocalOnlyHint />
            <main id="content" tabindex="-1">
                <Routes fallback=NotFoundPage>
                    <Route path=path!("/") view=HomePage ssr=whole.clone() />
                    <Route path=path!("/hello-app-cluster/") view=OverviewPage ssr=whole.clone() />
                    <Route path=path!("/hello-app-cluster/notifications") view=NotificationsPage ssr=whole.clone() />
                    <Route
                        path=path!("/hello-app-cluster/collaborative-todo")
                        view=CollaborativeTodoPage
                        ssr=whole.clone()
                    />
                    <Route
                        path=path!("/hello-app-cluster/patterns/collaborative-editing")
                        view=CollaborativeEditingPage
                        ssr=whole.clone()
                    />
                    <Route path=path!("/hello-app-cluster/code-examples") view=CodeExamplesPage ssr=whole.clone() />
                    <Route path=path!("/hello-app-cluster/architecture") view=ArchitecturePage ssr=whole.clone() />
                    <Route path=path!("/hello-app-cluster/dashboard") view=DashboardPage ssr=whole.clone() />
                    <Route path=path!("/hello-app-cluster/patterns/") view=PatternsPage ssr=whole.clone() />
                    <Route
                        path=path!("/hello-app-cluster/patterns/global-notifications")
                        view=GlobalNotificationsPage
                        ssr=whole.clone()
                    />
                    <Route
                        path=path!("/hello-app-cluster/patterns/real-time-dashboard")
                        view=RealTimeDashboardPage
                        ssr=whole.clone()
                    />
                    <Route
                        path=path!("/hello-app-cluster/patterns/shopping-cart")
                        view=ShoppingCartPage
                        ssr=whole.clone()
                    />
                    <Route
                        path=path!("/hello-app-cluster/patterns/configuration-cache")
                        view=ConfigurationCachePage
                        ssr=whole.clone()
                    />
                    <Route path=path!("/first-page") view=crate::pages::first_page::FirstPage ssr=whole.clone() />
                    <Route path=path!("/admin/cluster") view=ClusterPage ssr=whole.clone() />
                    <Route path=path!("/admin/features") view=FeaturesPage ssr=whole.clone() />
                    <Route path=path!("/login") view=LoginPage ssr=whole.clone() />
                    <Route path=path!("/account") view=AccountPage ssr=whole.clone() />
                    <Route path=path!("/admin/notifications") view=AdminNotificationsPage ssr=whole.clone() />
                    <Route path=path!("/admin/site") view=AdminSitePage ssr=whole.clone() />
                    <Route path=path!("/admin/websocket-status") view=WebSocketStatusPage ssr=whole.clone() />
                    <Route path=path!("/admin/websocket-console") view=WebSocketConsolePage ssr=whole.clone() />
                    <Route path=path!("/admin/websocket-endpoints") view=WebSocketEndpointsPage ssr=whole.clone() />
                    <ParentRoute path=path!("/hello-websocket") view=WebSocketDemo ssr=whole.clone()>
                        <Route path=path!("/emoji") view=EmojiPage />
                        <Route path=path!("/todo") view=WebSocketTodoPage />
                        <Route path=path!("/rooms") view=RoomsPage />
                        <Route path=path!("/request") view=RequestPage />
                        <Route path=path!("/chat") view=ChatPage />
                        // Last, as in the other parent route below.
                        <Route path=StaticSegment("/") view=WebSocketPage />
                    </ParentRoute>
                    <ParentRoute path=path!("/hello-spa") view=SpaLayout ssr=whole>
                        <Route path=path!("/todo") view=CollaborativeTodoPage />
                        <Route path=path!("/notifications") view=NotificationsPage />
                        <Route path=path!("/about") view=SpaAbout />
                        // Last, because it begins every other path; not `path!`, which drops the slash.
                        <Route path=StaticSegment("/") view=SpaHome />
                    </ParentRoute>
                </Routes>
            </main>
            <SiteFooter />
            <ToastRegion />
            <SystemNotices />
        </Router>
    }
    .into_any()
}
