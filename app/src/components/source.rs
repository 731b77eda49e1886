//! Source files of this very site, shown on its pages.
//!
//! A browser never downloads them as part of the application: the server writes them into the page as markup,
//! coloured already, and hydration leaves markup from the server as it is. In the WebAssembly a file is
//! nothing but its path. So pages that show sources are loaded from the server, as all pages here are.

#[cfg(feature = "ssr")]
mod highlight;

use leptos::{html, prelude::*};

use super::{code::copy_and_say, mounted::use_mounted, toast::use_toasts};

/// A source file; made by [`source!`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// From the top of the repository.
    pub path: &'static str,
    /// What is in it; nothing, in a browser.
    text: &'static str,
}

impl SourceFile {
    /// The file at this path with this text.
    pub const fn new(path: &'static str, text: &'static str) -> Self {
        Self { path, text }
    }

    /// The language, as people call it.
    pub fn language(self) -> &'static str {
        if self.path.rsplit('.').next() == Some("js") { "JavaScript" } else { "Rust" }
    }

    /// As markup; nothing, in a browser.
    fn html(self) -> String {
        #[cfg(feature = "ssr")]
        return highlight::html(self.text.trim_end(), self.language());
        #[cfg(not(feature = "ssr"))]
        return self.text.to_owned();
    }
}

/// The source file at a path from the top of the repository, which may come in parts, as it is when the site
/// is built.
macro_rules! source {
    ($($path:literal),+) => {{
        #[cfg(feature = "ssr")]
        const TEXT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../", $($path),+));
        #[cfg(not(feature = "ssr"))]
        const TEXT: &str = "";
        $crate::components::source::SourceFile::new(concat!($($path),+), TEXT)
    }};
}
pub(crate) use source;

/// A file with its name and, once the page is alive, a button that copies it.
#[component]
pub fn SourceSample(
    /// The file.
    file: SourceFile,
    /// What it does.
    title: &'static str,
) -> impl IntoView {
    let text = NodeRef::<html::Code>::new();
    view! {
        <figure class="code">
            <figcaption>
                <span class="code-title">{title}</span>
                <span class="code-language">{file.language()}</span>
                <CopyButton text title language=file.language() />
            </figcaption>
            <Text file text label=format!("{title}, {}", file.language()) />
        </figure>
    }
    .into_any()
}

/// What a page is made of: each file under its path, the first one open.
#[component]
pub fn Sources(
    /// The files, the one to begin with first.
    files: Vec<SourceFile>,
) -> impl IntoView {
    let files = files
        .into_iter()
        .enumerate()
        .map(|(place, file)| {
            let text = NodeRef::<html::Code>::new();
            view! {
                <details class="code" open=(place == 0).then_some("")>
                    <summary>
                        <code>{file.path}</code>
                    </summary>
                    <p class="code-bar">
                        <span class="code-language">{file.language()}</span>
                        <CopyButton text title=file.path language=file.language() />
                    </p>
                    <Text file text label=file.path.to_owned() />
                </details>
            }
            .into_any()
        })
        .collect_view();
    view! {
        <section class="sources" aria-labelledby="sources">
            <h2 id="sources">"The source of this page"</h2>
            <p class="hint">"The very files that run here, taken in when the site was built."</p>
            {files}
        </section>
    }
    .into_any()
}

#[component]
fn Text(file: SourceFile, text: NodeRef<html::Code>, label: String) -> impl IntoView {
    view! {
        <pre tabindex="0" aria-label=label>
            <code node_ref=text inner_html=file.html()></code>
        </pre>
    }
    .into_any()
}

#[component]
fn CopyButton(text: NodeRef<html::Code>, title: &'static str, language: &'static str) -> impl IntoView {
    let is_mounted = use_mounted();
    let toasts = use_toasts();
    let copy = move |_| {
        let shown = text.get_untracked().and_then(|element| element.text_content()).unwrap_or_default();
        copy_and_say(toasts, title, shown);
    };
    view! {
        <button
            type="button"
            class="button-quiet"
            hidden=move || !is_mounted.get()
            aria-label=format!("Copy: {title} ({language})")
            on:click=copy
        >
            "Copy"
        </button>
    }
    .into_any()
}
