//! Adding a task.

use leptos::{ev::SubmitEvent, html, prelude::*, server_fn::ServerFn};

use super::{actions::Actions, functions::AddTodo};
use crate::{
    components::toast::{Level, use_toasts},
    error::Problem,
    todo::Title,
};

/// A field and a button; a plain form until the page is alive.
#[component]
pub(in crate::pages) fn AddForm(
    /// What the button calls.
    actions: Actions,
) -> impl IntoView {
    let toasts = use_toasts();
    let field = NodeRef::<html::Input>::new();
    let length = RwSignal::new(0);
    let take_back = Callback::new(move |title: String| {
        // Somebody who has begun to write anew keeps that.
        if let Some(field) = field.get_untracked().filter(|field| field.value().is_empty()) {
            field.set_value(&title);
            length.set(title.chars().count());
        }
    });
    let add = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(field) = field.get_untracked() else { return };
        match Title::parse(&field.value()) {
            Ok(title) => {
                field.set_value("");
                length.set(0);
                actions.add.run((title.as_str().to_owned(), take_back));
            }
            Err(error) => toasts.show(Level::Error, Problem::from(error)),
        }
    };
    view! {
        <form class="add-form" method="post" action=AddTodo::url() on:submit=add>
            <label for="new-task">"New task"</label>
            <div class="field-row">
                <input
                    id="new-task"
                    name="text"
                    type="text"
                    required
                    autocomplete="off"
                    maxlength=Title::MAX_CHARS.to_string()
                    aria-describedby="new-task-hint"
                    node_ref=field
                    on:input:target=move |event| length.set(event.target().value().chars().count())
                />
                <button type="submit" class="button">
                    "Add"
                </button>
            </div>
            <p id="new-task-hint" class="hint">
                {move || match length.get() {
                    0 => format!("At most {} characters.", Title::MAX_CHARS),
                    length => format!("{length} of {} characters.", Title::MAX_CHARS),
                }}
            </p>
        </form>
    }
    .into_any()
}
