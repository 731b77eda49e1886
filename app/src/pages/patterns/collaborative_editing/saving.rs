//! Bringing edits to the server, however often that takes, and fetching what was missed.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use web_sys::js_sys::Math;
use wire::{
    backoff::reconnect_delay,
    text::{Submission, TextSession, UndoStack},
};

use super::{
    functions::{read_text, submit_edit, text_since},
    state::{Editor, Lack},
};
use crate::error::Problem;

/// How long an answer may take. Later it is asked for again: an edit has an id and is taken once.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// Tries in a row that the server answered with something unknown, before the edit is set aside.
const HOPELESS_AFTER: u32 = 8;

impl Editor {
    /// Sends an edit and takes the answer in.
    pub(super) fn submit(self, submission: Submission) {
        let id = submission.id.clone();
        if self.with(|state| state.sending = Some(id.clone())).is_none() {
            return;
        }
        let watched = id.clone();
        set_timeout(move || self.failed(&watched, Problem::Offline), ANSWERED_WITHIN);
        spawn_local(async move {
            match submit_edit(submission).await {
                Ok(edits) => {
                    self.with(|state| state.sending.take_if(|sending| *sending == id));
                    self.hear_all(edits);
                }
                Err(problem) => self.failed(&id, problem),
            }
        });
    }

    /// The visitor's edit is in the server's text.
    pub(super) fn saved(self) {
        self.with(|state| {
            state.failures = 0;
            state.sending = None;
        });
        self.is_failing.set(false);
        self.show();
    }

    /// Does at once what is left to do: the connection is back, or a pause is over.
    pub(super) fn resume(self) {
        match self.with(|state| state.lack) {
            Some(Lack::Everything) => self.begin_anew(),
            Some(Lack::Edits) => {
                self.catch_up();
                self.send_again();
            }
            Some(Lack::Nothing) => self.send_again(),
            None => {}
        }
    }

    fn send_again(self) {
        let submission = self.with(|state| if state.sending.is_some() { None } else { state.session.submission() });
        if let Some(submission) = submission.flatten() {
            self.submit(submission);
        }
    }

    /// A try came to nothing, unless the edit was heard of in another way meanwhile.
    fn failed(self, id: &str, problem: Problem) {
        if self.with(|state| state.sending.take_if(|sending| sending == id)).flatten().is_none() {
            return;
        }
        match problem {
            Problem::TextOutdated | Problem::TextTooLong | Problem::BadRequest => self.begin_anew(),
            // Not even an answer of ours, again and again: this edit will never be taken.
            Problem::Internal if self.with(|state| state.failures >= HOPELESS_AFTER) == Some(true) => self.begin_anew(),
            _ => {
                self.is_failing.set(true);
                self.resume_later();
            }
        }
    }

    /// Fetches the edits behind the latest known version.
    pub(super) fn catch_up(self) {
        let Some(version) = self.fetch_for(Lack::Edits) else { return };
        spawn_local(async move {
            match text_since(version).await {
                Ok(edits) => {
                    self.fetched(Lack::Edits);
                    self.hear_all(edits);
                }
                Err(Problem::TextOutdated) => {
                    self.fetched(Lack::Edits);
                    self.begin_anew();
                }
                Err(_) => self.not_fetched(),
            }
        });
    }

    /// Shows the server's text. What the visitor wrote and could not be saved is set aside, not lost.
    pub(super) fn begin_anew(self) {
        if self.fetch_for(Lack::Everything).is_none() {
            return;
        }
        spawn_local(async move {
            match read_text().await {
                Ok(page) => {
                    self.fetched(Lack::Everything);
                    self.replace(TextSession::new(page.state));
                }
                Err(_) => self.not_fetched(),
            }
        });
    }

    /// Notes what is lacking. The known version, when it is to be fetched now; what is on its way already
    /// is looked at when it is there.
    fn fetch_for(self, lack: Lack) -> Option<u64> {
        let version = self.with(|state| {
            state.lack = state.lack.max(lack);
            let is_first = !std::mem::replace(&mut state.is_fetching, true);
            is_first.then(|| state.session.version())
        });
        version.flatten()
    }

    fn fetched(self, filled: Lack) {
        let lack = self.with(|state| {
            state.is_fetching = false;
            state.failures = 0;
            if state.lack <= filled {
                state.lack = Lack::Nothing;
            }
            state.lack
        });
        if lack == Some(Lack::Everything) {
            self.begin_anew();
        }
    }

    fn not_fetched(self) {
        self.with(|state| state.is_fetching = false);
        self.resume_later();
    }

    fn replace(self, session: TextSession) {
        let Some(field) = self.field.get_untracked() else { return };
        let own = self.with(|state| {
            let is_unsaved = state.session.unsaved_changes() != 0 || state.is_composing;
            let own = is_unsaved.then(|| field.value()).filter(|own| own != session.text());
            field.set_value(session.text());
            state.is_composing = false;
            state.session = session;
            state.undo = UndoStack::default();
            state.held.clear();
            state.sending = None;
            own
        });
        if let Some(own) = own.flatten() {
            // Behind what was set aside before: nothing of it is lost either.
            self.set_aside.update(|aside| {
                *aside = Some(aside.take().map_or_else(|| own.clone(), |earlier| format!("{earlier}\n\n{own}")));
            });
        }
        self.is_failing.set(false);
        self.cursors.clear();
        self.show();
    }

    /// Goes on after a pause that grows with each failure, unless that is planned already.
    fn resume_later(self) {
        let failures = self.with(|state| {
            if std::mem::replace(&mut state.will_resume, true) {
                return None;
            }
            state.failures += 1;
            Some(state.failures - 1)
        });
        if let Some(failures) = failures.flatten() {
            let resume = move || {
                self.with(|state| state.will_resume = false);
                self.resume();
            };
            set_timeout(resume, reconnect_delay(failures, Math::random()));
        }
    }
}
