//! Feature flags: what administrators switch on and off while pages are open.

use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::{
    channel,
    cluster::{ClusterClient, LiveResource, TypedChannel},
    error::Problem,
};

/// Where every page hears that a feature was switched.
pub const SWITCHED: TypedChannel<Feature> = channel!("view:system:feature:switched");

/// A feature and whether it is on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// Whether it is on.
    pub enabled: bool,
}

/// Whether a feature is switched on; follows live. One that nobody ever set is off, and so is one while it
/// loads. To be read under `Suspense` or `Transition`.
///
/// On the server, as it is when the page is rendered.
///
/// ```
/// use app::feature::use_feature;
/// use leptos::prelude::*;
///
/// #[component]
/// fn Search() -> impl IntoView {
///     let is_new = use_feature("new_search");
///     view! {
///         <Transition fallback=|| ()>
///             {move || if is_new.get() { "Ask anything" } else { "Search" }}
///         </Transition>
///     }
/// }
/// ```
pub fn use_feature(name: &'static str) -> Signal<bool> {
    let live = LiveResource::new(
        SWITCHED,
        move || read_feature(name.to_owned()),
        move |enabled: &mut bool, switched: Feature, _| {
            if switched.name == name {
                *enabled = switched.enabled;
            }
        },
    );
    Signal::derive(move || live.get().is_some_and(|enabled| enabled == Ok(true)))
}

/// Whether a feature is on.
///
/// # Errors
///
/// When the server cannot be reached.
#[server(prefix = "/fn", endpoint = "feature", input = GetUrl, client = ClusterClient)]
pub async fn read_feature(
    /// Of the feature.
    name: String,
) -> Result<bool, Problem> {
    Ok(crate::pages::request::ports()?.features.is_enabled(&name).await)
}
