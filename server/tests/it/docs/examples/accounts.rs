//! docs/ACCOUNTS.md.

use app::{cluster::ClusterClient, error::Problem, pages::request};
use leptos::server;

#[server(prefix = "/fn", endpoint = "mine", client = ClusterClient)]
pub async fn mine() -> Result<String, Problem> {
    let user = request::visitor()?.user().await.ok_or(Problem::SignedOut)?;
    Ok(user.username)
}
