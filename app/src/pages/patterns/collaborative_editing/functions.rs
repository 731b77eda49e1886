//! What the text's page asks the server for.

use leptos::{
    server,
    server_fn::codec::{GetUrl, Json},
};
use wire::text::{AcceptedEdit, Submission};

use crate::{cluster::ClusterClient, error::Problem, text::TextPage};

/// The text as it is now.
///
/// # Errors
///
/// When the store does not answer.
#[server(prefix = "/fn", endpoint = "text-read", input = GetUrl, client = ClusterClient)]
pub async fn read_text() -> Result<TextPage, Problem> {
    use crate::{error::set_status, pages::request, texts};

    let username = request::publisher().await.username;
    let page = texts::read(&request::ports()?, username).await;
    page.map_err(|error| {
        let problem = Problem::from(crate::ports::SubmitError::from(error));
        set_status(problem);
        problem
    })
}

/// The edits accepted behind a version, the oldest first.
///
/// # Errors
///
/// When they are not all kept any more, or the store does not answer.
#[server(prefix = "/fn", endpoint = "text-since", input = GetUrl, client = ClusterClient)]
pub async fn text_since(
    /// The latest version that is known.
    version: u64,
) -> Result<Vec<AcceptedEdit>, Problem> {
    use crate::{error::set_status, pages::request, texts};

    let edits = texts::since(&request::ports()?, version).await;
    edits.map_err(|error| {
        let problem = Problem::from(error);
        set_status(problem);
        problem
    })
}

/// Saves an edit: every edit behind its base, this one among them.
///
/// # Errors
///
/// When it cannot be taken, or the store does not answer.
#[server(prefix = "/fn", endpoint = "text-edit", input = Json, client = ClusterClient)]
pub async fn submit_edit(
    /// With the version it was made on.
    submission: Submission,
) -> Result<Vec<AcceptedEdit>, Problem> {
    use crate::{error::set_status, pages::request, texts};

    let edits = texts::submit(&request::ports()?, submission, request::publisher().await).await;
    edits.map_err(|error| {
        let problem = Problem::from(error);
        set_status(problem);
        problem
    })
}

/// Saves the whole text as a form sends it: as the edit between what was shown and what came back, so
/// that it is put together with what others did meanwhile.
///
/// # Errors
///
/// When that edit cannot be taken, or the store does not answer.
#[server(prefix = "/fn", endpoint = "text-save", client = ClusterClient)]
pub async fn save_text(
    /// The version that was shown.
    base: u64,
    /// Names the edit, so that a form sent twice changes the text once.
    id: String,
    /// The text that was shown.
    before: String,
    /// The text as the visitor left it.
    text: String,
) -> Result<(), Problem> {
    use wire::text::{Edit, plain_text};

    use crate::{
        components::notice::Notice,
        pages::{address, request},
        texts,
    };

    // Forms send other line breaks than text fields hold.
    let edit = Edit::by_lines(&plain_text(&before), &plain_text(&text));
    let submission = Submission { base, id, edit };
    let saved = texts::submit(&request::ports()?, submission, request::publisher().await).await;
    request::finish(saved.map(drop).map_err(Problem::from), Notice::Saved, address::COLLABORATIVE_EDITING)
}
