//! Requests of the browser and of the server, and what becomes of those nobody answers.

use leptos::{prelude::*, task::spawn_local};
use serde_json::{Value, json};
use web_sys::js_sys::Date;
use wire::endpoint::RequestError;

use crate::{
    cluster::{Endpoint, use_answering_endpoint},
    components::{badge::EndpointBadge, page::PageHeader, say_form::SayForm, scripts::NeedsScripts},
    websocket,
};

/// Exchanges kept on the page; the oldest go.
const KEPT: usize = 20;

/// Something asked and what came of it.
#[derive(Clone)]
struct Exchange {
    key: usize,
    asked: String,
    answer: Result<String, String>,
    milliseconds: f64,
}

/// Everything that was asked on this page, the latest first.
#[derive(Clone, Copy)]
struct Exchanges {
    kept: RwSignal<Vec<Exchange>>,
    count: StoredValue<usize>,
}

impl Exchanges {
    fn new() -> Self {
        Self { kept: RwSignal::default(), count: StoredValue::new(0) }
    }

    fn ask(self, endpoint: Endpoint, asked: String, message: Value, read: fn(&Value) -> String) {
        let began = Date::now();
        spawn_local(async move {
            let outcome = endpoint.ask(&message).await;
            let answer = match outcome {
                Ok(data) => Ok(read(&data["data"])),
                Err(RequestError { code, error }) => Err(format!("{code}: {error}")),
            };
            self.keep(asked, answer, Date::now() - began);
        });
    }

    fn keep(self, asked: String, answer: Result<String, String>, milliseconds: f64) {
        let Some(key) = self.count.try_get_value() else { return };
        self.count.set_value(key + 1);
        self.kept.update(|kept| {
            kept.insert(0, Exchange { key, asked, answer, milliseconds });
            kept.truncate(KEPT);
        });
    }
}

/// Buttons that ask, and the log of answers.
#[component]
pub fn RequestPage() -> impl IntoView {
    let exchanges = Exchanges::new();
    let endpoint = use_answering_endpoint(
        websocket::path_of(websocket::REQUEST),
        |_| {},
        |question| {
            let time = String::from(Date::new_0().to_locale_time_string("en-GB"));
            Ok(json!({ "question": question, "time": time }))
        },
    );
    let echo = Callback::new(move |(line, _): (String, Callback<String>)| {
        let message = json!({ "type": "echo", "text": line });
        exchanges.ask(endpoint, format!("Say “{line}”"), message, |data| {
            format!("The server said “{}”", data["text"].as_str().unwrap_or_default())
        });
    });
    let ask_back = move |_| {
        let message = json!({ "type": "ask", "data": "What time is it where you are?" });
        exchanges.ask(endpoint, "Let the server ask this page for the time".to_owned(), message, |data| {
            format!("It asked, and this page answered {}", data["answer"]["time"].as_str().unwrap_or_default())
        });
    };
    let ask_nobody = move |_| {
        let message = json!({ "type": "silence" });
        exchanges.ask(endpoint, "Ask what nobody answers".to_owned(), message, Value::to_string);
    };
    let ask_wrongly = move |_| {
        let message = json!({ "type": "join", "roomId": "no room, for it has spaces" });
        exchanges.ask(endpoint, "Ask for a room that cannot be".to_owned(), message, Value::to_string);
    };
    view! {
        <PageHeader
            title="Requests"
            lead="A message with a request id is answered exactly once: by the server, by this page, or by an error."
        />
        <section class="card" aria-labelledby="ask">
            <div class="card-head">
                <h2 id="ask">"Ask"</h2>
                <EndpointBadge status=endpoint.status() />
            </div>
            <NeedsScripts />
            <SayForm id="echo" label="Something the server repeats" button="Say" say=echo />
            <div class="actions">
                <button type="button" class="button button-secondary" on:click=ask_back>
                    "Let the server ask back"
                </button>
                <button type="button" class="button button-secondary" on:click=ask_nobody>
                    "Ask what nobody answers"
                </button>
                <button type="button" class="button button-secondary" on:click=ask_wrongly>
                    "Ask for something wrong"
                </button>
            </div>
        </section>
        <section class="card" aria-labelledby="answers">
            <h2 id="answers">"Answers"</h2>
            <Show when=move || exchanges.kept.with(Vec::is_empty)>
                <p class="empty">"Nothing asked yet."</p>
            </Show>
            <div role="log" aria-labelledby="answers">
                <ol class="messages" role="list" aria-labelledby="answers">
                    <For each=move || exchanges.kept.get() key=|exchange| exchange.key let:exchange>
                        <Answer exchange />
                    </For>
                </ol>
            </div>
        </section>
        <section class="explain" aria-labelledby="how">
            <h2 id="how">"How it works"</h2>
            <p>
                "The browser gives each request an id, and the answer carries the same one. Without an answer within ten seconds it ends as "
                <code>"NO_REPLY"</code> ", with a connection that breaks meanwhile as " <code>"CONNECTION_LOST"</code>
                ". The server asks browsers in the same way."
            </p>
        </section>
    }
    .into_any()
}

#[component]
fn Answer(exchange: Exchange) -> impl IntoView {
    let Exchange { asked, answer, milliseconds, .. } = exchange;
    let is_error = answer.is_err();
    let text = answer.unwrap_or_else(|error| error);
    view! {
        <li class="message">
            <p class="message-text" class:message-error=is_error>
                {text}
            </p>
            <p class="message-origin">{asked} ", " {format!("{milliseconds:.0} ms")}</p>
        </li>
    }
    .into_any()
}
