//! Pages for administrators. Who is none is told so, with the fitting status; the pages' data comes from
//! server functions that check for themselves.

pub mod notifications;
pub mod site;
pub mod websocket_console;
pub mod websocket_endpoints;
pub mod websocket_status;

use leptos::prelude::*;

use crate::{
    components::nav::PageLink,
    error::{Problem, set_status},
    pages::address,
};

/// What stands in place of a page that was refused.
#[component]
pub fn Refused(
    /// Why.
    problem: Problem,
    /// The page's address, to come back to.
    page: &'static str,
) -> impl IntoView {
    set_status(problem);
    let sign_in = (problem == Problem::SignedOut).then(|| {
        view! {
            <p class="actions">
                <PageLink href=format!("{}?next={page}", address::LOGIN) class="button">
                    "Sign in"
                </PageLink>
            </p>
        }
    });
    view! {
        <section class="card" aria-label="Refused">
            <p role="alert">{problem.to_string()}</p>
            {sign_in}
        </section>
    }
    .into_any()
}

/// The administrator who asks.
///
/// # Errors
///
/// [`Problem::SignedOut`] for a guest, [`Problem::Forbidden`] for a user without the role. The answer has
/// the status that says so.
#[cfg(feature = "ssr")]
pub async fn administrator() -> Result<crate::account::User, Problem> {
    let problem = match crate::pages::request::visitor()?.user().await {
        Some(user) if user.is_admin() => return Ok(user),
        Some(_) => Problem::Forbidden,
        None => Problem::SignedOut,
    };
    set_status(problem);
    Err(problem)
}
