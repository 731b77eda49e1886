//! Signing in and out for pages. Each works as the target of a plain form as well.

use leptos::server;

use crate::{account::User, cluster::ClusterClient, error::Problem};

/// Signs in and leads a plain form to `next`, a path of this site.
///
/// # Errors
///
/// When the name or the password is wrong, or nobody can say.
#[server(prefix = "/fn", endpoint = "log-in", client = ClusterClient)]
pub async fn log_in(
    /// As it was typed.
    username: String,
    /// As it was typed.
    password: String,
    /// Where to go then.
    #[server(default)]
    next: Option<String>,
) -> Result<User, Problem> {
    use crate::{
        account::local_path,
        components::notice::PROBLEM,
        error::set_status,
        pages::{address, request},
        ports::LogInError,
    };

    let next = next.as_deref().and_then(local_path);
    let signed_in = request::visitor()?.log_in(&username, &password).await.map_err(|error| match error {
        LogInError::Credentials => Problem::Credentials,
        LogInError::TooOften(_) => Problem::TooOften,
        LogInError::Busy | LogInError::Unavailable(_) => Problem::Busy,
    });
    match &signed_in {
        _ if !request::is_plain_form() => {
            if let Err(problem) = &signed_in {
                set_status(*problem);
            }
        }
        Ok(_) => request::see_other(next.unwrap_or(address::ACCOUNT)),
        Err(problem) => {
            let next = next.map(|next| format!("&next={}", encoded(next))).unwrap_or_default();
            request::see_other(&format!("{}?{PROBLEM}={}{next}", address::LOGIN, problem.code()));
        }
    }
    signed_in
}

/// Ends this session.
///
/// # Errors
///
/// When the server cannot be reached.
#[server(prefix = "/fn", endpoint = "log-out", client = ClusterClient)]
pub async fn log_out() -> Result<(), Problem> {
    use crate::{
        components::notice::Notice,
        pages::{address, request},
    };

    request::visitor()?.log_out().await;
    request::finish(Ok(()), Notice::SignedOut, address::LOGIN)
}

/// Ends every session of the user.
///
/// # Errors
///
/// When the server cannot be reached.
#[server(prefix = "/fn", endpoint = "log-out-everywhere", client = ClusterClient)]
pub async fn log_out_everywhere() -> Result<(), Problem> {
    use crate::{
        components::notice::Notice,
        pages::{address, request},
    };

    request::visitor()?.log_out_everywhere().await;
    request::finish(Ok(()), Notice::SignedOut, address::LOGIN)
}

/// As the value of a query parameter.
#[cfg(feature = "ssr")]
fn encoded(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    path.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
