//! What the page of the motto asks the server for.

use leptos::{server, server_fn::codec::GetUrl};

use crate::{cluster::ClusterClient, error::Problem, motto::MottoReading};

/// The motto, and which level of the cache answered.
///
/// # Errors
///
/// When no level answers.
#[server(prefix = "/fn", endpoint = "motto", input = GetUrl, client = ClusterClient)]
pub async fn read_motto() -> Result<MottoReading, Problem> {
    use crate::{error::set_status, pages::request};

    request::ports()?.mottos.read().await.map_err(|_| {
        set_status(Problem::Unavailable);
        Problem::Unavailable
    })
}

/// Writes the motto, for every instance. Anybody may.
///
/// # Errors
///
/// When it is not one short line, too many are written, or the store does not answer.
#[server(prefix = "/fn", endpoint = "motto-save", client = ClusterClient)]
pub async fn save_motto(
    /// The line.
    text: String,
) -> Result<(), Problem> {
    use crate::{
        components::notice::Notice,
        motto::Motto,
        pages::{address, request},
        ports::SaveMottoError,
    };

    let saved = async {
        let motto = Motto::parse(&text).ok_or(Problem::Motto)?;
        request::ports()?.mottos.save(&motto).await.map_err(|error| match error {
            SaveMottoError::TooOften => Problem::Crowded,
            SaveMottoError::Store(_) => Problem::Unavailable,
        })
    };
    request::finish(saved.await, Notice::MottoSaved, address::CONFIGURATION_CACHE)
}
