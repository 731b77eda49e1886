//! The loaded part of the list, as the server has confirmed it.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::shown::{Row, Shown, Wish};
use crate::todo::{Todo, TodoAction, TodoChange, TodoPage, TodoStats};

/// Deleted ids that are remembered, so that late news does not bring a task back.
const GONE_MAX: usize = 256;

/// The list as this browser knows it.
///
/// Every change is idempotent: it may be news of something the loaded data holds already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TodoList {
    todos: Vec<Todo>,
    stats: TodoStats,
    next_cursor: Option<String>,
    /// Ids deleted since, newest last.
    #[serde(skip)]
    gone: Vec<String>,
}

impl From<TodoPage> for TodoList {
    fn from(page: TodoPage) -> Self {
        Self { todos: page.todos, stats: page.stats, next_cursor: page.next_cursor, gone: Vec::new() }
    }
}

impl TodoList {
    /// Where the next page begins; `None` when everything is loaded.
    pub fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }

    /// Adds the next page at the end.
    pub fn append(&mut self, page: TodoPage) {
        self.next_cursor = page.next_cursor;
        self.stats = page.stats;
        for todo in page.todos {
            if !self.holds(&todo.id) && !self.gone.contains(&todo.id) {
                self.todos.push(todo);
            }
        }
    }

    /// Takes news of a task in.
    pub fn apply(&mut self, change: TodoChange) {
        match change.action {
            TodoAction::Created => self.created(change.todo),
            TodoAction::Updated => self.updated(change.todo),
            TodoAction::Deleted => self.deleted(&change.todo),
        }
    }

    /// A task was created.
    pub fn created(&mut self, todo: Todo) {
        if self.holds(&todo.id) || self.gone.contains(&todo.id) {
            return;
        }
        let place = self.todos.partition_point(|known| order(known) < order(&todo));
        // One that belongs behind the loaded part comes, and is counted, with its own page.
        if place < self.todos.len() || self.next_cursor.is_none() {
            self.stats.count(todo.completed, Step::In);
            self.todos.insert(place, todo);
        }
    }

    /// A task was changed; older news than what is known is passed over.
    pub fn updated(&mut self, todo: Todo) {
        match self.todos.iter_mut().find(|known| known.id == todo.id) {
            Some(known) if known.updated_at <= todo.updated_at => {
                self.stats.count(known.completed, Step::Out);
                self.stats.count(todo.completed, Step::In);
                *known = todo;
            }
            // It is on a page that is not loaded: being toggled is all that can have happened to it.
            None if self.next_cursor.is_some() && !self.gone.contains(&todo.id) => {
                self.stats.count(!todo.completed, Step::Out);
                self.stats.count(todo.completed, Step::In);
            }
            _ => {}
        }
    }

    /// A task was deleted; `todo` is how it last was.
    pub fn deleted(&mut self, todo: &Todo) {
        if self.gone.contains(&todo.id) {
            return;
        }
        match self.todos.iter().position(|known| known.id == todo.id) {
            Some(place) => {
                let known = self.todos.remove(place);
                self.stats.count(known.completed, Step::Out);
            }
            None if self.next_cursor.is_some() => self.stats.count(todo.completed, Step::Out),
            None => {}
        }
        if self.gone.len() == GONE_MAX {
            self.gone.remove(0);
        }
        self.gone.push(todo.id.clone());
    }

    /// The server knows no such task.
    pub fn forget(&mut self, id: &str) {
        if let Some(todo) = self.todos.iter().find(|known| known.id == id).cloned() {
            self.deleted(&todo);
        }
    }

    /// The list as it is shown while `wishes` are under way, applied in their order.
    pub fn shown_with(&self, wishes: &[Wish]) -> Shown {
        let rows = self.todos.iter().cloned().map(Row::from).collect();
        let mut shown = Shown { rows, stats: self.stats, has_more: self.next_cursor.is_some() };
        for wish in wishes {
            shown.grant(wish);
        }
        shown
    }

    fn holds(&self, id: &str) -> bool {
        self.todos.iter().any(|known| known.id == id)
    }
}

/// Sorts newest first.
fn order(todo: &Todo) -> Reverse<(&str, &str)> {
    Reverse((&todo.created_at, &todo.id))
}

/// Whether a task comes into the counts or leaves them.
#[derive(Clone, Copy)]
pub(super) enum Step {
    In,
    Out,
}

/// Keeping counts up to date one task at a time.
pub(super) trait Count {
    /// Never goes below zero: what a partly loaded list counts wrong, the next page corrects.
    fn count(&mut self, is_completed: bool, step: Step);
}

impl Count for TodoStats {
    fn count(&mut self, is_completed: bool, step: Step) {
        let part = if is_completed { &mut self.completed } else { &mut self.pending };
        for number in [part, &mut self.total] {
            *number = match step {
                Step::In => *number + 1,
                Step::Out => number.saturating_sub(1),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn todo(minute: u32, completed: bool) -> Todo {
        let moment = format!("2026-11-21T10:{minute:02}:00.000Z");
        Todo {
            id: format!("{minute:024}"),
            title: format!("Task {minute}"),
            completed,
            username: "guest".into(),
            created_at: moment.clone(),
            updated_at: moment,
        }
    }

    fn list(minutes: &[u32], next_cursor: Option<&str>) -> TodoList {
        let todos: Vec<_> = minutes.iter().map(|&minute| todo(minute, false)).collect();
        let total = todos.len() as u64 + if next_cursor.is_some() { 10 } else { 0 };
        let stats = TodoStats { total, completed: 0, pending: total };
        TodoPage { todos, stats, next_cursor: next_cursor.map(str::to_owned) }.into()
    }

    fn titles(shown: &Shown) -> Vec<&str> {
        shown.rows.iter().map(|row| row.title.as_str()).collect()
    }

    #[test]
    fn news_of_a_task_that_is_there_already_changes_nothing() {
        let mut heard_twice = list(&[2, 1], None);
        heard_twice.created(todo(3, false));
        let once = heard_twice.clone();
        heard_twice.created(todo(3, false));
        assert_eq!(heard_twice, once);
        assert_eq!(titles(&once.shown_with(&[])), ["Task 3", "Task 2", "Task 1"]);
        assert_eq!(once.shown_with(&[]).stats.total, 3);
    }

    #[test]
    fn late_news_does_not_bring_a_deleted_task_back() {
        let mut list = list(&[1], None);
        list.deleted(&todo(1, false));
        list.created(todo(1, false));
        list.updated(todo(1, true));
        assert_eq!(list.shown_with(&[]).stats, TodoStats::default());
    }

    #[test]
    fn older_news_does_not_undo_newer() {
        let mut list = list(&[1], None);
        let mut newer = todo(1, true);
        newer.updated_at = "2026-11-21T10:30:00.000Z".into();
        list.updated(newer);
        list.updated(todo(1, false));
        assert_eq!(list.shown_with(&[]).stats.completed, 1);
    }

    #[test]
    fn a_wish_shows_at_once_and_leaves_no_trace_when_it_fails() {
        let list = list(&[2, 1], None);
        let wishes = [
            Wish::Add { key: "wish-1".into(), title: "New".into() },
            Wish::Toggle { id: todo(2, false).id, completed: true },
            Wish::Delete { id: todo(1, false).id },
        ];
        let shown = list.shown_with(&wishes);
        assert_eq!(titles(&shown), ["New", "Task 2"]);
        assert_eq!(shown.stats, TodoStats { total: 2, completed: 1, pending: 1 });
        assert!(shown.rows.iter().all(|row| row.is_pending));
        assert_eq!(titles(&list.shown_with(&[])), ["Task 2", "Task 1"]);
    }

    #[test]
    fn what_happens_on_pages_not_loaded_is_counted() {
        let mut list = list(&[9, 8], Some("cursor"));
        list.updated(todo(3, true));
        list.deleted(&todo(2, false));
        assert_eq!(list.shown_with(&[]).stats, TodoStats { total: 11, completed: 1, pending: 10 });
    }

    #[test]
    fn a_page_that_overlaps_the_loaded_part_repeats_no_task() {
        let mut list = list(&[3, 2], Some("cursor"));
        let stats = TodoStats { total: 3, completed: 0, pending: 3 };
        list.append(TodoPage { todos: vec![todo(2, false), todo(1, false)], stats, next_cursor: None });
        assert_eq!(titles(&list.shown_with(&[])), ["Task 3", "Task 2", "Task 1"]);
        assert_eq!(list.next_cursor(), None);
    }
}
