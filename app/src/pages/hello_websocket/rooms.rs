//! Rooms: who comes in hears what is said there, and nobody else does.

mod card;
mod room;

use leptos::prelude::*;

use crate::{
    cluster::{EndpointStatus, use_endpoint, use_presence},
    components::{badge::EndpointBadge, page::PageHeader, presence::PresenceCard, scripts::NeedsScripts},
    websocket,
};

use card::RoomCard;
use room::Room;

/// The rooms of this page. An endpoint knows no list of rooms: one begins with its first member.
const ROOMS: [(&str, &str); 3] = [("kitchen", "Kitchen"), ("garden", "Garden"), ("library", "Library")];

/// The rooms and everybody around them.
#[component]
pub fn RoomsPage() -> impl IntoView {
    let rooms = ROOMS.map(|(id, name)| Room::new(id, name));
    let hearing = StoredValue::new(None);
    let endpoint = use_endpoint(websocket::path_of(websocket::ROOMS), move |frame| {
        if let Some(endpoint) = hearing.get_value() {
            for room in rooms {
                room.hear(endpoint, frame);
            }
        }
    });
    hearing.set_value(Some(endpoint));
    let present = use_presence(endpoint);
    Effect::new(move || {
        // Rooms belong to the socket: a new one is in none.
        if endpoint.status().get() == EndpointStatus::Connected {
            for room in rooms.into_iter().filter(|room| room.is_joined.get_untracked()) {
                room.join(endpoint);
            }
        }
    });
    view! {
        <PageHeader title="Rooms" lead="Come in, see who is there, say something. Only who is in a room hears it." />
        <div class="card-head">
            <p>"Each room counts its open tabs, on every instance."</p>
            <EndpointBadge status=endpoint.status() />
        </div>
        <NeedsScripts />
        <div class="columns">
            {rooms.map(|room| view! { <RoomCard room endpoint present /> }).into_iter().collect_view()}
        </div>
        <PresenceCard present own_id=endpoint.own_id() />
        <section class="explain" aria-labelledby="how">
            <h2 id="how">"How it works"</h2>
            <p>
                "A socket joins with " <code>"join"</code> " and a message for a room goes to its members on every instance. "
                "The server tells members whenever their number changes; instances tell each other who is there as a whole, so that a count is right again after a crash."
            </p>
        </section>
    }
    .into_any()
}
