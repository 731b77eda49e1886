//! The list as the endpoint tells it.

use leptos::{prelude::*, task::spawn_local};
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Code, endpoint::RequestError};

use super::super::said::Said;
use crate::{
    cluster::Endpoint,
    components::toast::{Level, Toasts},
    pages::collaborative_todo::{
        actions::{Actions, Wishes},
        list::TodoList,
        shown::Wish,
    },
    todo::{Todo, TodoAction, TodoPage},
};

/// Tasks a request for the list asks for.
const PAGE_ROWS: usize = 20;

/// A change: what everybody is told, and what who asked for it is answered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Change {
    action: TodoAction,
    todo: Todo,
}

/// What is known over the socket, and what this browser has asked for.
#[derive(Clone, Copy)]
pub(super) struct LiveList {
    known: RwSignal<Option<TodoList>>,
    pub(super) wishes: Wishes,
    pub(super) is_loading: RwSignal<bool>,
    /// Heard while the list is on its way, which may be older.
    meanwhile: StoredValue<Option<Vec<Change>>>,
    toasts: Toasts,
}

impl LiveList {
    pub(super) fn new(toasts: Toasts) -> Self {
        Self {
            known: RwSignal::new(None),
            wishes: Wishes::new(),
            is_loading: RwSignal::new(false),
            meanwhile: StoredValue::default(),
            toasts,
        }
    }

    /// The list; `None` until the endpoint has told it.
    pub(super) fn list(self) -> Option<TodoList> {
        self.known.get()
    }

    /// Whether the endpoint has told it.
    pub(super) fn is_loaded(self) -> bool {
        self.known.with(Option::is_some)
    }

    /// Asks for the list as it is now.
    pub(super) fn load(self, endpoint: Endpoint) {
        self.meanwhile.set_value(Some(Vec::new()));
        spawn_local(async move {
            let answer = ask_page(endpoint, None).await;
            let heard = self.meanwhile.try_update_value(Option::take).flatten().unwrap_or_default();
            match answer {
                Ok(page) => {
                    let mut list = TodoList::from(page);
                    for change in heard {
                        apply(&mut list, change);
                    }
                    self.known.try_set(Some(list));
                }
                Err(error) => self.refused(&error),
            }
        });
    }

    /// Takes a frame of the endpoint in.
    pub(super) fn hear(self, frame: &Value) {
        if let Some(Said { data, .. }) = Said::<Change>::read(frame) {
            if data.action == TodoAction::Created {
                // It may be here before the answer to who asked for it: it is never seen twice.
                self.wishes.come_true(&data.todo.title);
            }
            self.take(data);
        }
    }

    pub(super) fn actions(self, endpoint: Endpoint) -> Actions {
        Actions {
            add: Callback::new(move |(title, take_back): (String, Callback<String>)| {
                let message = json!({ "type": "create", "text": title });
                self.change(endpoint, self.wishes.to_add(&title), message, move || take_back.run(title));
            }),
            toggle: Callback::new(move |(id, completed): (String, bool)| {
                let message = json!({ "type": "toggle", "id": id });
                self.change(endpoint, Wish::Toggle { id, completed }, message, || ());
            }),
            delete: Callback::new(move |id: String| {
                let message = json!({ "type": "delete", "id": id });
                self.change(endpoint, Wish::Delete { id }, message, || ());
            }),
            load_more: Callback::new(move |()| self.load_more(endpoint)),
        }
    }

    /// Asks for a change and shows it until the answer is there.
    fn change(self, endpoint: Endpoint, wish: Wish, message: Value, take_back: impl FnOnce() + 'static) {
        self.wishes.show(wish.clone());
        spawn_local(async move {
            let answer = endpoint.ask(&message).await;
            match answer.map(|data| serde_json::from_value::<Change>(data["data"].clone())) {
                Ok(Ok(change)) => self.take(change),
                Ok(Err(_)) => {}
                Err(error) => {
                    take_back();
                    self.refused(&error);
                    if let (Code::TodoNotFound, Wish::Toggle { id, .. } | Wish::Delete { id }) = (error.code, &wish) {
                        self.known.try_update(|known| known.as_mut().map(|list| list.forget(id)));
                    }
                }
            }
            self.wishes.end(&wish);
        });
    }

    fn load_more(self, endpoint: Endpoint) {
        let cursor = self.known.with_untracked(|known| known.as_ref()?.next_cursor().map(str::to_owned));
        if cursor.is_none() || self.is_loading.get_untracked() {
            return;
        }
        self.is_loading.set(true);
        spawn_local(async move {
            match ask_page(endpoint, cursor).await {
                Ok(page) => drop(self.known.try_update(|known| known.as_mut().map(|list| list.append(page)))),
                Err(error) => self.refused(&error),
            }
            self.is_loading.try_set(false);
        });
    }

    /// Takes a change in; heard twice, it changes nothing.
    fn take(self, change: Change) {
        self.meanwhile.try_update_value(|meanwhile| meanwhile.as_mut().map(|heard| heard.push(change.clone())));
        self.known.try_update(|known| known.as_mut().map(|list| apply(list, change)));
    }

    fn refused(self, error: &RequestError) {
        self.toasts.show(Level::Error, error);
    }
}

fn apply(list: &mut TodoList, Change { action, todo }: Change) {
    match action {
        TodoAction::Created => list.created(todo),
        TodoAction::Updated => list.updated(todo),
        TodoAction::Deleted => list.deleted(&todo),
    }
}

async fn ask_page(endpoint: Endpoint, cursor: Option<String>) -> Result<TodoPage, RequestError> {
    let data = endpoint.ask(&json!({ "type": "list", "limit": PAGE_ROWS, "cursor": cursor })).await?;
    let unreadable = |_| RequestError::new(Code::Unknown, "the list could not be read");
    serde_json::from_value(data["data"].clone()).map_err(unreadable)
}
