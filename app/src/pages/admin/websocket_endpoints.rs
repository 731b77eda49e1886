//! Making, changing and removing WebSocket endpoints without code.

mod form;
mod functions;

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

use crate::{
    components::{nav::PageLink, notice::FormOutcome, page::PageHeader, skeleton::Skeleton, time::RelativeTime},
    pages::{address, admin::Refused},
    websocket::{Auth, Definition, EndpointEntry, Limits},
};

pub use functions::{DeleteEndpoint, ReadEndpoints, SaveEndpoint, delete_endpoint, read_endpoints, save_endpoint};

use form::EndpointForm;

/// The query parameter that names the endpoint to change.
const EDIT: &str = "edit";

/// The list and the form. Works as plain forms, each of which leads to a page with its outcome.
#[component]
pub fn WebSocketEndpointsPage() -> impl IntoView {
    let entries = Resource::new(|| (), |()| read_endpoints());
    view! {
        <PageHeader
            title="WebSocket endpoints"
            lead="Make an endpoint and it is live on every instance within a second, without a restart."
        />
        <FormOutcome />
        <Transition fallback=|| view! { <Skeleton lines=6 /> }>
            {move || {
                entries
                    .get()
                    .map(|outcome| match outcome {
                        Ok(entries) => view! { <Editor entries /> }.into_any(),
                        Err(problem) => view! { <Refused problem page=address::ADMIN_WEBSOCKET_ENDPOINTS /> }.into_any(),
                    })
            }}
        </Transition>
    }
    .into_any()
}

#[component]
fn Editor(entries: Vec<EndpointEntry>) -> impl IntoView {
    let wanted = use_query_map().read_untracked().get(EDIT);
    let edited =
        entries.iter().find(|entry| !entry.built_in && Some(&entry.definition.name) == wanted.as_ref()).cloned();
    let (built_in, custom): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.built_in);
    view! {
        <EndpointForm edited=edited.map(|entry| entry.definition) />
        <section class="card" aria-labelledby="yours">
            <h2 id="yours">"Made here"</h2>
            {custom.is_empty().then(|| view! { <p class="empty">"None yet. Make the first one above."</p> })}
            <ul class="endpoints" role="list" aria-labelledby="yours">
                {custom.into_iter().map(|entry| view! { <Entry entry /> }).collect_view()}
            </ul>
        </section>
        <section class="card" aria-labelledby="built-in">
            <h2 id="built-in">"Part of the application"</h2>
            <ul class="endpoints" role="list" aria-labelledby="built-in">
                {built_in.into_iter().map(|entry| view! { <Entry entry /> }).collect_view()}
            </ul>
        </section>
    }
    .into_any()
}

#[component]
fn Entry(entry: EndpointEntry) -> impl IntoView {
    let EndpointEntry { definition, built_in, path } = entry;
    let rule = rule(&definition);
    let Definition { name, updated_by, updated_at, .. } = definition;
    let made = (!updated_at.is_empty()).then(|| {
        view! {
            <p class="hint">"Last changed by " {updated_by} ", " <RelativeTime at=updated_at /></p>
        }
    });
    let console = format!("{}?path={path}", address::ADMIN_WEBSOCKET_CONSOLE);
    let changes = (!built_in).then(|| view! { <Changes name=name.clone() /> });
    view! {
        <li class="endpoint">
            <p>
                <strong>{name.clone()}</strong>
                " "
                <code>{path}</code>
            </p>
            <p>{rule}</p>
            {made}
            <div class="actions">
                <PageLink href=console class="button button-secondary">
                    "Test"
                    <span class="visually-hidden">{format!(" {name}")}</span>
                </PageLink>
                {changes}
            </div>
        </li>
    }
    .into_any()
}

/// To change an endpoint, or to remove it, which takes two steps.
#[component]
fn Changes(name: String) -> impl IntoView {
    let edit = format!("{}?{EDIT}={name}", address::ADMIN_WEBSOCKET_ENDPOINTS);
    let which = format!(" {name}");
    let (which_again, last_step) = (which.clone(), format!("Delete {name} for good"));
    view! {
        <PageLink href=edit class="button button-secondary">
            "Change"
            <span class="visually-hidden">{which}</span>
        </PageLink>
        <details class="confirm">
            <summary class="button button-secondary">
                "Delete"
                <span class="visually-hidden">{which_again}</span>
            </summary>
            <form method="post" action=DeleteEndpoint::url()>
                <input type="hidden" name="name" value=name />
                <p>"Its sockets are closed at once."</p>
                <button type="submit" class="button">
                    {last_step}
                </button>
            </form>
        </details>
    }
    .into_any()
}

/// Who may use it and how much, in words.
fn rule(definition: &Definition) -> String {
    let rule = &definition.rule;
    let who = match rule.auth {
        Auth::Public => "For everybody",
        Auth::User => "For users",
        Auth::Admin => "For administrators",
    };
    let roles =
        if rule.roles.is_empty() { String::new() } else { format!(" with a role of {}", rule.roles.join(", ")) };
    let types = match &rule.public_types {
        Some(types) if types.is_empty() => "; guests only listen".to_owned(),
        Some(types) => format!("; guests send only {}", types.join(", ")),
        None => String::new(),
    };
    let Limits { max_size, interval, max_messages } = rule.limits;
    format!("{who}{roles}{types}. At most {max_messages} messages of {max_size} bytes in {interval} ms.")
}

#[cfg(test)]
mod tests {
    use super::{Auth, Definition, rule};
    use crate::websocket::Rule;

    #[test]
    fn a_rule_is_told_in_words() {
        let told = |rule_: Rule| {
            rule(&Definition {
                name: "a".to_owned(),
                rule: rule_,
                updated_by: String::new(),
                updated_at: String::new(),
            })
        };
        let roles = vec!["editor".to_owned(), "author".to_owned()];
        let bounds = "At most 50 messages of 65536 bytes in 1000 ms.";
        assert_eq!(
            told(Rule { roles, ..Rule::new(Auth::User) }),
            format!("For users with a role of editor, author. {bounds}")
        );
        let public_types = Some(vec!["ping".to_owned()]);
        assert_eq!(
            told(Rule { public_types, ..Rule::new(Auth::Public) }),
            format!("For everybody; guests send only ping. {bounds}")
        );
    }
}
