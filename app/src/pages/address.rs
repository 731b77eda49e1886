//! Where the pages are. The route table in [`crate::app`] says the same in the router's own words.

/// What this is.
pub const HOME: &str = "/";
/// The demo's first page, with the live state of the cluster.
pub const OVERVIEW: &str = "/hello-app-cluster/";
/// Pattern A: browsers broadcast.
pub const NOTIFICATIONS: &str = "/hello-app-cluster/notifications";
/// Pattern B: the server broadcasts.
pub const COLLABORATIVE_TODO: &str = "/hello-app-cluster/collaborative-todo";
/// One text that everybody edits.
pub const COLLABORATIVE_EDITING: &str = "/hello-app-cluster/patterns/collaborative-editing";
/// Code to take away.
pub const CODE_EXAMPLES: &str = "/hello-app-cluster/code-examples";
/// What sites like this one do, live and with its source.
pub const PATTERNS: &str = "/hello-app-cluster/patterns/";
/// Telling everybody.
pub const GLOBAL_NOTIFICATIONS: &str = "/hello-app-cluster/patterns/global-notifications";
/// Numbers that change as one looks.
pub const REAL_TIME_DASHBOARD: &str = "/hello-app-cluster/patterns/real-time-dashboard";
/// One cart on all devices of a user.
pub const SHOPPING_CART: &str = "/hello-app-cluster/patterns/shopping-cart";
/// Configuration in three levels.
pub const CONFIGURATION_CACHE: &str = "/hello-app-cluster/patterns/configuration-cache";
/// What goes on, live.
pub const DASHBOARD: &str = "/hello-app-cluster/dashboard";
/// All instances, for administrators.
pub const CLUSTER: &str = "/admin/cluster";
/// Feature flags, for administrators.
pub const FEATURES: &str = "/admin/features";
/// How it works.
pub const ARCHITECTURE: &str = "/hello-app-cluster/architecture";
/// The same demo as a single-page application.
pub const SPA: &str = "/hello-spa/";
/// The to-do list in it.
pub const SPA_TODO: &str = "/hello-spa/todo";
/// The notifications in it.
pub const SPA_NOTIFICATIONS: &str = "/hello-spa/notifications";
/// How it differs.
pub const SPA_ABOUT: &str = "/hello-spa/about";
/// The WebSocket demo's first page.
pub const WEBSOCKET: &str = "/hello-websocket/";
/// Live cursors and reactions.
pub const WEBSOCKET_EMOJI: &str = "/hello-websocket/emoji";
/// The to-do list over a WebSocket.
pub const WEBSOCKET_TODO: &str = "/hello-websocket/todo";
/// Rooms to join and leave.
pub const WEBSOCKET_ROOMS: &str = "/hello-websocket/rooms";
/// Requests and their answers, both ways.
pub const WEBSOCKET_REQUEST: &str = "/hello-websocket/request";
/// A chat: both technologies together.
pub const WEBSOCKET_CHAT: &str = "/hello-websocket/chat";
/// Signing in.
pub const LOGIN: &str = "/login";
/// One's own sessions.
pub const ACCOUNT: &str = "/account";
/// Telling everybody, for administrators.
pub const ADMIN_NOTIFICATIONS: &str = "/admin/notifications";
/// Title and banner, for administrators.
pub const ADMIN_SITE: &str = "/admin/site";
/// How WebSocket endpoints are doing, for administrators.
pub const ADMIN_WEBSOCKET_STATUS: &str = "/admin/websocket-status";
/// Talking to an endpoint by hand, for administrators.
pub const ADMIN_WEBSOCKET_CONSOLE: &str = "/admin/websocket-console";
/// Making endpoints, for administrators.
pub const ADMIN_WEBSOCKET_ENDPOINTS: &str = "/admin/websocket-endpoints";

/// Old addresses and where their pages are now: permanent redirects (308), for the HTTP
/// router to mount.
pub const REDIRECTS: &[(&str, &str)] = &[
    // Where browsers look on plain pages that name no icon.
    ("/favicon.ico", "/favicon.svg"),
    ("/hello-app-cluster", OVERVIEW),
    ("/hello-app-cluster/index.shtml", OVERVIEW),
    ("/hello-app-cluster/notifications.shtml", NOTIFICATIONS),
    ("/hello-app-cluster/collaborative-todo.shtml", COLLABORATIVE_TODO),
    ("/hello-app-cluster/code-examples.shtml", CODE_EXAMPLES),
    ("/hello-app-cluster/architecture.shtml", ARCHITECTURE),
    ("/hello-app-cluster/notifications/", NOTIFICATIONS),
    ("/hello-app-cluster/collaborative-todo/", COLLABORATIVE_TODO),
    ("/hello-app-cluster/patterns/collaborative-editing/", COLLABORATIVE_EDITING),
    ("/hello-app-cluster/code-examples/", CODE_EXAMPLES),
    ("/hello-app-cluster/architecture/", ARCHITECTURE),
    ("/hello-app-cluster/dashboard/", DASHBOARD),
    ("/hello-app-cluster/patterns", PATTERNS),
    ("/hello-app-cluster/patterns/global-notifications/", GLOBAL_NOTIFICATIONS),
    ("/hello-app-cluster/patterns/real-time-dashboard/", REAL_TIME_DASHBOARD),
    ("/hello-app-cluster/patterns/shopping-cart/", SHOPPING_CART),
    ("/hello-app-cluster/patterns/configuration-cache/", CONFIGURATION_CACHE),
    // Lists what an administrator has.
    ("/admin", ACCOUNT),
    ("/admin/", ACCOUNT),
    ("/admin/index.shtml", ACCOUNT),
    // Pages of the original under other names.
    ("/admin/config.shtml", ADMIN_SITE),
    ("/admin/system-status.shtml", CLUSTER),
    ("/admin/websocket-test.shtml", ADMIN_WEBSOCKET_CONSOLE),
    ("/admin/cluster/", CLUSTER),
    ("/admin/cluster.shtml", CLUSTER),
    ("/admin/features/", FEATURES),
    ("/admin/features.shtml", FEATURES),
    ("/admin/site/", ADMIN_SITE),
    ("/admin/site.shtml", ADMIN_SITE),
    ("/admin/notifications/", ADMIN_NOTIFICATIONS),
    ("/admin/notifications.shtml", ADMIN_NOTIFICATIONS),
    ("/admin/websocket-status/", ADMIN_WEBSOCKET_STATUS),
    ("/admin/websocket-status.shtml", ADMIN_WEBSOCKET_STATUS),
    ("/admin/websocket-console/", ADMIN_WEBSOCKET_CONSOLE),
    ("/admin/websocket-console.shtml", ADMIN_WEBSOCKET_CONSOLE),
    ("/admin/websocket-endpoints/", ADMIN_WEBSOCKET_ENDPOINTS),
    ("/admin/websocket-endpoints.shtml", ADMIN_WEBSOCKET_ENDPOINTS),
    ("/hello-spa", SPA),
    ("/hello-spa/todo/", SPA_TODO),
    ("/hello-spa/notifications/", SPA_NOTIFICATIONS),
    ("/hello-spa/about/", SPA_ABOUT),
    ("/hello-websocket", WEBSOCKET),
    ("/hello-websocket/index.shtml", WEBSOCKET),
    ("/hello-websocket/emoji/", WEBSOCKET_EMOJI),
    ("/hello-websocket/todo/", WEBSOCKET_TODO),
    ("/hello-websocket/rooms/", WEBSOCKET_ROOMS),
    ("/hello-websocket/request/", WEBSOCKET_REQUEST),
    ("/hello-websocket/chat/", WEBSOCKET_CHAT),
    ("/login/", LOGIN),
    ("/account/", ACCOUNT),
];
