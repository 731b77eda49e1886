use app::{cluster::ClusterClient, error::Problem};
use leptos::prelude::*;

/// Check, save, answer, then tell everybody. The client says which tab asks, so that `omitSelf` works.
#[server(client = ClusterClient)]
async fn place_order(product: String) -> Result<u64, Problem> {
    use app::pages::request;
    use serde_json::json;

    if product.trim().is_empty() {
        return Err(Problem::BadRequest);
    }
    let order = save(&product).await?;
    if let (Ok(channel), Some(news)) = ("view:shop:order:placed".parse(), json!({ "order": order }).as_object()) {
        // Queued in order, behind the answer: a broadcast that fails fails no request.
        let cluster = request::ports()?.cluster;
        cluster.announce(&channel, news.clone(), request::publisher().await).await;
    }
    Ok(order)
}

async fn save(_product: &str) -> Result<u64, Problem> {
    // Into your own store; `app::ports::Tell` saves the news in the same transaction.
    Ok(1)
}
