//! Collaborative editing: one text that everybody changes at once, and nobody overwrites.

mod caret;
mod cursors;
mod editor;
mod functions;
mod leaving;
mod mirror;
mod saving;
mod sheet;
mod state;
mod status;

use leptos::prelude::*;

use crate::{
    components::{
        notice::{FormOutcome, LoadFailed},
        page::PageHeader,
        skeleton::Skeleton,
        source::{Sources, source},
    },
    error::Problem,
    text::TextPage,
};

pub use functions::{ReadText, SaveText, SubmitEdit, TextSince, read_text, save_text, submit_edit, text_since};
use sheet::Sheet;

/// The text with its heading and a word on how it works.
#[component]
pub fn CollaborativeEditingPage() -> impl IntoView {
    let page = Resource::new(|| (), |()| read_text());
    view! {
        <PageHeader
            title="Collaborative editing"
            lead="One text for everybody: write at once, from any instance, and all see the same in the end."
        />
        <section class="card" aria-labelledby="text">
            <FormOutcome />
            <Suspense fallback=|| {
                view! { <Skeleton lines=6 /> }
            }>{move || page.get().map(show)}</Suspense>
        </section>
        <section class="explain" aria-labelledby="how">
            <h2 id="how">"How it works"</h2>
            <p>
                "What you type is shown at once and sent as an edit that names the version it was made on. The server moves it behind the edits that were faster, saves it with its announcement in one transaction, and tells everybody on "
                <code>"view:system:text:edited"</code>
                ". Your browser, in turn, moves what it hears past what you typed meanwhile: so all texts become equal, whatever was late, lost or sent twice. Without a connection you go on writing; your edits go out when it is back."
            </p>
        </section>
        <Sources files=vec![
            source!("app/src/pages/patterns/collaborative_editing/sheet.rs"),
            source!("app/src/pages/patterns/collaborative_editing/editor.rs"),
            source!("app/src/pages/patterns/collaborative_editing/saving.rs"),
            source!("app/src/pages/patterns/collaborative_editing/functions.rs"),
            source!("app/wire/src/text/edit.rs"),
            source!("app/wire/src/text/session.rs"),
            source!("server/src/http/texts.rs"),
            source!("server/src/store/embedded/texts.rs"),
        ] />
    }
    .into_any()
}

fn show(page: Result<TextPage, Problem>) -> AnyView {
    match page {
        Ok(page) => view! { <Sheet page /> }.into_any(),
        Err(problem) => view! {
            <h2 id="text" class="visually-hidden">
                "The text"
            </h2>
            <LoadFailed problem />
        }
        .into_any(),
    }
}
