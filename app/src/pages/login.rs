//! Signing in.

mod functions;

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

use crate::{
    account::local_path,
    components::{notice::FormOutcome, page::PageHeader},
};

pub use functions::{LogIn, LogOut, LogOutEverywhere, log_in, log_out, log_out_everywhere};

/// A form that any browser can post: signing in loads a new page, with a new session and a new socket.
#[component]
pub fn LoginPage() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let next = query.get_str("next").and_then(local_path).map(str::to_owned);
    view! {
        <PageHeader title="Sign in" lead="With the name and the password of your account on this site." />
        <section class="card" aria-label="Sign in">
            <FormOutcome />
            <form class="login-form" method="post" action=LogIn::url()>
                {next.map(|next| view! { <input type="hidden" name="next" value=next /> })}
                <div class="field">
                    <label for="username">"Name"</label>
                    <input
                        id="username"
                        name="username"
                        type="text"
                        required
                        autocomplete="username"
                        autocapitalize="none"
                        spellcheck="false"
                        maxlength="64"
                    />
                </div>
                <div class="field">
                    <label for="password">"Password"</label>
                    <input id="password" name="password" type="password" required autocomplete="current-password" />
                </div>
                <button type="submit" class="button">
                    "Sign in"
                </button>
            </form>
        </section>
    }
    .into_any()
}
