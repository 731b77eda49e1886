//! One task of the list.

use leptos::{ev::SubmitEvent, html, prelude::*, server_fn::ServerFn};

use super::{
    actions::Actions,
    functions::{DeleteTodo, ToggleTodo},
    shown::{Row, Shown},
};
use crate::components::time::RelativeTime;

/// A task: its check box and its delete button are the buttons of two small forms, so that they work
/// before the page is alive.
#[component]
pub(super) fn TodoRow(
    /// What the buttons call.
    actions: Actions,
    /// The list on the screen, to follow this row's state.
    shown: Memo<Shown>,
    /// The row as it is first shown.
    row: Row,
    /// The list's element, which takes the focus when the row goes.
    list: NodeRef<html::Ul>,
) -> impl IntoView {
    let Row { key: id, title, is_completed, is_pending, username, created_at } = row;
    let state = {
        let id = id.clone();
        Memo::new(move |last: Option<&(bool, bool)>| {
            let known = shown.with(|shown| {
                shown.rows.iter().find(|row| row.key == id).map(|row| (row.is_completed, row.is_pending))
            });
            known.or(last.copied()).unwrap_or((is_completed, is_pending))
        })
    };
    let is_completed = move || state.get().0;
    let is_pending = move || state.get().1;
    let toggle = {
        let id = id.clone();
        move |event: SubmitEvent| {
            event.prevent_default();
            let (is_completed, is_pending) = state.get_untracked();
            if !is_pending {
                actions.toggle.run((id.clone(), !is_completed));
            }
        }
    };
    let delete = {
        let id = id.clone();
        move |event: SubmitEvent| {
            event.prevent_default();
            if !state.get_untracked().1 {
                actions.delete.run(id.clone());
                if let Some(list) = list.get_untracked() {
                    // A failure would leave the focus where it is, which is no harm.
                    let _ = list.focus();
                }
            }
        }
    };
    let origin = (!created_at.is_empty()).then(|| {
        view! {
            <p class="todo-origin">"Added by " {username} ", " <RelativeTime at=created_at /></p>
        }
        .into_any()
    });
    view! {
        <li class="todo" class:todo-done=is_completed class:todo-pending=is_pending>
            <form method="post" action=ToggleTodo::url() on:submit=toggle>
                <input type="hidden" name="id" value=id.clone() />
                <button
                    type="submit"
                    class="todo-check"
                    role="checkbox"
                    aria-label=title.clone()
                    aria-checked=move || is_completed().to_string()
                    aria-disabled=move || is_pending().then_some("true")
                >
                    <svg viewBox="0 0 20 20" aria-hidden="true">
                        <path d="M5 10.5l3.5 3.5L15 6.5" />
                    </svg>
                </button>
            </form>
            <div class="todo-text">
                <p class="todo-title">{title.clone()}</p>
                {origin}
            </div>
            <form method="post" action=DeleteTodo::url() on:submit=delete>
                <input type="hidden" name="id" value=id />
                <button
                    type="submit"
                    class="button-quiet"
                    aria-label=format!("Delete {title}")
                    aria-disabled=move || is_pending().then_some("true")
                >
                    "Delete"
                </button>
            </form>
        </li>
    }
    .into_any()
}
