//! The list with everything that can be done to it.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_query_map;

use super::{
    actions::{Actions, Wishes},
    add_form::AddForm,
    functions::{add_todo, delete_todo, list_todos, toggle_todo},
    list::TodoList,
    rows::{AFTER, Rows},
    shown::{Shown, Wish},
};
use crate::{
    channel,
    cluster::{self, LiveResource, LiveSources, TypedChannel},
    components::{
        notice::{FormOutcome, LoadFailed},
        skeleton::Skeleton,
        toast::{Level, Toasts, use_toasts},
    },
    error::Problem,
    todo::{TodoAction, TodoChange},
};

/// Where created and deleted tasks are announced.
const LIST_CHANGED: TypedChannel<TodoChange> = channel!("view:helloClusterTodo:list:changed");
/// Where changed tasks are announced.
const ITEM_UPDATED: TypedChannel<TodoChange> = channel!("view:helloClusterTodo:item:updated");

/// The shared list: live, optimistic, and a set of plain forms until the page is alive.
#[component]
pub fn TodoBoard() -> impl IntoView {
    let after = use_query_map().read_untracked().get(AFTER);
    let wishes = Wishes::new();
    let list = LiveSources::on(LIST_CHANGED, move |list: &mut TodoList, change: TodoChange, _| {
        // News of a task this very tab added may be here before the answer: the wish for it ends with
        // whichever comes first, so that the task is never seen twice.
        let is_own = cluster::installed().is_some_and(|link| change.uuid.as_deref() == Some(&*link.uuid()));
        if is_own && change.action == TodoAction::Created {
            wishes.come_true(&change.todo.title);
        }
        list.apply(change);
    })
    .also(ITEM_UPDATED, |list: &mut TodoList, change, _| list.apply(change))
    .load(move || {
        let page = list_todos(after.clone());
        async move { page.await.map(TodoList::from) }
    });
    let board = Board { list, wishes, is_loading: RwSignal::new(false), toasts: use_toasts() };
    let actions = board.actions();
    view! {
        <section class="card todo-board" aria-labelledby="tasks">
            <FormOutcome />
            <AddForm actions />
            <h2 id="tasks" class="visually-hidden">
                "Tasks"
            </h2>
            <Transition fallback=|| view! { <Skeleton lines=4 /> }>
                <Listing board actions />
            </Transition>
        </section>
    }
    .into_any()
}

/// The list and what this browser has asked of it.
#[derive(Clone, Copy)]
struct Board {
    list: LiveResource<TodoList, Problem>,
    wishes: Wishes,
    is_loading: RwSignal<bool>,
    toasts: Toasts,
}

impl Board {
    fn actions(self) -> Actions {
        Actions {
            add: Callback::new(move |(title, take_back)| self.add(title, take_back)),
            toggle: Callback::new(move |(id, completed)| self.toggle(id, completed)),
            delete: Callback::new(move |id| self.delete(id)),
            load_more: Callback::new(move |()| self.load_more()),
        }
    }

    /// Adds a task. When the server says no, `take_back` gets the title.
    fn add(self, title: String, take_back: Callback<String>) {
        self.wish(self.wishes.to_add(&title), async move {
            match add_todo(title.clone()).await {
                Ok(todo) => self.list.update(|list| list.created(todo)),
                Err(problem) => {
                    take_back.run(title);
                    self.refused(problem);
                }
            }
        });
    }

    /// Ticks a task off (`completed`), or opens it again.
    fn toggle(self, id: String, completed: bool) {
        self.wish(Wish::Toggle { id: id.clone(), completed }, async move {
            match toggle_todo(id.clone()).await {
                Ok(todo) => self.list.update(|list| list.updated(todo)),
                Err(problem) => self.refused_for(&id, problem),
            }
        });
    }

    /// Deletes a task.
    fn delete(self, id: String) {
        self.wish(Wish::Delete { id: id.clone() }, async move {
            match delete_todo(id.clone()).await {
                Ok(todo) => self.list.update(|list| list.deleted(&todo)),
                Err(problem) => self.refused_for(&id, problem),
            }
        });
    }

    /// Loads what follows the loaded part.
    fn load_more(self) {
        let cursor = untrack(|| self.list.with(|list| list?.as_ref().ok()?.next_cursor().map(str::to_owned)));
        if cursor.is_none() || self.is_loading.get_untracked() {
            return;
        }
        self.is_loading.set(true);
        spawn_local(async move {
            match list_todos(cursor).await {
                Ok(page) => self.list.update(|list| list.append(page)),
                Err(problem) => self.refused(problem),
            }
            self.is_loading.set(false);
        });
    }

    /// Shows `wish` until `request`, which takes the answer in, is through.
    fn wish(self, wish: Wish, request: impl Future<Output = ()> + 'static) {
        self.wishes.show(wish.clone());
        spawn_local(async move {
            request.await;
            self.wishes.end(&wish);
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

#[component]
fn Listing(board: Board, actions: Actions) -> impl IntoView {
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
    let next_cursor = move || board.list.with(|list| list?.as_ref().ok()?.next_cursor().map(str::to_owned));
    move || match state.get() {
        State::Loading => ().into_any(),
        State::Failed(problem) => view! { <LoadFailed problem /> }.into_any(),
        State::Loaded => {
            view! { <Rows actions shown next_cursor=Signal::derive(next_cursor) is_loading=board.is_loading.into() /> }
                .into_any()
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Loading,
    Failed(Problem),
    Loaded,
}
