//! Notices: what became of a form that was posted without WebAssembly, hints that stay in the page, what stands in place
//! of what could not be loaded.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::error::{Problem, set_status};

/// The query parameter that names a [`Notice`].
pub const NOTICE: &str = "notice";
/// The query parameter that names a [`Problem`].
pub const PROBLEM: &str = "problem";
/// What Leptos itself adds to an address when a form's fields could not be read.
const UNREADABLE: &str = "__err";

/// What was done; the message is for the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A to-do was added.
    Added,
    /// A to-do was ticked off, or no longer is.
    Changed,
    /// A to-do was deleted.
    Deleted,
    /// A notification was sent.
    Sent,
    /// An administrator told everybody.
    Told,
    /// The visitor signed out.
    SignedOut,
    /// A session was ended.
    SessionEnded,
    /// A feature was switched.
    Switched,
    /// The site's settings were saved.
    Saved,
    /// A WebSocket endpoint was made or changed.
    EndpointSaved,
    /// A WebSocket endpoint was removed.
    EndpointDeleted,
    /// A cart holds something else.
    CartChanged,
    /// There is another motto.
    MottoSaved,
}

impl Notice {
    /// How it is named in an address, `?notice=added`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
            Self::Sent => "sent",
            Self::Told => "told",
            Self::SignedOut => "signed-out",
            Self::SessionEnded => "session-ended",
            Self::Switched => "switched",
            Self::Saved => "saved",
            Self::EndpointSaved => "endpoint-saved",
            Self::EndpointDeleted => "endpoint-deleted",
            Self::CartChanged => "cart-changed",
            Self::MottoSaved => "motto-saved",
        }
    }

    /// The sentence for the visitor.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Added => "The task was added.",
            Self::Changed => "The task was changed.",
            Self::Deleted => "The task was deleted.",
            Self::Sent => "Your message is on its way to every open browser.",
            Self::Told => "Everybody is told.",
            Self::SignedOut => "You are signed out.",
            Self::SessionEnded => "The session was ended.",
            Self::Switched => "The feature was switched, on every instance.",
            Self::Saved => "Saved, for every open page.",
            Self::EndpointSaved => "The endpoint is live on every instance.",
            Self::EndpointDeleted => "The endpoint is gone, on every instance.",
            Self::CartChanged => "Your cart was changed, on all your devices.",
            Self::MottoSaved => "The motto was saved, for every instance.",
        }
    }

    /// What an address names; `None` for anything made up.
    pub fn from_code(code: &str) -> Option<Self> {
        const ALL: [Notice; 13] = [
            Notice::Added,
            Notice::Changed,
            Notice::Deleted,
            Notice::Sent,
            Notice::Told,
            Notice::SignedOut,
            Notice::SessionEnded,
            Notice::Switched,
            Notice::Saved,
            Notice::EndpointSaved,
            Notice::EndpointDeleted,
            Notice::CartChanged,
            Notice::MottoSaved,
        ];
        ALL.into_iter().find(|notice| notice.code() == code)
    }
}

/// Shows what became of a form posted without WebAssembly: read from the address, so that it works
/// with nothing but HTML. A problem also decides the page's status.
#[component]
pub fn FormOutcome() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let problem = if query.get_str(UNREADABLE).is_some() {
        Some(Problem::BadRequest)
    } else {
        query.get_str(PROBLEM).and_then(Problem::from_code)
    };
    if let Some(problem) = problem {
        set_status(problem);
        return view! { <p class="notice notice-error" role="alert">{problem.to_string()}</p> }.into_any();
    }
    match query.get_str(NOTICE).and_then(Notice::from_code) {
        Some(notice) => view! { <p class="notice notice-success">{notice.text()}</p> }.into_any(),
        None => ().into_any(),
    }
}

/// In place of what could not be loaded: why, and a way to try again.
#[component]
pub fn LoadFailed(
    /// Why.
    problem: Problem,
) -> impl IntoView {
    view! {
        <div class="notice notice-error" role="alert">
            <p>{problem.to_string()}</p>
            <p>
                <a href="" target="_self">
                    "Try again"
                </a>
            </p>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::Notice;

    #[test]
    fn a_notice_is_found_again_by_its_code_and_nothing_else_is() {
        assert_eq!(Notice::from_code(Notice::Deleted.code()), Some(Notice::Deleted));
        assert_eq!(Notice::from_code("free-money"), None);
    }
}
