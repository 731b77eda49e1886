//! The pages: one file each, its server functions beside it.

pub mod account;
pub mod address;
pub mod admin;
pub mod architecture;
pub mod cluster;
pub mod code_examples;
pub mod collaborative_todo;
pub mod dashboard;
pub mod features;
pub mod first_page;
pub mod hello_websocket;
pub mod home;
pub mod login;
pub mod not_found;
pub mod notifications;
pub mod overview;
pub mod patterns;
#[cfg(feature = "ssr")]
pub mod request;
pub mod spa;

pub use address::REDIRECTS;
pub use notifications::Notification;
