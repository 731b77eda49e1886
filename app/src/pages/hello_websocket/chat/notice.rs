//! Notices for every room: a broadcast of the application cluster.

use leptos::{prelude::*, task::spawn_local};
use serde::{Deserialize, Serialize};
use wire::endpoint::Present;

use crate::{
    channel,
    cluster::{SubscribeOptions, TypedChannel, publish, use_broadcast},
    components::{
        presence::display_name,
        say_form::{LINE_CHARS, SayForm},
        time::RelativeTime,
        toast::{Level, use_toasts},
    },
};

/// Where notices are posted.
const POSTED: TypedChannel<Notice> = channel!("view:helloChat:notice:posted");

/// A line for all rooms. Anybody may publish there, so the name is what the sender says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Notice {
    text: String,
    sender: String,
}

/// The latest notice, and a form for the next.
#[component]
pub(super) fn NoticeBoard(
    /// Who posts.
    me: Signal<Present>,
) -> impl IntoView {
    let latest = RwSignal::new(None);
    let toasts = use_toasts();
    use_broadcast(POSTED, SubscribeOptions::default(), move |notice: Notice, meta| {
        let cut = |text: &str| text.chars().take(LINE_CHARS).collect::<String>();
        latest.set(Some((Notice { text: cut(&notice.text), sender: cut(&notice.sender) }, meta.timestamp.to_string())));
    });
    let say = Callback::new(move |(text, take_back): (String, Callback<String>)| {
        let sender = me.with_untracked(|me| if me.id.is_empty() { "Somebody".to_owned() } else { display_name(me) });
        let notice = Notice { text, sender };
        spawn_local(async move {
            if let Err(error) = publish(POSTED, &notice).await {
                take_back.run(notice.text);
                toasts.show(Level::Error, format!("Not posted: {error}."));
            }
        });
    });
    view! {
        <section class="card" aria-labelledby="notices">
            <h2 id="notices">"Notice board"</h2>
            <div role="status">
                {move || match latest.get() {
                    None => view! { <p class="hint">"No notice since you came. One reaches every room."</p> }.into_any(),
                    Some((notice, at)) => view! {
                        <div class="notice">
                            <p class="message-text">{notice.text}</p>
                            <p class="message-origin">{notice.sender} ", " <RelativeTime at /></p>
                        </div>
                    }
                    .into_any(),
                }}
            </div>
            <SayForm id="chat-notice" label="Notice for all rooms" button="Post" say />
        </section>
    }
    .into_any()
}
