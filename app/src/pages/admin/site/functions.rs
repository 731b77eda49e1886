//! What the page of title and banner asks the server for.

use leptos::{server, server_fn::codec::GetUrl};

use crate::{cluster::ClusterClient, error::Problem, site::SiteSettings};

/// Title and banner, for administrators who are about to change them.
///
/// # Errors
///
/// When nobody is signed in, or no administrator.
#[server(prefix = "/fn", endpoint = "site-edit", input = GetUrl, client = ClusterClient)]
pub async fn edit_site() -> Result<SiteSettings, Problem> {
    use crate::pages::{admin::administrator, request};

    administrator().await?;
    Ok(request::ports()?.site.standing().settings)
}

/// Saves title and banner for every instance and every open page.
///
/// # Errors
///
/// When nobody is signed in, or no administrator, one is too long, or the store does not answer.
#[server(prefix = "/fn", endpoint = "site-save", client = ClusterClient)]
pub async fn save_site(
    /// The site's name; empty for the default.
    #[server(default)]
    title: String,
    /// A line for every page; empty for none.
    #[server(default)]
    banner: String,
) -> Result<(), Problem> {
    use crate::{
        components::notice::Notice,
        pages::{address, request},
    };

    let saved = save(&title, &banner).await;
    request::finish(saved, Notice::Saved, address::ADMIN_SITE)
}

#[cfg(feature = "ssr")]
async fn save(title: &str, banner: &str) -> Result<(), Problem> {
    use crate::pages::{admin::administrator, request};

    administrator().await?;
    let site = SiteSettings::parse(title, banner).ok_or(Problem::SiteSettings)?;
    request::ports()?.site.save(&site).await.map_err(|_| Problem::Unavailable)
}
