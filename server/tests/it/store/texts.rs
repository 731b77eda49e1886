//! What every store promises of the shared text.

use std::sync::Arc;

use app::ports::{Announcement, Publisher, SubmitError, Tell};
use server::store::Store;
use wire::{
    Payload,
    text::{AcceptedEdit, Author, EDITS_KEPT, Edit, Refusal, Submission, TEXT_CHARS, TextState},
};

use super::at_once;

pub async fn a_new_text_is_empty(store: Store) {
    let texts = store.texts();
    assert_eq!(texts.read().await.unwrap(), TextState::default());
    assert_eq!(texts.since(0).await.unwrap(), []);
    assert!(is_outdated(texts.since(1).await, 0));
}

pub async fn an_edit_is_kept_and_answered_with_those_it_had_missed(store: Store) {
    let texts = store.texts();
    let author = Author { uuid: Some("tab-1".into()), username: "mona".into() };
    let tea = Submission { base: 0, id: "tea".into(), edit: Edit::default().insert("tea 😀\n") };
    let taken = texts.submit(tea.clone(), author.clone(), silent()).await.unwrap();
    assert_eq!(taken, [AcceptedEdit { version: 1, id: "tea".into(), edit: tea.edit, author }]);
    let cake = Submission { base: 0, id: "cake".into(), edit: Edit::default().insert("cake") };
    let taken = texts.submit(cake, Author::default(), silent()).await.unwrap();
    assert_eq!(taken[1].edit, Edit::default().keep(6).insert("cake"));
    assert_eq!(texts.read().await.unwrap(), TextState { version: 2, text: "tea 😀\ncake".into() });
    assert_eq!(texts.since(0).await.unwrap(), taken);
    assert_eq!(texts.since(1).await.unwrap(), taken[1..]);
    assert_eq!(texts.since(2).await.unwrap(), []);
}

pub async fn an_edit_that_comes_twice_is_taken_and_announced_once(store: Store) {
    let texts = store.texts();
    for _ in 0..3 {
        let taken = texts.submit(insertion(0, "once", "once"), Author::default(), news()).await.unwrap();
        assert_eq!((taken.len(), taken[0].version), (1, 1));
    }
    // The same with what came between.
    texts.submit(insertion(1, "between", "!"), Author::default(), news()).await.unwrap();
    let taken = texts.submit(insertion(0, "once", "once"), Author::default(), news()).await.unwrap();
    assert_eq!(taken.iter().map(|edit| edit.id.as_str()).collect::<Vec<_>>(), ["once", "between"]);
    assert_eq!(texts.read().await.unwrap().text, "!once");
    let untold = store.outbox().first(100).await.unwrap().untold;
    let versions: Vec<_> = untold.iter().map(|untold| untold.announcement.payload["version"].clone()).collect();
    assert_eq!(versions, [1, 2]);
    let ids: Vec<_> = untold.iter().map(|untold| Arc::clone(&untold.id)).collect();
    store.outbox().remove(&ids).await.unwrap();
    assert!(store.outbox().first(100).await.unwrap().untold.is_empty());
    assert_eq!(texts.read().await.unwrap().version, 2);
}

pub async fn edits_by_many_at_once_are_all_in_the_text(store: Store) {
    let versions = at_once(30, |number| {
        let texts = store.texts();
        async move {
            let taken = texts.submit(insertion(0, &format!("e-{number}"), "x"), Author::default(), silent()).await;
            taken.unwrap().len()
        }
    });
    let mut versions = versions.await;
    versions.sort_unstable();
    assert_eq!(versions, (1..=30).collect::<Vec<_>>());
    let texts = store.texts();
    let edits = texts.since(0).await.unwrap();
    let text = edits.iter().fold(String::new(), |text, edit| edit.edit.apply(&text).unwrap());
    assert_eq!(text, "x".repeat(30));
    assert_eq!(texts.read().await.unwrap(), TextState { version: 30, text });
}

pub async fn an_edit_that_is_refused_changes_nothing(store: Store) {
    let texts = store.texts();
    texts.submit(insertion(0, "first", "tea"), Author::default(), silent()).await.unwrap();
    for (submission, refusal) in [
        (insertion(2, "x", "x"), Refusal::Outdated { version: 1 }),
        (insertion(u64::MAX, "x", "x"), Refusal::Outdated { version: 1 }),
        (Submission { edit: Edit::default().keep(4), ..insertion(1, "x", "") }, Refusal::Mismatch),
        (insertion(0, "x", &"x".repeat(TEXT_CHARS)), Refusal::TooLong),
        (insertion(0, "x", "\r"), Refusal::Control),
        (insertion(0, "$x", "x"), Refusal::InvalidId),
    ] {
        let taken = texts.submit(submission, Author::default(), news()).await;
        assert!(matches!(&taken, Err(SubmitError::Refused(found)) if *found == refusal), "{taken:?}, not {refusal}");
    }
    assert_eq!(texts.read().await.unwrap(), TextState { version: 1, text: "tea".into() });
    assert!(store.outbox().first(100).await.unwrap().untold.is_empty());
}

pub async fn only_the_latest_edits_are_kept(store: Store) {
    let texts = store.texts();
    let kept = u64::try_from(EDITS_KEPT).unwrap();
    for base in 0..kept + 3 {
        let edit = Edit::default().insert("x").delete(usize::from(base != 0));
        let submission = Submission { base, id: format!("e-{base}"), edit };
        texts.submit(submission, Author::default(), silent()).await.unwrap();
    }
    assert_eq!(texts.since(3).await.unwrap().len(), EDITS_KEPT);
    assert!(is_outdated(texts.since(2).await, kept + 3));
    // One edit more, and what was the oldest base is too old.
    texts.submit(insertion_before_one(3, "late"), Author::default(), silent()).await.unwrap();
    let too_late = texts.submit(insertion_before_one(3, "too-late"), Author::default(), silent()).await;
    assert!(is_outdated(too_late, kept + 4));
}

pub async fn long_edits_are_kept_less_long(store: Store) {
    let texts = store.texts();
    // Each 40 kB in UTF-8, so that 13 of them are half a megabyte.
    let long = "ü".repeat(TEXT_CHARS);
    for base in 0..20 {
        let edit = Edit::default().insert(&long).delete(if base == 0 { 0 } else { TEXT_CHARS });
        let submission = Submission { base, id: format!("e-{base}"), edit };
        texts.submit(submission, Author::default(), silent()).await.unwrap();
    }
    assert!(is_outdated(texts.since(0).await, 20));
    assert_eq!(texts.since(12).await.unwrap().len(), 8);
    assert_eq!(texts.read().await.unwrap(), TextState { version: 20, text: long });
}

fn insertion(base: u64, id: &str, text: &str) -> Submission {
    let kept = if id == "between" { 4 } else { 0 };
    Submission { base, id: id.into(), edit: Edit::default().insert(text).keep(kept) }
}

/// Into a text of one character.
fn insertion_before_one(base: u64, id: &str) -> Submission {
    Submission { base, id: id.into(), edit: Edit::default().insert("y").keep(1) }
}

fn is_outdated(taken: Result<Vec<AcceptedEdit>, SubmitError>, now: u64) -> bool {
    matches!(taken, Err(SubmitError::Refused(Refusal::Outdated { version })) if version == now)
}

/// Nobody is to hear of it.
fn silent() -> Tell<AcceptedEdit> {
    Box::new(|_| None)
}

/// Everybody is to hear of it.
fn news() -> Tell<AcceptedEdit> {
    Box::new(|edit| {
        let payload = Payload::from_iter([("version".to_owned(), edit.version.into())]);
        let channel = "view:system:text:edited".parse().unwrap();
        Some(Announcement { channel, payload, publisher: Publisher::default() })
    })
}
