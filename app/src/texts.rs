//! What can be done to the shared text: one way for REST routes and server functions alike.

use http::StatusCode;
use serde_json::Value;
use wire::{
    Channel, Code,
    text::{AcceptedEdit, Author, Edit, Refusal, Submission},
};

use crate::{
    ports::{Announcement, Ports, Publisher, StoreError, SubmitError, Tell},
    text::{EDITED, TextChange, TextPage},
};

/// Characters that an edit may insert to be told to everybody; of a longer one browsers hear that it is
/// there, and ask for it. Bounds what waits to be announced while Redis is away.
const TOLD_CHARS: usize = 2_000;

/// The text as it is now, for this reader, with the position its news had before.
///
/// # Errors
///
/// When the store does not answer.
pub async fn read(ports: &Ports, username: String) -> Result<TextPage, StoreError> {
    let position = match Channel::parse(EDITED) {
        Ok(channel) => ports.cluster.position(&channel).await,
        Err(_) => None,
    };
    Ok(TextPage { state: ports.texts.read().await?, position, username })
}

/// The edits accepted behind `version`, the oldest first.
///
/// # Errors
///
/// When they are not all kept any more, or the store does not answer.
pub async fn since(ports: &Ports, version: u64) -> Result<Vec<AcceptedEdit>, SubmitError> {
    ports.texts.since(version).await
}

/// Saves an edit and tells every open browser; every edit behind its base, this one among them.
///
/// # Errors
///
/// When it cannot be taken, or the store does not answer.
pub async fn submit(
    ports: &Ports,
    submission: Submission,
    publisher: Publisher,
) -> Result<Vec<AcceptedEdit>, SubmitError> {
    let author = Author { uuid: publisher.uuid.as_deref().map(str::to_owned), username: publisher.username.clone() };
    ports.texts.submit(submission, author, tell(publisher)).await
}

/// The code for programs and the status of the answer.
pub fn code_and_status(error: &SubmitError) -> (Code, StatusCode) {
    match error {
        SubmitError::Refused(Refusal::Outdated { .. }) => (Code::VersionConflict, StatusCode::CONFLICT),
        SubmitError::Refused(Refusal::TooLong) => (Code::PayloadTooLarge, StatusCode::PAYLOAD_TOO_LARGE),
        SubmitError::Refused(Refusal::InvalidId) => (Code::InvalidId, StatusCode::BAD_REQUEST),
        SubmitError::Refused(Refusal::Mismatch | Refusal::Control) => (Code::ValidationError, StatusCode::BAD_REQUEST),
        SubmitError::Store(_) => (Code::StoreUnavailable, StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// What everybody hears of an edit.
fn tell(publisher: Publisher) -> Tell<AcceptedEdit> {
    Box::new(move |accepted| announcement(accepted, &publisher))
}

fn announcement(accepted: &AcceptedEdit, publisher: &Publisher) -> Option<Announcement> {
    let AcceptedEdit { version, id, edit, author } = accepted.clone();
    let change = TextChange { version, id, edit: Some(edit).filter(is_short), author };
    // Both are constants of this crate, so neither can miss; a test holds that.
    let (Ok(channel), Ok(Value::Object(payload))) = (Channel::parse(EDITED), serde_json::to_value(change)) else {
        return None;
    };
    Some(Announcement { channel, payload, publisher: publisher.clone() })
}

fn is_short(edit: &Edit) -> bool {
    // What is not inserted are numbers, at most two for each stretch of it.
    edit.inserted_chars() + 16 * edit.steps().len() <= TOLD_CHARS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(edit: Edit) -> AcceptedEdit {
        let author = Author { uuid: Some("tab".into()), username: "mona".into() };
        AcceptedEdit { version: 4, id: "e-1".into(), edit, author }
    }

    #[test]
    fn an_edit_is_announced_with_its_version_and_author() {
        let publisher = Publisher { uuid: Some("tab".into()), username: "mona".into(), ..Publisher::default() };
        let told = tell(publisher.clone())(&accepted(Edit::default().keep(2).insert("x"))).unwrap();
        assert_eq!((told.channel.as_str(), told.publisher), (EDITED, publisher));
        let expected = serde_json::json!({
            "version": 4, "id": "e-1", "edit": [2, "x"], "uuid": "tab", "username": "mona",
        });
        assert_eq!(Value::Object(told.payload), expected);
    }

    #[test]
    fn of_a_long_edit_everybody_hears_that_it_is_there() {
        let told = tell(Publisher::default())(&accepted(Edit::default().insert(&"x".repeat(TOLD_CHARS)))).unwrap();
        assert_eq!(told.payload.get("edit"), None);
        assert_eq!(told.payload["version"], 4);
        let change: TextChange = serde_json::from_value(Value::Object(told.payload)).unwrap();
        assert_eq!(change.accepted(), None);
    }

    #[test]
    fn every_refusal_has_its_code_and_status() {
        for (refusal, code, status) in [
            (Refusal::Outdated { version: 3 }, "VERSION_CONFLICT", 409),
            (Refusal::TooLong, "PAYLOAD_TOO_LARGE", 413),
            (Refusal::Mismatch, "VALIDATION_ERROR", 400),
            (Refusal::Control, "VALIDATION_ERROR", 400),
            (Refusal::InvalidId, "INVALID_ID", 400),
        ] {
            let (told, answered) = code_and_status(&refusal.into());
            assert_eq!((told.as_str(), answered.as_u16()), (code, status), "{refusal}");
        }
        let broken = StoreError::Unavailable("gone".into());
        assert_eq!(code_and_status(&broken.into()).1.as_u16(), 503);
    }
}
