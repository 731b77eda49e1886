//! What a page that is rendered on the server costs it.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use reqwest::Client;
use serde_json::json;

use crate::{
    error::LoadError,
    instance::Instance,
    report::{Row, Target, progress},
    setting::Setting,
};

/// The page of the demo that reads from the store.
const PAGE: &str = "/hello-app-cluster/collaborative-todo";
/// Entries on it.
const TODOS: usize = 10;
/// Connections kept alive, one request at a time on each.
const CONNECTIONS: usize = 8;
/// The end of a document.
const END: &[u8] = b"</html>";
/// Requests before the measurement begins.
const WARM_UP: Duration = Duration::from_millis(500);

/// Measures the processor time of the server for each page.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub async fn measure(duration: Duration) -> Result<Vec<Row>, LoadError> {
    progress("pages");
    let servers = Setting::Alone.start().await?;
    let server = servers.instance_for(0);
    let client = Client::new();
    for number in 1..=TODOS {
        let todo = json!({ "text": format!("Something to do, number {number}") });
        client.post(server.url("/api/1/helloClusterTodo")).json(&todo).send().await?.error_for_status()?;
    }
    get_pages(&client, server, WARM_UP).await?;
    let (began, cpu_time) = (Instant::now(), servers.cpu_time()?);
    let pages = get_pages(&client, server, duration).await? as f64;
    let (elapsed, used) = (began.elapsed(), servers.cpu_time()? - cpu_time);
    let cost = used.instances.as_secs_f64() * 1_000.0 / pages;
    Ok(vec![
        Row::new("1 instance: pages", pages / elapsed.as_secs_f64(), "a second", None),
        Row::new("1 instance, pages: server CPU", cost, "s per 1,000 pages", Some(Target::AtMost(0.4))),
    ])
}

/// Gets the page over and over; how often.
async fn get_pages(client: &Client, server: &Instance, duration: Duration) -> Result<u64, LoadError> {
    let (url, began) = (server.url(PAGE), Instant::now());
    let counts = try_join_all((0..CONNECTIONS).map(|_| async {
        let mut count = 0;
        while began.elapsed() < duration {
            let page = client.get(&url).send().await?.error_for_status()?.bytes().await?;
            // What the browser takes over from comes behind the document.
            if !page.windows(END.len()).any(|bytes| bytes == END) || !page.ends_with(b"</script>") {
                return Err(LoadError::unexpected("a whole page", &page));
            }
            count += 1;
        }
        Ok(count)
    }));
    Ok(counts.await?.into_iter().sum())
}
