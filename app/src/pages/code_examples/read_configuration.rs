use app::{ports::Ports, site::use_site};
use leptos::prelude::*;

/// In a page: follows live when an administrator changes it.
#[component]
fn Welcome() -> impl IntoView {
    let site = use_site();
    view! { <p>"Welcome to " {move || site.with(|site| site.shown_title().to_owned())}</p> }
}

/// On the server: from the memory of the instance, which every change is told to.
fn subject(ports: &Ports) -> String {
    format!("News from {}", ports.site.standing().settings.shown_title())
}
