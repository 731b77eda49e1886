//! The site's title and banner: administrators save, open pages follow.

mod functions;

use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    components::{notice::FormOutcome, page::PageHeader, skeleton::Skeleton},
    pages::{address, admin::Refused},
    site::SiteSettings,
};

pub use functions::{EditSite, SaveSite, edit_site, save_site};

/// The form.
#[component]
pub fn AdminSitePage() -> impl IntoView {
    let site = Resource::new(|| (), |()| edit_site());
    view! {
        <PageHeader title="Title and banner" lead="Saved here, shown by every open page on every instance." />
        <Transition fallback=|| view! { <Skeleton lines=4 /> }>
            {move || {
                site.get()
                    .map(|outcome| match outcome {
                        Ok(site) => view! { <Form site /> }.into_any(),
                        Err(problem) => view! { <Refused problem page=address::ADMIN_SITE /> }.into_any(),
                    })
            }}
        </Transition>
    }
    .into_any()
}

/// Works as a plain form, so that it leads to a page with what was saved.
#[component]
fn Form(site: SiteSettings) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="site">
            <h2 id="site">"This site"</h2>
            <FormOutcome />
            <form class="stacked-form" method="post" action=SaveSite::url()>
                <div class="field">
                    <label for="site-title">"Title"</label>
                    <input
                        id="site-title"
                        name="title"
                        type="text"
                        autocomplete="off"
                        maxlength=SiteSettings::TITLE_CHARS.to_string()
                        placeholder=SiteSettings::DEFAULT_TITLE
                        value=site.title
                    />
                </div>
                <div class="field">
                    <label for="site-banner">"Banner"</label>
                    <input
                        id="site-banner"
                        name="banner"
                        type="text"
                        autocomplete="off"
                        maxlength=SiteSettings::BANNER_CHARS.to_string()
                        value=site.banner
                    />
                </div>
                <button type="submit" class="button">
                    "Save"
                </button>
            </form>
        </section>
    }
    .into_any()
}
