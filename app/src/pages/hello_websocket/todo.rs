//! The to-do list over a WebSocket: every change a request, every other browser told on the same socket.

mod live;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    cluster::{EndpointStatus, use_endpoint, use_presence},
    components::{
        badge::EndpointBadge, notice::FormOutcome, page::PageHeader, presence::PresenceCard, skeleton::Skeleton,
        toast::use_toasts,
    },
    error::Problem,
    pages::collaborative_todo::{
        actions::Actions,
        add_form::AddForm,
        list::TodoList,
        list_todos,
        rows::{AFTER, Rows},
    },
    todo::TodoPage,
    websocket,
};

use live::LiveList;

/// The list, rendered by the server and then live.
#[component]
pub fn WebSocketTodoPage() -> impl IntoView {
    let after = use_query_map().read_untracked().get(AFTER);
    let first = Resource::new(move || after.clone(), list_todos);
    let live = LiveList::new(use_toasts());
    let endpoint = use_endpoint(websocket::path_of(websocket::TODO), move |frame| live.hear(frame));
    let present = use_presence(endpoint);
    Effect::new(move || {
        // What changed while the connection was away is in the list as it is now.
        if endpoint.status().get() == EndpointStatus::Connected {
            live.load(endpoint);
        }
    });
    let actions = live.actions(endpoint);
    view! {
        <PageHeader
            title="To-do over a WebSocket"
            lead="The same list as in the cluster demo, asked and answered over one socket instead of requests."
        />
        <section class="card todo-board" aria-labelledby="tasks">
            <div class="card-head">
                <h2 id="tasks">"Tasks"</h2>
                <EndpointBadge status=endpoint.status() />
            </div>
            <FormOutcome />
            <AddForm actions />
            <Transition fallback=|| view! { <Skeleton lines=4 /> }>
                {move || first.get().map(|first| view! { <Listing first live actions /> })}
            </Transition>
        </section>
        <PresenceCard present own_id=endpoint.own_id() />
        <section class="explain" aria-labelledby="how">
            <h2 id="how">"How it works"</h2>
            <p>
                "The endpoint " <code>"hello-todo"</code> " answers " <code>"list"</code> ", " <code>"create"</code> ", "
                <code>"toggle"</code> " and " <code>"delete"</code>
                " and tells every other socket of a change. It keeps no log: after a broken connection the page asks for the whole list again, where the cluster demo gets just what it missed."
            </p>
        </section>
    }
    .into_any()
}

/// The rendered list until the live one is there.
#[component]
fn Listing(first: Result<TodoPage, Problem>, live: LiveList, actions: Actions) -> impl IntoView {
    let problem = first.as_ref().err().copied();
    let first = first.map(TodoList::from).unwrap_or_default();
    let list = Signal::derive(move || live.list().unwrap_or_else(|| first.clone()));
    let shown = Memo::new(move |_| list.with(|list| live.wishes.with(|wishes| list.shown_with(wishes))));
    let next_cursor = Signal::derive(move || list.with(|list| list.next_cursor().map(str::to_owned)));
    let failed = move || problem.filter(|_| !live.is_loaded());
    view! {
        {move || match failed() {
            Some(problem) => view! { <p class="notice notice-error" role="alert">{problem.to_string()}</p> }.into_any(),
            None => view! { <Rows actions shown next_cursor is_loading=live.is_loading.into() /> }.into_any(),
        }}
    }
    .into_any()
}
