//! The form to send with, and what arrived.

use std::sync::Arc;

use leptos::{ev::SubmitEvent, html, prelude::*, server_fn::ServerFn, task::spawn_local};

use super::{functions::SendNotification, message::Notification};
use crate::{
    channel,
    cluster::{OwnMessages, SubscribeOptions, TypedChannel, publish, use_broadcast},
    components::{
        notice::FormOutcome,
        time::RelativeTime,
        toast::{Level, Toasts, use_toasts},
    },
};

/// Where notifications are published.
pub(super) const SENT: TypedChannel<Notification> = channel!("view:helloNotification:message:sent");
/// Messages kept on the page at most; the oldest go.
const KEPT: usize = 50;

/// Sends notifications and shows those that arrive, with a toast each.
#[component]
pub fn NotificationBoard() -> impl IntoView {
    let board = Board { heard: RwSignal::new(Vec::new()), toasts: use_toasts() };
    use_broadcast(SENT, SubscribeOptions { own: OwnMessages::Omit }, move |said, meta| {
        if let Ok(said) = Notification::checked(&said.message, &said.sender_name) {
            board.toasts.show(Level::Info, format!("{}: {}", said.sender_name, said.message));
            board.keep(Heard { id: meta.id, at: meta.timestamp.to_string(), said, is_own: false });
        }
    });
    let is_empty = move || board.heard.with(Vec::is_empty);
    view! {
        <section class="card" aria-labelledby="send">
            <h2 id="send">"Send"</h2>
            <FormOutcome />
            <SendForm board />
        </section>
        <section class="card" aria-labelledby="received">
            <h2 id="received">"Messages"</h2>
            <Show when=is_empty>
                <p class="empty">"Nothing yet. What arrives while this page is open appears here."</p>
            </Show>
            <ol class="messages" role="list" aria-labelledby="received">
                <For each=move || board.heard.get() key=|heard| Arc::clone(&heard.id) let:heard>
                    <li class="message" class:message-own=heard.is_own>
                        <p class="message-text">{heard.said.message}</p>
                        <p class="message-origin">
                            {heard.said.sender_name} {heard.is_own.then_some(" (you)")} ", "
                            <RelativeTime at=heard.at />
                        </p>
                    </li>
                </For>
            </ol>
        </section>
    }
    .into_any()
}

/// What was said and heard while the page is open.
#[derive(Clone, Copy)]
struct Board {
    heard: RwSignal<Vec<Heard>>,
    toasts: Toasts,
}

#[derive(Clone)]
struct Heard {
    id: Arc<str>,
    at: String,
    said: Notification,
    is_own: bool,
}

impl Board {
    fn keep(self, heard: Heard) {
        self.heard.update(|all| {
            all.insert(0, heard);
            all.truncate(KEPT);
        });
    }

    /// Publishes; when that fails, `take_back` gets the message.
    fn send(self, said: Notification, take_back: impl FnOnce(&str) + 'static) {
        spawn_local(async move {
            match publish(SENT, &said).await {
                Ok(receipt) => {
                    let waits = receipt.fallback;
                    self.keep(Heard { id: receipt.id, at: receipt.timestamp, said, is_own: true });
                    if waits {
                        self.toasts.show(Level::Info, "Sent to this instance. Others get it when they can be reached.");
                    } else {
                        self.toasts.show(Level::Success, "Sent to every open browser.");
                    }
                }
                Err(error) => {
                    take_back(&said.message);
                    if error.may_have_been_taken() {
                        self.toasts.show(Level::Warning, format!("Perhaps not sent: {error}. It may arrive yet."));
                    } else {
                        self.toasts.show(Level::Error, format!("Not sent: {error}."));
                    }
                }
            }
        });
    }
}

#[component]
fn SendForm(board: Board) -> impl IntoView {
    let message = NodeRef::<html::Input>::new();
    let name = NodeRef::<html::Input>::new();
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        let (Some(message), Some(name)) = (message.get_untracked(), name.get_untracked()) else { return };
        match Notification::checked(&message.value(), &name.value()) {
            Ok(said) => {
                message.set_value("");
                board.send(said, move |text| {
                    // Somebody who has begun to write anew keeps that.
                    if message.value().is_empty() {
                        message.set_value(text);
                    }
                });
            }
            Err(problem) => board.toasts.show(Level::Error, problem),
        }
    };
    view! {
        <form class="send-form" method="post" action=SendNotification::url() on:submit=send>
            <div class="field">
                <label for="sender">"Your name"</label>
                <input
                    id="sender"
                    name="name"
                    type="text"
                    autocomplete="nickname"
                    maxlength=Notification::NAME_CHARS.to_string()
                    node_ref=name
                />
            </div>
            <div class="field">
                <label for="message">"Message"</label>
                <input
                    id="message"
                    name="message"
                    type="text"
                    required
                    autocomplete="off"
                    maxlength=Notification::MESSAGE_CHARS.to_string()
                    node_ref=message
                />
            </div>
            <button type="submit" class="button">
                "Send"
            </button>
        </form>
    }
    .into_any()
}
