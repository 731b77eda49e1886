//! One's own account: who one is, where one is signed in, and the way out.

mod functions;

use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    account::SessionEntry,
    components::{nav::PageLink, notice::FormOutcome, page::PageHeader, skeleton::Skeleton, time::RelativeTime},
    error::{Problem, set_status},
    pages::{
        address,
        login::{LogOut, LogOutEverywhere},
    },
};

pub use functions::{AccountView, EndSession, ReadAccount, end_session, read_account};

/// The account of whoever is signed in.
#[component]
pub fn AccountPage() -> impl IntoView {
    let account = Resource::new(|| (), |()| read_account());
    view! {
        <PageHeader title="Your account" lead="Where you are signed in, and the way out." />
        <FormOutcome />
        <Transition fallback=|| view! { <Skeleton lines=5 /> }>
            {move || account.get().map(|outcome| show(outcome).into_any())}
        </Transition>
    }
    .into_any()
}

fn show(outcome: Result<Option<AccountView>, Problem>) -> AnyView {
    match outcome {
        Ok(Some(account)) => view! { <Account account /> }.into_any(),
        Ok(None) => {
            set_status(Problem::SignedOut);
            view! {
                <section class="card" aria-label="Signed out">
                    <p>"Nobody is signed in here."</p>
                    <p class="actions">
                        <PageLink href=format!("{}?next={}", address::LOGIN, address::ACCOUNT) class="button">
                            "Sign in"
                        </PageLink>
                    </p>
                </section>
            }
            .into_any()
        }
        Err(problem) => view! { <p class="notice notice-error" role="alert">{problem.to_string()}</p> }.into_any(),
    }
}

#[component]
fn Account(account: AccountView) -> impl IntoView {
    let AccountView { user, sessions } = account;
    let is_admin = user.is_admin();
    let roles = if user.roles.is_empty() { "None".to_owned() } else { user.roles.join(", ") };
    view! {
        <section class="card" aria-labelledby="who">
            <h2 id="who">{user.username}</h2>
            <dl class="readings">
                <div>
                    <dt>"Roles"</dt>
                    <dd>{roles}</dd>
                </div>
            </dl>
            <div class="actions">
                <form method="post" action=LogOut::url()>
                    <button type="submit" class="button">
                        "Sign out"
                    </button>
                </form>
                <form method="post" action=LogOutEverywhere::url()>
                    <button type="submit" class="button button-secondary">
                        "Sign out everywhere"
                    </button>
                </form>
            </div>
        </section>
        {is_admin.then(|| view! { <AdminPages /> })}
        <section class="card" aria-labelledby="sessions">
            <h2 id="sessions">"Sessions"</h2>
            <ul class="sessions" role="list" aria-labelledby="sessions">
                {sessions.into_iter().map(|session| view! { <Session session /> }).collect_view()}
            </ul>
        </section>
    }
    .into_any()
}

/// What an administrator may do besides.
#[component]
fn AdminPages() -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="administration">
            <h2 id="administration">"Administration"</h2>
            <ul role="list">
                <li>
                    <PageLink href=address::CLUSTER>"The whole cluster"</PageLink>
                </li>
                <li>
                    <PageLink href=address::FEATURES>"Features"</PageLink>
                </li>
                <li>
                    <PageLink href=address::ADMIN_SITE>"Title and banner"</PageLink>
                </li>
                <li>
                    <PageLink href=address::ADMIN_NOTIFICATIONS>"Tell everybody"</PageLink>
                </li>
                <li>
                    <PageLink href=address::ADMIN_WEBSOCKET_STATUS>"WebSocket status"</PageLink>
                </li>
                <li>
                    <PageLink href=address::ADMIN_WEBSOCKET_ENDPOINTS>"WebSocket endpoints"</PageLink>
                </li>
                <li>
                    <PageLink href=address::ADMIN_WEBSOCKET_CONSOLE>"WebSocket test console"</PageLink>
                </li>
            </ul>
        </section>
    }
    .into_any()
}

#[component]
fn Session(session: SessionEntry) -> impl IntoView {
    let name = session.browser_name();
    let label = format!("End the session of {name}");
    view! {
        <li class="session">
            <p>
                <strong>{name}</strong>
                {session.is_current.then_some(" (this one)")}
            </p>
            <p class="hint">"Last used " <RelativeTime at=session.used /> ", begun " <RelativeTime at=session.since /></p>
            <form method="post" action=EndSession::url()>
                <input type="hidden" name="handle" value=session.handle />
                <button type="submit" class="button button-secondary" aria-label=label>
                    "End"
                </button>
            </form>
        </li>
    }
    .into_any()
}
