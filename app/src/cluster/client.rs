//! Server functions that know which tab calls them.

use std::future::Future;

use futures_util::{Sink, Stream};
use leptos::server_fn::{
    Bytes,
    client::{Client, browser::BrowserClient},
    error::FromServerFnError,
};

use super::link;

/// The header that names the tab.
const UUID_HEADER: &str = "X-JPulse-Uuid";

/// Sends a server function's call as Leptos does, and says which tab sent it, so that `omitSelf`
/// holds for what the call announces: `#[server(client = app::cluster::ClusterClient)]`.
///
/// On the server, only its type matters.
pub struct ClusterClient;

impl<E, I, O> Client<E, I, O> for ClusterClient
where
    E: FromServerFnError,
    I: FromServerFnError,
    O: FromServerFnError,
{
    type Request = <BrowserClient as Client<E, I, O>>::Request;
    type Response = <BrowserClient as Client<E, I, O>>::Response;

    fn send(request: Self::Request) -> impl Future<Output = Result<Self::Response, E>> + Send {
        if let Some(link) = link::installed() {
            request.headers().set(UUID_HEADER, &link.uuid());
        }
        <BrowserClient as Client<E, I, O>>::send(request)
    }

    #[allow(clippy::type_complexity, reason = "as the trait has it")]
    fn open_websocket(
        path: &str,
    ) -> impl Future<
        Output = Result<
            (impl Stream<Item = Result<Bytes, Bytes>> + Send + 'static, impl Sink<Bytes> + Send + 'static),
            E,
        >,
    > + Send {
        <BrowserClient as Client<E, I, O>>::open_websocket(path)
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) {
        <BrowserClient as Client<E, I, O>>::spawn(future);
    }
}
