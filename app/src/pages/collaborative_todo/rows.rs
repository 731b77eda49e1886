//! The rows of a list of tasks.

use leptos::{html, prelude::*};

use super::{actions::Actions, row::TodoRow, shown::Shown};

/// The query parameter with the cursor of a later page, for browsers without WebAssembly.
pub(in crate::pages) const AFTER: &str = "after";

/// The list with its counts, and the way to the rest of it.
#[component]
pub(in crate::pages) fn Rows(
    /// What the buttons call.
    actions: Actions,
    /// The list on the screen.
    shown: Memo<Shown>,
    /// The cursor of the next page, if there is one.
    next_cursor: Signal<Option<String>>,
    /// Whether the next page is on its way.
    is_loading: Signal<bool>,
) -> impl IntoView {
    let rows = NodeRef::<html::Ul>::new();
    let counts = move || {
        let stats = shown.with(|shown| shown.stats);
        format!("{} in all: {} open, {} done", stats.total, stats.pending, stats.completed)
    };
    let next_page = move || next_cursor.get().map(|cursor| format!("?{AFTER}={cursor}"));
    view! {
        <p class="todo-counts">{counts}</p>
        <Show when=move || shown.with(|shown| shown.rows.is_empty() && !shown.has_more)>
            <p class="empty">"Nothing to do yet. Add the first task above."</p>
        </Show>
        <ul class="todo-list" role="list" tabindex="-1" aria-label="Tasks" node_ref=rows>
            <For each=move || shown.get().rows key=|row| row.key.clone() let:row>
                <TodoRow actions shown row list=rows />
            </For>
        </ul>
        <Show when=move || shown.with(|shown| shown.has_more)>
            <a
                class="button button-secondary"
                href=next_page
                target="_self"
                aria-busy=move || is_loading.get().to_string()
                on:click=move |event| {
                    event.prevent_default();
                    actions.load_more.run(());
                }
            >
                {move || if is_loading.get() { "Loading more" } else { "Load more" }}
            </a>
        </Show>
    }
    .into_any()
}
