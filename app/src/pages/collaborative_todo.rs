//! The collaborative to-do list, pattern B: validate, save, answer, then broadcast.

pub(super) mod actions;
pub(super) mod add_form;
mod board;
mod functions;
pub(super) mod list;
mod row;
pub(super) mod rows;
pub(super) mod shown;

use leptos::prelude::*;

use crate::components::page::PageHeader;

pub use board::TodoBoard;
pub use functions::{AddTodo, DeleteTodo, ListTodos, ToggleTodo, add_todo, delete_todo, list_todos, toggle_todo};

/// The list with its heading, for the multi-page and the single-page demo alike.
#[component]
pub fn CollaborativeTodoPage() -> impl IntoView {
    view! {
        <PageHeader
            title="Collaborative to-do"
            lead="One list for everybody: a change made in any browser, on any instance, appears in all of them."
        />
        <TodoBoard />
        <section class="explain" aria-labelledby="how">
            <h2 id="how">"How it works"</h2>
            <p>
                "The server checks a change, saves it, answers, and only then announces it on "
                <code>"view:helloClusterTodo:list:changed"</code> " or "
                <code>"view:helloClusterTodo:item:updated"</code>
                ". Your own browser shows the change at once and takes it back if the server says no."
            </p>
        </section>
    }
    .into_any()
}
