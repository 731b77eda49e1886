//! The application: pages and their server functions, and the API a site owner programs against.
//!
//! The path of one change: a page calls a server function, which validates, saves through a
//! [`ports`] trait, answers, and announces the change on a channel; every open browser hears of it
//! through [`cluster`] and applies it to what it shows.
//!
//! Features: `ssr` on the server, `hydrate` in the browser.

// The type of a page is as deep as its markup, and optimising compilers look all the way down.
#![recursion_limit = "256"]

pub mod account;
pub mod app;
pub mod cart;
pub mod cluster;
pub mod components;
pub mod error;
pub mod fault;
pub mod feature;
pub mod motto;
pub mod observatory;
pub mod pages;
pub mod site;
pub mod system_notification;
pub mod text;
pub mod todo;
pub mod user_status;
pub mod websocket;

#[cfg(feature = "ssr")]
pub mod carts;
#[cfg(feature = "ssr")]
pub mod pace;
#[cfg(feature = "ssr")]
pub mod ports;
#[cfg(feature = "ssr")]
pub mod shell;
#[cfg(feature = "ssr")]
pub mod site_files;
#[cfg(feature = "ssr")]
pub mod system_notifications;
#[cfg(feature = "ssr")]
pub mod texts;
#[cfg(feature = "ssr")]
pub mod timestamp;
#[cfg(feature = "ssr")]
pub mod todos;

pub use app::App;
#[cfg(feature = "ssr")]
pub use shell::shell;
