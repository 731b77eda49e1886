//! The form that makes or changes an endpoint.

use leptos::{prelude::*, server_fn::ServerFn};

use super::functions::SaveEndpoint;
use crate::{
    components::nav::PageLink,
    pages::address,
    websocket::{
        Auth, Definition, Rule,
        rule::{INTERVALS, MESSAGES},
    },
};
use wire::limits::{ENDPOINT_NAME_BYTES, MESSAGE_BYTES};

/// Empty for a new endpoint, filled for one that is changed.
#[component]
pub(super) fn EndpointForm(
    /// Which is changed, if one is.
    edited: Option<Definition>,
) -> impl IntoView {
    let is_new = edited.is_none();
    let (name, rule) =
        edited.map_or_else(|| (String::new(), Rule::new(Auth::User)), |definition| (definition.name, definition.rule));
    let Rule { auth, roles, limits, public_types } = rule;
    let heading = if is_new { "New endpoint".to_owned() } else { format!("Change {name}") };
    let options = [
        (Auth::Public, "public", "Everybody"),
        (Auth::User, "user", "Users"),
        (Auth::Admin, "admin", "Administrators"),
    ]
    .map(|(choice, value, label)| {
        let is_chosen = choice == auth;
        view! { <option value=value selected=is_chosen>{label}</option> }
    });
    let cancel = (!is_new).then(|| {
        view! {
            <PageLink href=address::ADMIN_WEBSOCKET_ENDPOINTS class="button button-secondary">
                "Cancel"
            </PageLink>
        }
    });
    view! {
        <section class="card" aria-labelledby="endpoint-form">
            <h2 id="endpoint-form">{heading}</h2>
            <form class="stacked-form" method="post" action=SaveEndpoint::url()>
                <div class="field">
                    <label for="endpoint-name">"Name"</label>
                    <input
                        id="endpoint-name"
                        name="name"
                        type="text"
                        required
                        readonly=!is_new
                        autocomplete="off"
                        autocapitalize="none"
                        spellcheck="false"
                        pattern="[A-Za-z0-9][A-Za-z0-9_.\\-]*"
                        maxlength=ENDPOINT_NAME_BYTES.to_string()
                        aria-describedby="endpoint-name-hint"
                        value=name
                    />
                    <p id="endpoint-name-hint" class="hint">
                        "Letters, digits, _ . - and part of its address: /api/1/ws/name"
                    </p>
                </div>
                <div class="field">
                    <label for="endpoint-auth">"For"</label>
                    <select id="endpoint-auth" name="auth">
                        {options}
                    </select>
                </div>
                <div class="field">
                    <label for="endpoint-roles">"Only with one of these roles"</label>
                    <input
                        id="endpoint-roles"
                        name="roles"
                        type="text"
                        autocomplete="off"
                        autocapitalize="none"
                        aria-describedby="endpoint-roles-hint"
                        value=roles.join(" ")
                    />
                    <p id="endpoint-roles-hint" class="hint">
                        "Separated by spaces; empty for no such condition. Administrators always may."
                    </p>
                </div>
                <fieldset class="fields">
                    <legend>"Limits of one socket"</legend>
                    <NumberField field="maxMessages" label="Messages" value=limits.max_messages.into() max=(*MESSAGES.end()).into() />
                    <NumberField field="interval" label="in so many milliseconds" value=limits.interval min=*INTERVALS.start() max=*INTERVALS.end() />
                    <NumberField field="maxSize" label="Bytes a message" value=limits.max_size as u64 max=MESSAGE_BYTES as u64 />
                </fieldset>
                <label class="check">
                    <input type="checkbox" name="is_guarded" value="true" checked=public_types.is_some() />
                    " Guests may send only these types of messages"
                </label>
                <div class="field">
                    <label for="endpoint-types">"Types open to guests"</label>
                    <input
                        id="endpoint-types"
                        name="public_types"
                        type="text"
                        autocomplete="off"
                        autocapitalize="none"
                        aria-describedby="endpoint-types-hint"
                        value=public_types.unwrap_or_default().join(" ")
                    />
                    <p id="endpoint-types-hint" class="hint">
                        "Separated by spaces, such as “ping presence”; none makes guests listeners. For endpoints that are for everybody."
                    </p>
                </div>
                <div class="actions">
                    <button type="submit" class="button">
                        {if is_new { "Make endpoint" } else { "Save" }}
                    </button>
                    {cancel}
                </div>
            </form>
        </section>
    }
    .into_any()
}

#[component]
fn NumberField(
    field: &'static str,
    label: &'static str,
    value: u64,
    #[prop(default = 1)] min: u64,
    max: u64,
) -> impl IntoView {
    let (id, name) = (format!("endpoint-{field}"), format!("limits[{field}]"));
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                id=id
                name=name
                type="number"
                required
                inputmode="numeric"
                min=min.to_string()
                max=max.to_string()
                value=value.to_string()
            />
        </div>
    }
    .into_any()
}
