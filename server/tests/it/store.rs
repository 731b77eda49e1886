//! One contract over both stores, and what only one of them can show.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

mod carts;
mod embedded;
mod mongo;
mod texts;

use std::{collections::HashSet, future::Future, sync::Arc};

use app::{
    account::PersonName,
    ports::{Announcement, Publisher, StoreError, Tell, Todos},
    system_notification::{NotificationDraft, Severity},
    todo::{Title, Todo, TodoAction, TodoChange, TodoStats, TodoUser},
};
use futures_util::{StreamExt, stream};
use serde_json::json;
use server::{
    endpoint::Definition,
    store::{ConfigName, Store},
};
use texts::*;

/// Every promise of a store, kept by each: `$with` runs a test on a fresh store of its kind.
macro_rules! contract {
    ($with:path) => {
        crate::store::contract!($with:
            a_new_list_is_empty,
            a_created_todo_is_listed_as_answered,
            a_toggle_turns_and_turns_back,
            a_toggle_by_many_at_once_loses_none,
            a_deleted_todo_is_gone,
            what_is_not_there_is_not_found,
            malformed_ids_and_cursors_are_told_apart,
            paging_shows_each_todo_once_newest_first,
            paging_neither_skips_nor_repeats_while_todos_come_and_go,
            todos_created_at_once_are_all_kept,
            a_page_has_1_to_100_todos,
            any_title_survives,
            the_audit_trail_has_every_announced_change_newest_first_up_to_a_thousand,
            keys_of_a_collection_are_found_by_how_they_begin,
            a_new_text_is_empty,
            an_edit_is_kept_and_answered_with_those_it_had_missed,
            an_edit_that_comes_twice_is_taken_and_announced_once,
            edits_by_many_at_once_are_all_in_the_text,
            an_edit_that_is_refused_changes_nothing,
            only_the_latest_edits_are_kept,
            long_edits_are_kept_less_long,
            notifications_are_kept_newest_first_up_to_a_thousand,
            endpoints_are_kept_changed_and_removed_by_name,
            each_user_has_one_cart_that_keeps_its_id,
            a_cart_is_made_once_by_however_many_ask,
            changes_of_a_cart_at_once_lose_none_and_are_told_in_order,
            what_leaves_a_cart_as_it_is_is_not_told,
            a_cart_belongs_to_an_id_that_a_user_could_have,
            a_store_that_answers_pings_until_it_is_closed,
        );
    };
    ($with:path: $($test:ident),* $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            $with(crate::store::$test).await;
        })*
    };
}
use carts::{
    a_cart_belongs_to_an_id_that_a_user_could_have, a_cart_is_made_once_by_however_many_ask,
    changes_of_a_cart_at_once_lose_none_and_are_told_in_order, each_user_has_one_cart_that_keeps_its_id,
    what_leaves_a_cart_as_it_is_is_not_told,
};
use contract;

async fn notifications_are_kept_newest_first_up_to_a_thousand(store: Store) {
    let notifications = store.notifications();
    let draft = |number: usize| NotificationDraft::parse(&format!("notice {number}"), "error", number == 3).unwrap();
    let add = |number: usize| {
        let notifications = Arc::clone(&notifications);
        async move { notifications.add(draft(number), "root", Box::new(|_| None)).await.unwrap() }
    };
    let mut added = Vec::new();
    for number in 1..=3 {
        added.insert(0, add(number).await);
    }
    assert_eq!(notifications.latest(10).await.unwrap(), added);
    assert_eq!(notifications.latest(2).await.unwrap(), added[..2]);
    let newest = &added[0];
    assert_eq!((newest.admin_user.as_str(), newest.sent.level, newest.sent.critical), ("root", Severity::Error, true));
    for number in 4..=1_002 {
        add(number).await;
    }
    let kept = notifications.latest(2_000).await.unwrap();
    assert_eq!((kept.len(), kept[999].sent.message.as_str()), (1_000, "notice 3"));
}

async fn endpoints_are_kept_changed_and_removed_by_name(store: Store) {
    let endpoints = store.endpoints();
    let definition = |name: &str, roles: &[&str]| {
        let body =
            json!({ "name": name, "auth": "user", "roles": roles, "publicTypes": [], "limits": { "maxSize": 9 } });
        Definition::parse(&body).unwrap()
    };
    assert_eq!(endpoints.list().await.unwrap(), []);
    let (a, b) = (definition("a", &[]), definition("b", &["editor"]));
    endpoints.put(&b).await.unwrap();
    endpoints.put(&a).await.unwrap();
    assert_eq!(endpoints.list().await.unwrap(), [a.clone(), b]);
    let b = definition("b", &[]);
    endpoints.put(&b).await.unwrap();
    assert_eq!(endpoints.list().await.unwrap(), [a, b.clone()]);
    assert!(endpoints.remove("a").await.unwrap());
    assert!(!endpoints.remove("a").await.unwrap());
    assert_eq!(endpoints.list().await.unwrap(), [b]);
}

async fn the_audit_trail_has_every_announced_change_newest_first_up_to_a_thousand(store: Store) {
    let todos = store.todos();
    let event_for = |action: TodoAction, who: &'static str| -> Tell<Todo> {
        Box::new(move |todo: &Todo| {
            let user = TodoUser { username: who.into(), name: PersonName::default() };
            let timestamp = "2026-11-28T10:00:00.000Z".to_owned();
            let change = TodoChange { action, todo: todo.clone(), user, timestamp, uuid: Some("tab".into()) };
            let payload = serde_json::to_value(change).unwrap().as_object().cloned().unwrap();
            let channel = wire::Channel::parse(app::todo::LIST_CHANGED).unwrap();
            Some(Announcement { channel, payload, publisher: Publisher::default() })
        })
    };
    let made = todos.create(&title("tea"), "mona", event_for(TodoAction::Created, "mona")).await.unwrap();
    todos.toggle(&made.id, event_for(TodoAction::Updated, "otto")).await.unwrap();
    todos.delete(&made.id, event_for(TodoAction::Deleted, "ada")).await.unwrap();
    // Nothing changed, so nothing is added.
    assert!(todos.delete(&made.id, event_for(TodoAction::Deleted, "ada")).await.is_err());
    todos.create(&title("secret"), "mona", silent()).await.unwrap();
    let trail = todos.history(10).await.unwrap();
    let seen: Vec<_> = trail.iter().map(|it| (it.action, it.user.username.as_str(), it.completed)).collect();
    let wanted =
        [(TodoAction::Deleted, "ada", true), (TodoAction::Updated, "otto", true), (TodoAction::Created, "mona", false)];
    assert_eq!(seen, wanted);
    assert!(trail.iter().all(|it| it.todo_id == made.id && it.title == "tea" && it.at.ends_with('Z')), "{trail:?}");
    assert_eq!(todos.history(1).await.unwrap(), trail[..1]);
    let many = (0..1_010).map(|number| {
        let (todos, event) = (Arc::clone(&todos), event_for(TodoAction::Created, "mona"));
        async move { todos.create(&title(&format!("{number}")), "mona", event).await.unwrap() }
    });
    stream::iter(many).buffer_unordered(16).collect::<Vec<_>>().await;
    // The last of many at once may still be removing what is too much.
    todos.create(&title("last"), "mona", event_for(TodoAction::Created, "mona")).await.unwrap();
    let all = todos.history(2_000).await.unwrap();
    assert_eq!((all.len(), all[0].title.as_str()), (1_000, "last"));
}

async fn keys_of_a_collection_are_found_by_how_they_begin(store: Store) {
    let config = store.config();
    for (collection, key) in
        [("site", "app:b"), ("site", "app:a"), ("site", "apple"), ("site", "b"), ("other", "app:c")]
    {
        let name = ConfigName::parse(collection, key).unwrap();
        config.put(&name, &json!(1), None).await.unwrap();
    }
    assert_eq!(config.keys("site", "app:", 10).await.unwrap(), ["app:a", "app:b"]);
    assert_eq!(config.keys("site", "", 10).await.unwrap(), ["app:a", "app:b", "apple", "b"]);
    assert_eq!(config.keys("site", "app", 2).await.unwrap(), ["app:a", "app:b"]);
    assert_eq!(config.keys("site", "c", 10).await.unwrap(), [] as [String; 0]);
    assert_eq!(config.keys("none", "", 10).await.unwrap(), [] as [String; 0]);
}

async fn a_new_list_is_empty(store: Store) {
    let page = store.todos().list(20, None).await.unwrap();
    assert_eq!((page.todos.len(), page.stats, page.next_cursor), (0, TodoStats::default(), None));
}

async fn a_created_todo_is_listed_as_answered(store: Store) {
    let todos = store.todos();
    let made = todos.create(&title("water the plants"), "mona", silent()).await.unwrap();
    assert_eq!((made.title.as_str(), made.completed, made.username.as_str()), ("water the plants", false, "mona"));
    assert!(made.id.len() == 24 && made.id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{}", made.id);
    assert_eq!(made.created_at, made.updated_at);
    assert!(made.created_at.len() == 24 && made.created_at.ends_with('Z'), "{}", made.created_at);
    assert_eq!(all(&*todos, 20).await, [made]);
    assert_eq!(stats(&*todos).await, (1, 0, 1));
}

async fn a_toggle_turns_and_turns_back(store: Store) {
    let todos = store.todos();
    let made = todos.create(&title("t"), "guest", silent()).await.unwrap();
    let done = todos.toggle(&made.id, silent()).await.unwrap();
    assert!(done.completed && done.updated_at >= made.updated_at, "{done:?}");
    assert_eq!(Todo { completed: false, updated_at: made.updated_at.clone(), ..done.clone() }, made);
    assert_eq!(stats(&*todos).await, (1, 1, 0));
    assert!(!todos.toggle(&made.id.to_uppercase(), silent()).await.unwrap().completed);
    assert_eq!(stats(&*todos).await, (1, 0, 1));
}

async fn a_toggle_by_many_at_once_loses_none(store: Store) {
    let todos = store.todos();
    let made = todos.create(&title("t"), "guest", silent()).await.unwrap();
    let states = at_once(51, |_| {
        let (todos, id) = (store.todos(), made.id.clone());
        async move { todos.toggle(&id, silent()).await.unwrap().completed }
    })
    .await;
    assert_eq!(states.iter().filter(|completed| **completed).count(), 26);
    assert_eq!(stats(&*todos).await, (1, 1, 0));
}

async fn a_deleted_todo_is_gone(store: Store) {
    let todos = store.todos();
    let kept = todos.create(&title("kept"), "guest", silent()).await.unwrap();
    let made = todos.create(&title("gone"), "guest", silent()).await.unwrap();
    let done = todos.toggle(&made.id, silent()).await.unwrap();
    assert_eq!(todos.delete(&made.id, silent()).await.unwrap(), done);
    assert_eq!(all(&*todos, 20).await, [kept]);
    assert_eq!(stats(&*todos).await, (1, 0, 1));
    assert!(matches!(todos.delete(&made.id, silent()).await, Err(StoreError::NotFound)));
}

async fn what_is_not_there_is_not_found(store: Store) {
    let todos = store.todos();
    let id = "0123456789abcdef01234567";
    assert!(matches!(todos.toggle(id, silent()).await, Err(StoreError::NotFound)));
    assert!(matches!(todos.delete(id, silent()).await, Err(StoreError::NotFound)));
    assert_eq!(stats(&*todos).await, (0, 0, 0));
}

async fn malformed_ids_and_cursors_are_told_apart(store: Store) {
    let todos = store.todos();
    for id in ["", "1", "not-an-id", "0123456789abcdef0123456g", "0123456789abcdef012345678", "$where", "../../etc"] {
        assert!(matches!(todos.toggle(id, silent()).await, Err(StoreError::InvalidId)), "{id}");
        assert!(matches!(todos.delete(id, silent()).await, Err(StoreError::InvalidId)), "{id}");
    }
    for cursor in ["", "x", "0123456789abcdef01234567", "{\"$gt\":1}", &"f".repeat(41)] {
        assert!(matches!(todos.list(5, Some(cursor)).await, Err(StoreError::InvalidCursor)), "{cursor}");
    }
}

async fn paging_shows_each_todo_once_newest_first(store: Store) {
    let todos = store.todos();
    // Faster than the clock ticks: many share a `createdAt`.
    at_once(47, |n| {
        let todos = store.todos();
        async move { todos.create(&title(&format!("number {n}")), "guest", silent()).await.unwrap() }
    })
    .await;
    for limit in [1, 7, 46, 47, 48] {
        let seen = all(&*todos, limit).await;
        assert_eq!(seen.len(), 47, "limit {limit}");
        assert!(seen.is_sorted_by(|newer, older| place(newer) > place(older)), "limit {limit}");
    }
}

async fn paging_neither_skips_nor_repeats_while_todos_come_and_go(store: Store) {
    let todos = store.todos();
    let mut there = HashSet::new();
    for n in 0..30 {
        there.insert(todos.create(&title(&format!("before {n}")), "guest", silent()).await.unwrap().id);
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = todos.list(4, cursor.as_deref()).await.unwrap();
        seen.extend(page.todos.iter().map(|todo| todo.id.clone()));
        // One comes in front; the very todo that the cursor names goes.
        todos.create(&title("meanwhile"), "guest", silent()).await.unwrap();
        if let Some(last) = page.todos.last() {
            todos.delete(&last.id, silent()).await.unwrap();
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), there.len());
    assert_eq!(seen.into_iter().collect::<HashSet<_>>(), there);
}

async fn todos_created_at_once_are_all_kept(store: Store) {
    let made = at_once(200, |n| {
        let todos = store.todos();
        async move { todos.create(&title(&n.to_string()), "guest", silent()).await.unwrap().id }
    })
    .await;
    let listed: HashSet<_> = all(&*store.todos(), 100).await.into_iter().map(|todo| todo.id).collect();
    assert_eq!(listed, made.into_iter().collect());
    assert_eq!(stats(&*store.todos()).await, (200, 0, 200));
}

async fn a_page_has_1_to_100_todos(store: Store) {
    let todos = store.todos();
    for _ in 0..101 {
        todos.create(&title("t"), "guest", silent()).await.unwrap();
    }
    assert_eq!(todos.list(0, None).await.unwrap().todos.len(), 1);
    let page = todos.list(usize::MAX, None).await.unwrap();
    assert_eq!((page.todos.len(), page.next_cursor.is_some()), (100, true));
    let page = todos.list(100, page.next_cursor.as_deref()).await.unwrap();
    assert_eq!((page.todos.len(), page.next_cursor), (1, None));
}

async fn any_title_survives(store: Store) {
    let todos = store.todos();
    for text in ["<b>&\"'</b>", "😀 ü 漢字 \u{202e}", "$where: {\"a\":1}", "a.b$c", &"ß".repeat(200)] {
        assert_eq!(todos.create(&title(text), "<i>", silent()).await.unwrap().title, text);
        assert_eq!(todos.list(1, None).await.unwrap().todos[0].title, text);
    }
}

async fn a_store_that_answers_pings_until_it_is_closed(store: Store) {
    store.ping().await.unwrap();
    store.close().await;
    store.close().await;
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.todos().create(&title("t"), "guest", silent()).await, Err(StoreError::Unavailable(_))));
}

/// Nobody is to hear of it.
pub fn silent() -> Tell<Todo> {
    Box::new(|_| None)
}

pub fn title(text: &str) -> Title {
    Title::parse(text).unwrap()
}

fn place(todo: &Todo) -> (&str, &str) {
    (&todo.created_at, &todo.id)
}

/// The whole list, page by page.
async fn all(todos: &dyn Todos, limit: usize) -> Vec<Todo> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = todos.list(limit, cursor.as_deref()).await.unwrap();
        assert!(page.todos.len() <= limit);
        all.extend(page.todos);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return all;
        }
    }
}

/// Total, completed, pending.
async fn stats(todos: &dyn Todos) -> (u64, u64, u64) {
    let stats = todos.list(1, None).await.unwrap().stats;
    (stats.total, stats.completed, stats.pending)
}

async fn at_once<F>(times: usize, work: impl Fn(usize) -> F) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let tasks: Vec<_> = (0..times).map(|n| tokio::spawn(work(n))).collect();
    let mut outputs = Vec::with_capacity(times);
    for task in tasks {
        outputs.push(task.await.unwrap());
    }
    outputs
}
