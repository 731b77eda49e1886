//! The list with everything that can be done to it.

use leptos::{ev::SubmitEvent, html, prelude::*, server_fn::ServerFn, task::spawn_local};
use leptos_router::hooks::use_query_map;

use super::{
    functions::{AddTodo, add_todo, delete_todo, list_todos, toggle_todo},
    list::TodoList,
    row::TodoRow,
    shown::{Shown, Wish},
};
use crate::{
    channel,
    cluster::{self, LiveResource, LiveSources, TypedChannel},
    components::{
        notice::FormOutcome,
        skeleton::Skeleton,
        toast::{Level, Toasts, use_toasts},
    },
    error::Problem,
    todo::{Title, TodoAction, TodoChange},
};

/// Where created and deleted tasks are announced.
const LIST_CHANGED: TypedChannel<TodoChange> = channel!("view:helloClusterTodo:list:changed");
/// Where changed tasks are announced.
const ITEM_UPDATED: TypedChannel<TodoChange> = channel!("view:helloClusterTodo:item:updated");
/// The query parameter with the cursor of a later page, for browsers without WebAssembly.
const AFTER: &str = "after";

/// The shared list: live, optimistic, and a set of plain forms until the page is alive.
#[component]
pub fn TodoBoard() -> impl IntoView {
    let after = use_query_map().read_untracked().get(AFTER);
    let wishes = RwSignal::new(Vec::new());
    let list = LiveSources::on(LIST_CHANGED, move |list: &mut TodoList, change: TodoChange, _| {
        come_true(wishes, &change);
        list.apply(change);
    })
    .also(ITEM_UPDATED, |list: &mut TodoList, change, _| list.apply(change))
    .load(move || {
        let page = list_todos(after.clone());
        async move { page.await.map(TodoList::from) }
    });
    let board = Board { list, wishes, wishes_made: StoredValue::new(0), toasts: use_toasts() };
    view! {
        <section class="card todo-board" aria-labelledby="tasks">
            <FormOutcome />
            <AddForm board />
            <h2 id="tasks" class="visually-hidden">
                "Tasks"
            </h2>
            <Transition fallback=|| view! { <Skeleton lines=4 /> }>
                <Listing board />
            </Transition>
        </section>
    }
    .into_any()
}

/// The list and what this browser has asked of it.
#[derive(Clone, Copy)]
pub(super) struct Board {
    list: LiveResource<TodoList, Problem>,
    wishes: RwSignal<Vec<Wish>>,
    wishes_made: StoredValue<u32>,
    toasts: Toasts,
}

impl Board {
    /// Adds a task. When the server says no, `take_back` gets the title.
    fn add(self, title: String, take_back: impl FnOnce(&str) + 'static) {
        let number = self.wishes_made.get_value() + 1;
        self.wishes_made.set_value(number);
        let wish = Wish::Add { key: format!("wish-{number}"), title: title.clone() };
        self.wish(wish, async move {
            match add_todo(title.clone()).await {
                Ok(todo) => self.list.update(|list| list.created(todo)),
                Err(problem) => {
                    take_back(&title);
                    self.refused(problem);
                }
            }
        });
    }

    /// Ticks a task off (`completed`), or opens it again.
    pub(super) fn toggle(self, id: String, completed: bool) {
        self.wish(Wish::Toggle { id: id.clone(), completed }, async move {
            match toggle_todo(id.clone()).await {
                Ok(todo) => self.list.update(|list| list.updated(todo)),
                Err(problem) => self.refused_for(&id, problem),
            }
        });
    }

    /// Deletes a task.
    pub(super) fn delete(self, id: String) {
        self.wish(Wish::Delete { id: id.clone() }, async move {
            match delete_todo(id.clone()).await {
                Ok(todo) => self.list.update(|list| list.deleted(&todo)),
                Err(problem) => self.refused_for(&id, problem),
            }
        });
    }

    /// Loads what follows the loaded part.
    fn load_more(self, is_loading: RwSignal<bool>) {
        let cursor = untrack(|| self.list.with(|list| list?.as_ref().ok()?.next_cursor().map(str::to_owned)));
        if cursor.is_none() || is_loading.get_untracked() {
            return;
        }
        is_loading.set(true);
        spawn_local(async move {
            match list_todos(cursor).await {
                Ok(page) => self.list.update(|list| list.append(page)),
                Err(problem) => self.refused(problem),
            }
            is_loading.set(false);
        });
    }

    /// Shows `wish` until `request`, which takes the answer in, is through.
    fn wish(self, wish: Wish, request: impl Future<Output = ()> + 'static) {
        self.wishes.update(|wishes| wishes.push(wish.clone()));
        spawn_local(async move {
            request.await;
            self.wishes.update(|wishes| {
                if let Some(place) = wishes.iter().position(|other| *other == wish) {
                    wishes.remove(place);
                }
            });
        });
    }

    fn refused(self, problem: Problem) {
        self.toasts.show(Level::Error, problem);
    }

    fn refused_for(self, id: &str, problem: Problem) {
        if problem == Problem::TaskGone {
            self.list.update(|list| list.forget(id));
        }
        self.refused(problem);
    }
}

/// News of a task this very tab added may be here before the answer: the wish for it ends with
/// whichever comes first, so that the task is never seen twice.
fn come_true(wishes: RwSignal<Vec<Wish>>, change: &TodoChange) {
    let is_own = cluster::installed().is_some_and(|link| change.uuid.as_deref() == Some(&*link.uuid()));
    if is_own && change.action == TodoAction::Created {
        wishes.update(|wishes| {
            let granted = |wish: &Wish| matches!(wish, Wish::Add { title, .. } if *title == change.todo.title);
            if let Some(place) = wishes.iter().position(granted) {
                wishes.remove(place);
            }
        });
    }
}

#[component]
fn AddForm(board: Board) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    let length = RwSignal::new(0);
    let add = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(field) = field.get_untracked() else { return };
        match Title::parse(&field.value()) {
            Ok(title) => {
                field.set_value("");
                length.set(0);
                board.add(title.as_str().to_owned(), move |title| {
                    // Somebody who has begun to write anew keeps that.
                    if field.value().is_empty() {
                        field.set_value(title);
                        length.set(title.chars().count());
                    }
                });
            }
            Err(error) => board.refused(error.into()),
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

#[component]
fn Listing(board: Board) -> impl IntoView {
    let state = Memo::new(move |_| {
        board.list.with(|list| match list {
            None => State::Loading,
            Some(Err(problem)) => State::Failed(*problem),
            Some(Ok(_)) => State::Loaded,
        })
    });
    let shown = Memo::new(move |_| {
        board.list.with(|list| match list {
            Some(Ok(list)) => board.wishes.with(|wishes| list.shown_with(wishes)),
            _ => Shown::default(),
        })
    });
    move || match state.get() {
        State::Loading => ().into_any(),
        State::Failed(problem) => view! {
            <div class="notice notice-error" role="alert">
                <p>{problem.to_string()}</p>
                <p>
                    <a href="" target="_self">
                        "Try again"
                    </a>
                </p>
            </div>
        }
        .into_any(),
        State::Loaded => view! { <Rows board shown /> }.into_any(),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Loading,
    Failed(Problem),
    Loaded,
}

#[component]
fn Rows(board: Board, shown: Memo<Shown>) -> impl IntoView {
    let is_loading = RwSignal::new(false);
    let rows = NodeRef::<html::Ul>::new();
    let counts = move || {
        let stats = shown.with(|shown| shown.stats);
        format!("{} in all: {} open, {} done", stats.total, stats.pending, stats.completed)
    };
    let next_page =
        move || board.list.with(|list| list?.as_ref().ok()?.next_cursor().map(|cursor| format!("?{AFTER}={cursor}")));
    view! {
        <p class="todo-counts">{counts}</p>
        <Show when=move || shown.with(|shown| shown.rows.is_empty() && !shown.has_more)>
            <p class="empty">"Nothing to do yet. Add the first task above."</p>
        </Show>
        <ul class="todo-list" role="list" tabindex="-1" aria-label="Tasks" node_ref=rows>
            <For each=move || shown.get().rows key=|row| row.key.clone() let:row>
                <TodoRow board shown row list=rows />
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
                    board.load_more(is_loading);
                }
            >
                {move || if is_loading.get() { "Loading more" } else { "Load more" }}
            </a>
        </Show>
    }
    .into_any()
}
