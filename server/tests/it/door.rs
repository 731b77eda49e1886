//! What strangers try at the door of a real instance.

mod headers;
mod injection;
mod limits;
mod log;
mod markup;
mod origins;
mod proxies;
mod sizes;
mod slow;
mod smuggling;

use std::net::{IpAddr, Ipv4Addr};

use reqwest::Client;
use serde_json::Value;

use super::kit::{self, instance::Running};

const TODOS: &str = "/api/1/helloClusterTodo";
/// Changes nothing, is limited as if it did, and needs no backend.
const HARMLESS: &str = "/api/1/helloClusterTodo/nonsense/toggle";

/// A client of its own address, for limits count by address.
fn client_from(last: u8) -> Client {
    Client::builder().local_address(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))).build().unwrap()
}

/// The status of a request that would change something; what stands in the way of the harmless one itself
/// is no refusal.
async fn try_change(client: &Client, instance: &Running, head: &[(&str, &str)]) -> u16 {
    let mut request = client.put(instance.url(HARMLESS));
    for (name, value) in head {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap().status().as_u16()
}

/// Titles of all todos.
async fn titles(instance: &Running) -> Vec<String> {
    let list: Value = reqwest::get(instance.url(TODOS)).await.unwrap().json().await.unwrap();
    list["todos"].as_array().unwrap().iter().map(|todo| todo["title"].as_str().unwrap().to_owned()).collect()
}
