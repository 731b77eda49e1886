//! Statuses of users: saved in the store, changes received as broadcasts of the application cluster.

use std::collections::{BTreeMap, BTreeSet};

use leptos::{prelude::*, server, server_fn::codec::GetUrl, task::spawn_local};
use wire::endpoint::Present;

use crate::{
    cluster::{ClusterClient, SubscribeOptions, use_broadcast},
    components::toast::{Level, use_toasts},
    error::Problem,
    user_status::{ASKED_TOGETHER, STATUS_CHANGED, UserStatus, UserStatusChange},
};

/// The statuses of some users, by their names; of the first [`ASKED_TOGETHER`].
///
/// # Errors
///
/// When the store does not answer.
#[server(prefix = "/fn", endpoint = "user-statuses", input = GetUrl, client = ClusterClient)]
pub async fn read_statuses(
    /// Names with commas between them.
    names: String,
) -> Result<BTreeMap<String, UserStatus>, Problem> {
    let ports = crate::pages::request::ports()?;
    let mut statuses = BTreeMap::new();
    for name in names.split(',').take(ASKED_TOGETHER) {
        let status = ports.user_statuses.of(name).await.map_err(|_| Problem::Unavailable)?;
        statuses.insert(name.to_owned(), status);
    }
    Ok(statuses)
}

/// Sets the status of the user who is signed in, on every instance and every open page.
///
/// # Errors
///
/// When nobody is signed in, it is no status, or the store does not answer.
#[server(prefix = "/fn", endpoint = "user-status", client = ClusterClient)]
pub async fn set_status(
    /// One of [`UserStatus::ALL`].
    status: UserStatus,
) -> Result<(), Problem> {
    use crate::pages::request;

    let user = request::visitor()?.user().await.ok_or(Problem::SignedOut)?;
    let publisher = request::publisher().await;
    let statuses = request::ports()?.user_statuses;
    statuses.set(&user, status, publisher).await.map_err(|_| Problem::Unavailable)
}

/// Who is away or busy, and the visitor's own status.
#[component]
pub(super) fn StatusCard(
    /// Everybody on the endpoint.
    present: Signal<Vec<Present>>,
    /// Who of them the visitor is.
    me: Signal<Present>,
) -> impl IntoView {
    // By name: what others see of an account on an endpoint is the name, never its id.
    let statuses = RwSignal::new(BTreeMap::<String, UserStatus>::new());
    let asked = StoredValue::new(BTreeSet::<String>::new());
    let toasts = use_toasts();
    // Subscribed before they are loaded, so that no change between the two is overwritten.
    use_broadcast(STATUS_CHANGED, SubscribeOptions::default(), move |change: UserStatusChange, _| {
        statuses.update(|known| {
            known.insert(change.username, change.status);
        });
    });
    Effect::new(move |_| {
        let here: BTreeSet<String> = present.with(|present| {
            let users = present.iter().filter(|one| !one.username.is_empty());
            users.map(|one| one.username.to_string()).collect()
        });
        // The statuses of those who left are dropped.
        statuses.update_untracked(|known| known.retain(|name, _| here.contains(name)));
        let new: Vec<String> = asked.with_value(|asked| here.difference(asked).take(ASKED_TOGETHER).cloned().collect());
        asked.set_value(here);
        if new.is_empty() {
            return;
        }
        spawn_local(async move {
            // Who cannot be asked for is shown without a status until the next change.
            if let Ok(found) = read_statuses(new.join(",")).await {
                statuses.try_update(|known| {
                    for (name, status) in found {
                        known.entry(name).or_insert(status);
                    }
                });
            }
        });
    });
    let set = move |status: UserStatus| {
        spawn_local(async move {
            match set_status(status).await {
                Ok(()) => {
                    let name = me.with_untracked(|me| me.username.to_string());
                    statuses.try_update(|known| known.insert(name, status));
                }
                Err(problem) => toasts.show(Level::Error, problem.to_string()),
            }
        });
    };
    let own = Signal::derive(move || {
        me.with(|me| statuses.with(|known| known.get(&*me.username).copied())).unwrap_or_default()
    });
    let not_there = move || {
        present.with(|present| {
            statuses.with(|known| {
                let named = present.iter().filter(|one| !one.username.is_empty());
                let with_status = named.filter_map(|one| Some((one.username.to_string(), *known.get(&*one.username)?)));
                with_status.filter(|(_, status)| *status != UserStatus::Online).collect::<Vec<_>>()
            })
        })
    };
    view! {
        <section class="card" aria-labelledby="statuses">
            <h2 id="statuses">"Status"</h2>
            <Show
                when=move || me.with(|me| !me.username.is_empty())
                fallback=|| view! { <p class="hint">"Who is signed in can say whether they are there."</p> }
            >
                <OwnStatus own set=Callback::new(set) />
            </Show>
            <ul class="people" role="list" aria-label="Away or busy" aria-live="polite">
                <For each=not_there key=|entry| entry.clone() let:entry>
                    <li class="person">{format!("{}: {}", entry.0, entry.1.label())}</li>
                </For>
            </ul>
        </section>
    }
    .into_any()
}

#[component]
fn OwnStatus(own: Signal<UserStatus>, set: Callback<UserStatus>) -> impl IntoView {
    let choices = UserStatus::ALL
        .into_iter()
        .map(|status| {
            view! {
                <label class="choice">
                    <input
                        type="radio"
                        name="status"
                        value=status.as_str()
                        prop:checked=move || own.get() == status
                        on:change=move |_| set.run(status)
                    />
                    {status.label()}
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="choices">
            <legend>"Your status"</legend>
            {choices}
        </fieldset>
    }
    .into_any()
}
