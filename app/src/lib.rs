//! The application: pages and their server functions, and the API a site owner programs against.
//!
//! The path of one change: a page calls a server function, which validates, saves through a
//! [`ports`] trait, answers, and announces the change on a channel; every open browser hears of it
//! through [`cluster`] and applies it to what it shows.
//!
//! Features: `ssr` on the server, `hydrate` in the browser.

// The markup of a page is one type; optimised builds look deeper into it than 128 levels.
#![recursion_limit = "256"]

pub mod app;
pub mod cluster;
pub mod components;
pub mod error;
pub mod pages;
pub mod shell;
pub mod todo;

#[cfg(feature = "ssr")]
pub mod ports;
#[cfg(feature = "ssr")]
pub mod timestamp;
#[cfg(feature = "ssr")]
pub mod todos;

pub use app::App;
pub use shell::shell;
