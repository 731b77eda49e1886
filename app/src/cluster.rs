//! What a site owner programs against to keep open browsers in sync.
//!
//! The path of one message: somebody calls [`publish`], or a server function announces a change
//! through [`Cluster`](../ports/trait.Cluster.html); every open browser hears of it on its one socket
//! and hands it to the callbacks of [`use_broadcast`] and to every [`LiveResource`] of that channel.
//!
//! A page with a list that stays current, whoever changes it and on whichever instance:
//!
//! ```
//! use app::{channel, cluster::{LiveResource, TypedChannel}};
//! use leptos::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! const ADDED: TypedChannel<Added> = channel!("view:guestBook:entry:added");
//!
//! #[derive(Clone, Serialize, Deserialize)]
//! struct Added { entry: String }
//!
//! # async fn entries() -> Result<Vec<String>, ServerFnError> { Ok(Vec::new()) }
//! #[component]
//! fn GuestBook() -> impl IntoView {
//!     let entries = LiveResource::new(ADDED, entries, |list: &mut Vec<String>, news, _| {
//!         if !list.contains(&news.entry) {
//!             list.push(news.entry);
//!         }
//!     });
//!     view! {
//!         <Transition fallback=|| "…">
//!             <p>{move || entries.get().map(|list| list.unwrap_or_default().join(", "))}</p>
//!         </Transition>
//!     }
//! }
//! ```
//!
//! On the server everything here compiles and does nothing, except [`LiveResource`], which loads its
//! data for the first rendering, and [`ClusterHead`].

mod answer;
mod channel;
mod client;
mod endpoint;
mod head;
mod hooks;
mod link;
mod live;
mod message;
mod publish;
mod raw;
mod repairs;
mod throttle;

pub use channel::TypedChannel;
pub use client::ClusterClient;
pub use endpoint::{
    Endpoint, EndpointEars, EndpointLink, EndpointStatus, OpenEndpoint, SettleRequest, install_endpoints,
    use_answering_endpoint, use_endpoint, use_presence,
};
pub use head::ClusterHead;
pub use hooks::{use_broadcast, use_cluster_mode, use_link_state, use_username};
pub use link::{Link, LinkState, News, Settle, Subscription, SubscriptionId, install, installed};
pub use live::{LiveResource, LiveSources};
pub use message::{Delivery, Meta, OwnMessages, SubscribeOptions};
pub use publish::{publish, use_throttled_publish};
pub use raw::{OpenRaw, Raw, RawSaid, RawSocket, install_raw, use_raw_socket};
pub use repairs::Repairs;
pub use wire::PublishError;
