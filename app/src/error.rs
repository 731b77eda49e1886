//! What a visitor may learn about a failure, and the HTTP status that goes with it.
//!
//! A [`Problem`] is a closed list of sentences: whatever went wrong inside, and whatever stands in an
//! address somebody made up, a page can show nothing else.

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use wire::{limits::MESSAGE_BYTES, text::TEXT_CHARS};

use crate::{
    cart::Quantity,
    motto::Motto,
    site::SiteSettings,
    system_notification::NotificationDraft,
    todo::{Title, TitleError},
    websocket::{
        DefinitionError,
        rule::{INTERVALS, MESSAGES, NAMED},
    },
};

/// Why a page could not do what it was asked for; the message is for the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// A to-do without a title.
    #[error("A task needs a title.")]
    TitleEmpty,
    /// A to-do with more than [`Title::MAX_CHARS`] characters.
    #[error("A title has at most {} characters.", Title::MAX_CHARS)]
    TitleTooLong,
    /// A to-do with a line break or another control character.
    #[error("A title is one line of plain text.")]
    TitleControl,
    /// A notification that says nothing, or too much, or holds control characters.
    #[error("A message is one line of 1 to 200 characters.")]
    Message,
    /// A sender's name that is too long or holds control characters.
    #[error("A name is one line of at most 40 characters.")]
    Name,
    /// The to-do is gone.
    #[error("This task no longer exists. Somebody may have deleted it a moment ago.")]
    TaskGone,
    /// A sign-in with a name or password that is wrong.
    #[error("The name or the password is wrong.")]
    Credentials,
    /// Too many sign-ins that were wrong.
    #[error("Too many attempts were wrong. Please wait a few minutes before you try again.")]
    TooOften,
    /// Something that is for users only.
    #[error("Please sign in first.")]
    SignedOut,
    /// Something that is for administrators only.
    #[error("This is for administrators.")]
    Forbidden,
    /// A feature without a name it could have.
    #[error("The name of a feature is 1 to 100 letters, digits and _ . : -")]
    FeatureName,
    /// A notification for everybody that cannot be sent as it is.
    #[error("A notification is one line of 1 to {} characters, with a level.", NotificationDraft::MAX_CHARS)]
    SystemNotification,
    /// A title or a banner of the site that is too long, or not one line.
    #[error(
        "A title is one line of at most {} characters, a banner one of at most {}.",
        SiteSettings::TITLE_CHARS,
        SiteSettings::BANNER_CHARS
    )]
    SiteSettings,
    /// An endpoint with a name that cannot be part of an address.
    #[error("A name has 1 to 64 letters, digits, _ . or -, a letter or digit first.")]
    EndpointName,
    /// An endpoint with limits out of bounds.
    #[error(
        "Limits are 1 to {} messages in {} to {} ms, each of 1 to {MESSAGE_BYTES} bytes.",
        MESSAGES.end(),
        INTERVALS.start(),
        INTERVALS.end()
    )]
    EndpointLimits,
    /// An endpoint with roles or types that are none.
    #[error("Roles and types are words of letters, digits, _ . or -, at most {NAMED} of each.")]
    EndpointWords,
    /// An endpoint of the application's own.
    #[error("An endpoint of this name is part of the application and cannot be changed.")]
    EndpointTaken,
    /// More endpoints than there may be.
    #[error("There are as many endpoints as there may be. Delete one first.")]
    EndpointsFull,
    /// The endpoint is gone.
    #[error("This endpoint no longer exists. Another administrator may have deleted it.")]
    EndpointGone,
    /// A product that is not sold, or more of it than a cart holds.
    #[error("A cart holds 0 to {} of each product of the shop.", Quantity::MOST)]
    CartItem,
    /// A motto that is too long, or not one line.
    #[error("A motto is one line of 1 to {} characters.", Motto::MAX_CHARS)]
    Motto,
    /// Visitors write faster than a demo takes it.
    #[error("Too many are writing just now. Please wait a few seconds and try again.")]
    Crowded,
    /// The accounts cannot be looked up, or more sign in at once than the instance takes.
    #[error("Signing in is not possible just now. Please try again in a moment.")]
    Busy,
    /// A fault where none may be caused.
    #[error("Nothing can be broken here: that takes a site in development, asked directly on its own machine.")]
    FaultsOff,
    /// There is no other instance to kill.
    #[error("There is no other instance just now.")]
    NobodyElse,
    /// There is no Redis to break, or it took no part.
    #[error("Redis is not there, or does not let this site do that.")]
    NoRedis,
    /// An edit of a version of the text that is too old.
    #[error("The text has changed too much since you loaded it. Go back for what you wrote, and load the page anew.")]
    TextOutdated,
    /// A text with more than [`TEXT_CHARS`] characters.
    #[error("The text has at most {TEXT_CHARS} characters.")]
    TextTooLong,
    /// The text cannot be read or saved just now.
    #[error("The text cannot be reached just now. Please try again in a moment.")]
    TextUnavailable,
    /// The page does not exist.
    #[error("There is no page at this address.")]
    PageNotFound,
    /// The request was not one a page sends.
    #[error("The request could not be understood.")]
    BadRequest,
    /// The store does not answer just now.
    #[error("The list cannot be reached just now. Please try again in a moment.")]
    Unavailable,
    /// The browser got no answer.
    #[error("The server could not be reached. Please check your connection and try again.")]
    Offline,
    /// Something a visitor can do nothing about.
    #[error("Something went wrong on our side. Please try again.")]
    Internal,
}

impl Problem {
    /// Every problem an address may name, for [`Problem::from_code`].
    const ALL: [Self; 34] = [
        Self::TitleEmpty,
        Self::TitleTooLong,
        Self::TitleControl,
        Self::Message,
        Self::Name,
        Self::TaskGone,
        Self::Credentials,
        Self::TooOften,
        Self::SignedOut,
        Self::Forbidden,
        Self::FeatureName,
        Self::SystemNotification,
        Self::SiteSettings,
        Self::EndpointName,
        Self::EndpointLimits,
        Self::EndpointWords,
        Self::EndpointTaken,
        Self::EndpointsFull,
        Self::EndpointGone,
        Self::CartItem,
        Self::Motto,
        Self::Crowded,
        Self::Busy,
        Self::FaultsOff,
        Self::NobodyElse,
        Self::NoRedis,
        Self::TextOutdated,
        Self::TextTooLong,
        Self::TextUnavailable,
        Self::PageNotFound,
        Self::BadRequest,
        Self::Unavailable,
        Self::Offline,
        Self::Internal,
    ];

    /// The HTTP status that says the same.
    pub const fn status(self) -> u16 {
        match self {
            Self::TitleEmpty
            | Self::TitleTooLong
            | Self::TitleControl
            | Self::Message
            | Self::Name
            | Self::FeatureName
            | Self::SystemNotification
            | Self::SiteSettings
            | Self::EndpointName
            | Self::EndpointLimits
            | Self::EndpointWords
            | Self::CartItem
            | Self::Motto
            | Self::BadRequest => 400,
            Self::Credentials | Self::SignedOut => 401,
            Self::Forbidden => 403,
            Self::TaskGone | Self::EndpointGone | Self::FaultsOff | Self::PageNotFound => 404,
            Self::EndpointTaken | Self::EndpointsFull | Self::NobodyElse | Self::NoRedis | Self::TextOutdated => 409,
            Self::TextTooLong => 413,
            Self::TooOften | Self::Crowded => 429,
            Self::Internal => 500,
            Self::Unavailable | Self::Offline | Self::Busy | Self::TextUnavailable => 503,
        }
    }

    /// How the problem is named in an address, `?problem=title-empty`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TitleEmpty => "title-empty",
            Self::TitleTooLong => "title-too-long",
            Self::TitleControl => "title-control",
            Self::Message => "message",
            Self::Name => "name",
            Self::TaskGone => "task-gone",
            Self::Credentials => "credentials",
            Self::TooOften => "too-often",
            Self::SignedOut => "signed-out",
            Self::Forbidden => "forbidden",
            Self::FeatureName => "feature-name",
            Self::SystemNotification => "system-notification",
            Self::SiteSettings => "site-settings",
            Self::EndpointName => "endpoint-name",
            Self::EndpointLimits => "endpoint-limits",
            Self::EndpointWords => "endpoint-words",
            Self::EndpointTaken => "endpoint-taken",
            Self::EndpointsFull => "endpoints-full",
            Self::EndpointGone => "endpoint-gone",
            Self::CartItem => "cart-item",
            Self::Motto => "motto",
            Self::Crowded => "crowded",
            Self::Busy => "busy",
            Self::FaultsOff => "faults-off",
            Self::NobodyElse => "nobody-else",
            Self::NoRedis => "no-redis",
            Self::TextOutdated => "text-outdated",
            Self::TextTooLong => "text-too-long",
            Self::TextUnavailable => "text-unavailable",
            Self::PageNotFound => "page-not-found",
            Self::BadRequest => "bad-request",
            Self::Unavailable => "unavailable",
            Self::Offline => "offline",
            Self::Internal => "internal",
        }
    }

    /// The problem an address names; `None` for anything made up.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.code() == code)
    }
}

impl From<TitleError> for Problem {
    fn from(error: TitleError) -> Self {
        match error {
            TitleError::Empty => Self::TitleEmpty,
            TitleError::TooLong => Self::TitleTooLong,
            TitleError::Control => Self::TitleControl,
        }
    }
}

impl From<DefinitionError> for Problem {
    fn from(error: DefinitionError) -> Self {
        match error {
            DefinitionError::Shape(_) => Self::BadRequest,
            DefinitionError::Name => Self::EndpointName,
            DefinitionError::Size | DefinitionError::Interval | DefinitionError::Messages => Self::EndpointLimits,
            DefinitionError::Words => Self::EndpointWords,
        }
    }
}

#[cfg(feature = "ssr")]
impl From<crate::ports::DefineError> for Problem {
    fn from(error: crate::ports::DefineError) -> Self {
        use crate::ports::DefineError;
        match error {
            DefineError::Taken => Self::EndpointTaken,
            DefineError::Unknown => Self::EndpointGone,
            DefineError::TooMany => Self::EndpointsFull,
            DefineError::Store(_) => Self::Unavailable,
        }
    }
}

#[cfg(feature = "ssr")]
impl From<crate::ports::FaultError> for Problem {
    fn from(error: crate::ports::FaultError) -> Self {
        use crate::ports::FaultError;
        match error {
            FaultError::NobodyElse => Self::NobodyElse,
            FaultError::NoRedis => Self::NoRedis,
        }
    }
}

#[cfg(feature = "ssr")]
impl From<crate::todos::TodoError> for Problem {
    fn from(error: crate::todos::TodoError) -> Self {
        use crate::todos::TodoError;
        match error {
            TodoError::Title(error) => error.into(),
            TodoError::NotFound => Self::TaskGone,
            TodoError::InvalidId | TodoError::InvalidCursor => Self::BadRequest,
            TodoError::Unavailable(_) => Self::Unavailable,
        }
    }
}

#[cfg(feature = "ssr")]
impl From<crate::ports::SubmitError> for Problem {
    fn from(error: crate::ports::SubmitError) -> Self {
        use wire::text::Refusal;

        use crate::ports::SubmitError;
        match error {
            SubmitError::Refused(Refusal::Outdated { .. }) => Self::TextOutdated,
            SubmitError::Refused(Refusal::TooLong) => Self::TextTooLong,
            SubmitError::Refused(_) => Self::BadRequest,
            SubmitError::Store(_) => Self::TextUnavailable,
        }
    }
}

impl FromServerFnError for Problem {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) => Self::Offline,
            // The server says so before any function of ours runs: the status is set here or nowhere.
            #[cfg(feature = "ssr")]
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                set_status(Self::BadRequest);
                Self::BadRequest
            }
            _ => Self::Internal,
        }
    }
}

/// Gives the answer to the current request the status of `problem`: of a page as of a server function.
///
/// A form posted by a browser without WebAssembly keeps its redirect: the page it leads to carries
/// the status.
#[cfg(feature = "ssr")]
pub fn set_status(problem: Problem) {
    use leptos::prelude::use_context;

    if !crate::pages::request::is_plain_form()
        && let Some(response) = use_context::<leptos_axum::ResponseOptions>()
        && let Ok(status) = http::StatusCode::from_u16(problem.status())
    {
        response.set_status(status);
    }
}

/// In the browser the answer has been given long ago: nothing to do.
#[cfg(not(feature = "ssr"))]
pub fn set_status(_problem: Problem) {}

#[cfg(test)]
mod tests {
    use super::Problem;

    #[test]
    fn every_problem_is_found_again_by_its_code_and_by_its_json() {
        for problem in Problem::ALL {
            assert_eq!(Problem::from_code(problem.code()), Some(problem));
            assert_eq!(serde_json::to_value(problem).expect("unit variants serialise"), problem.code());
        }
    }

    #[test]
    fn a_made_up_code_names_no_problem() {
        assert_eq!(Problem::from_code("<b>you have been hacked</b>"), None);
    }
}
