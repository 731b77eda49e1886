//! What the list's page asks the server for. Each works as the target of a plain form as well.

use leptos::{server, server_fn::codec::GetUrl};

use crate::{
    cluster::ClusterClient,
    error::Problem,
    todo::{Todo, TodoPage},
};

/// One page of the list, newest first, behind `after`.
///
/// # Errors
///
/// When `after` is no cursor of this list, or the store does not answer.
#[server(prefix = "/fn", endpoint = "todo-list", input = GetUrl, client = ClusterClient)]
pub async fn list_todos(
    /// The `next_cursor` of the page before.
    after: Option<String>,
) -> Result<TodoPage, Problem> {
    use crate::{error::set_status, pages::request, todos};
    /// Rows a page of the list has.
    const PAGE_ROWS: usize = 20;

    let page = todos::list(&request::ports()?, PAGE_ROWS, after.as_deref()).await;
    page.map_err(|error| {
        let problem = Problem::from(error);
        set_status(problem);
        problem
    })
}

/// Adds a task with the title `text`.
///
/// # Errors
///
/// When `text` is no title, or the store does not answer.
#[server(prefix = "/fn", endpoint = "todo-add", client = ClusterClient)]
pub async fn add_todo(
    /// The title as it was typed.
    text: String,
) -> Result<Todo, Problem> {
    use crate::{
        components::notice::Notice,
        pages::{address, request},
        todos,
    };

    let added = todos::create(&request::ports()?, &text, request::publisher().await).await;
    request::finish(added.map_err(Problem::from), Notice::Added, address::COLLABORATIVE_TODO)
}

/// Ticks a task off, or makes it open again.
///
/// # Errors
///
/// When there is no such task, or the store does not answer.
#[server(prefix = "/fn", endpoint = "todo-toggle", client = ClusterClient)]
pub async fn toggle_todo(
    /// Of the task.
    id: String,
) -> Result<Todo, Problem> {
    use crate::{
        components::notice::Notice,
        pages::{address, request},
        todos,
    };

    let toggled = todos::toggle(&request::ports()?, &id, request::publisher().await).await;
    request::finish(toggled.map_err(Problem::from), Notice::Changed, address::COLLABORATIVE_TODO)
}

/// Deletes a task.
///
/// # Errors
///
/// When there is no such task, or the store does not answer.
#[server(prefix = "/fn", endpoint = "todo-delete", client = ClusterClient)]
pub async fn delete_todo(
    /// Of the task.
    id: String,
) -> Result<Todo, Problem> {
    use crate::{
        components::notice::Notice,
        pages::{address, request},
        todos,
    };

    let deleted = todos::delete(&request::ports()?, &id, request::publisher().await).await;
    request::finish(deleted.map_err(Problem::from), Notice::Deleted, address::COLLABORATIVE_TODO)
}
