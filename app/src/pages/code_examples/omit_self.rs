use app::{channel, cluster::{OwnMessages, SubscribeOptions, TypedChannel, use_broadcast}};
use leptos::prelude::*;

const MOVED: TypedChannel<Pointer> = channel!("view:myApp:pointer:moved");

#[derive(serde::Deserialize)]
struct Pointer {
    x: i32,
    y: i32,
}

#[component]
fn Others() -> impl IntoView {
    let place = RwSignal::new((0, 0));
    // Not what this tab published, on whichever way, even across a reconnect.
    let others = SubscribeOptions { own: OwnMessages::Omit };
    use_broadcast(MOVED, others, move |pointer, _meta| place.set((pointer.x, pointer.y)));
    view! { <output>{move || format!("{:?}", place.get())}</output> }
}
