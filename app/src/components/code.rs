//! A piece of code to read and to take away.

use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen_futures::JsFuture;
use web_sys::js_sys::Reflect;

use crate::components::{
    mounted::use_mounted,
    toast::{Level, Toasts, use_toasts},
};

/// Code with its name and, once the page is alive, a button that copies it.
#[component]
pub fn CodeSample(
    /// What the code does.
    title: &'static str,
    /// The language, as people call it.
    language: &'static str,
    /// The code itself.
    code: &'static str,
) -> impl IntoView {
    let is_mounted = use_mounted();
    let toasts = use_toasts();
    let copy = move |_| copy_and_say(toasts, title, code.to_owned());
    view! {
        <figure class="code">
            <figcaption>
                <span class="code-title">{title}</span>
                <span class="code-language">{language}</span>
                <button
                    type="button"
                    class="button-quiet"
                    hidden=move || !is_mounted.get()
                    aria-label=format!("Copy: {title} ({language})")
                    on:click=copy
                >
                    "Copy"
                </button>
            </figcaption>
            <pre tabindex="0" aria-label=format!("{title}, {language}")>
                <code>{code.trim_end()}</code>
            </pre>
        </figure>
    }
    .into_any()
}

/// Copies a text that goes by this name, and says how that went.
pub(super) fn copy_and_say(toasts: Toasts, title: &'static str, text: String) {
    spawn_local(async move {
        match copy_text(&text).await {
            Ok(()) => toasts.show(Level::Success, format!("Copied: {title}")),
            Err(NotCopied) => {
                toasts.show(Level::Warning, "The browser did not allow copying. Select the code instead.");
            }
        }
    });
}

/// The browser refused, or the page is not on a secure origin.
pub(crate) struct NotCopied;

/// Copies a text to where the visitor can paste it from.
pub(crate) async fn copy_text(text: &str) -> Result<(), NotCopied> {
    let navigator = window().navigator();
    // Absent on plain http, where calling it would throw.
    let is_offered = Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|clipboard| clipboard.is_object());
    if !is_offered {
        return Err(NotCopied);
    }
    let promise = navigator.clipboard().write_text(text);
    JsFuture::from(promise).await.map(drop).map_err(|_| NotCopied)
}
