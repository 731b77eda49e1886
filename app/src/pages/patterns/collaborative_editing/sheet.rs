//! The text field with everything around it; a plain form until the page is alive.

use std::rc::Rc;

use leptos::{
    ev::{self, Event, InputEvent, KeyboardEvent},
    prelude::*,
    server_fn::ServerFn,
    wasm_bindgen::JsCast,
};
use wire::text::{TEXT_CHARS, UndoStack};

use super::{
    caret::use_cursors,
    functions::SaveText,
    leaving::use_safe_leaving,
    mirror::{Mirror, Whereabouts},
    state::Editor,
    status::{SavingStatus, SetAside},
};
use crate::{
    channel,
    cluster::{LinkState, News, OwnMessages, Subscription, TypedChannel, installed, use_link_state},
    components::mounted::use_mounted,
    text::{TextChange, TextPage},
};

/// Where accepted edits are announced.
const EDITED: TypedChannel<TextChange> = channel!("view:system:text:edited");

/// The text that everybody edits.
#[component]
pub(super) fn Sheet(page: TextPage) -> impl IntoView {
    let editor = Editor::new(&page);
    let is_mounted = use_mounted();
    let tell_place = use_cursors(editor);
    let rendered = as_content(&page.state.text);
    let (version, before) = (page.state.version.to_string(), page.state.text.clone());
    follow(editor, page);
    use_safe_leaving(editor);
    let tell = [tell_place.clone(), tell_place.clone(), tell_place];
    let [on_key, on_click, on_focus] = tell.map(|tell| move || tell());
    view! {
        <div class="card-head">
            <h2 id="text">"The text"</h2>
            <Show when=move || is_mounted.get()>
                <SavingStatus editor />
            </Show>
        </div>
        <form class="text-form" method="post" action=SaveText::url() on:submit=|event| event.prevent_default()>
            <input type="hidden" name="base" value=version />
            <input type="hidden" name="id" value=form_id() />
            <input type="hidden" name="before" value=before />
            <label for="shared-text">"Write together"</label>
            <div class="text-sheet" class:text-sheet-live=is_mounted>
                <Show when=move || is_mounted.get()>
                    <Mirror editor />
                </Show>
                <textarea
                    id="shared-text"
                    name="text"
                    rows="12"
                    maxlength=TEXT_CHARS.to_string()
                    autocomplete="off"
                    placeholder="Write here. Everybody who has this page open sees it at once."
                    aria-describedby="shared-text-hint"
                    node_ref=editor.field
                    on:input=move |event| editor.changed(is_composing(&event))
                    on:keydown=move |event| undo_by_key(editor, &event)
                    on:beforeinput=move |event| undo_by_menu(editor, &event)
                    on:compositionstart=move |_| editor.composing()
                    on:compositionend=move |_| editor.composed()
                    on:blur=move |_| editor.composed()
                    on:keyup=move |_| on_key()
                    on:click=move |_| on_click()
                    on:focus=move |_| on_focus()
                    inner_html=rendered
                ></textarea>
            </div>
            <p id="shared-text-hint" class="hint">
                {format!("At most {} characters, for everybody together.", thousands(TEXT_CHARS))}
            </p>
            <button type="submit" class="button" hidden=move || is_mounted.get()>
                "Save"
            </button>
        </form>
        <SetAside editor />
        <Whereabouts editor />
    }
    .into_any()
}

/// Once the page is alive: takes in what was typed before, hears edits from behind the rendered text on.
fn follow(editor: Editor, page: TextPage) {
    let TextPage { state, position, .. } = page;
    Effect::new(move |_| {
        let Some(field) = editor.field.get() else { return };
        if field.default_value().is_ok_and(|rendered| rendered == field.value()) {
            field.set_value(&state.text);
        } else {
            editor.typed();
        }
        let Some(link) = installed() else { return };
        // Without a position, what was accepted since the text was read is unknown.
        let is_behind = position.is_none();
        let id = link.subscribe(Subscription {
            pattern: (&EDITED.channel()).into(),
            own: OwnMessages::Hear,
            since: position.clone(),
            on_message: Rc::new(move |delivery| {
                let change = serde_json::from_value::<TextChange>(delivery.data.clone().into());
                match change.map(TextChange::accepted) {
                    Ok(Some(accepted)) => editor.hear_all([accepted]),
                    // Too long to be told, or of a shape to come: it can be asked for.
                    Ok(None) | Err(_) => editor.catch_up(),
                }
            }),
            on_news: Rc::new(move |news| {
                if news == News::Gap || is_behind {
                    editor.catch_up();
                }
            }),
        });
        on_cleanup(move || {
            if let Some(link) = installed() {
                link.unsubscribe(id);
            }
        });
    });
    // The browser knows before any pause is over that the network is back.
    Effect::new(move |_| {
        let online = window_event_listener(ev::online, move |_| editor.resume());
        on_cleanup(move || online.remove());
    });
    let link = use_link_state();
    Effect::new(move |before: Option<LinkState>| {
        let now = link.get();
        if now == LinkState::Connected && before.is_some_and(|before| before != now) {
            untrack(|| editor.resume());
        }
        now
    });
}

/// Whether a change is part of a composition.
fn is_composing(event: &Event) -> bool {
    event.dyn_ref::<InputEvent>().is_some_and(InputEvent::is_composing)
}

/// The keys everybody knows: the browser's own way takes no account of what others wrote.
fn undo_by_key(editor: Editor, event: &KeyboardEvent) {
    if !(event.ctrl_key() || event.meta_key()) || event.alt_key() {
        return;
    }
    match (event.key().to_lowercase().as_str(), event.shift_key()) {
        ("z", false) => editor.turn_back(UndoStack::undo),
        ("z", true) | ("y", false) => editor.turn_back(UndoStack::redo),
        _ => return,
    }
    event.prevent_default();
}

/// The same from a menu, or by shaking a phone.
fn undo_by_menu(editor: Editor, event: &InputEvent) {
    match event.input_type().as_str() {
        "historyUndo" => editor.turn_back(UndoStack::undo),
        "historyRedo" => editor.turn_back(UndoStack::redo),
        _ => return,
    }
    event.prevent_default();
}

/// A text as the content of a text field: a parser drops the first line feed of it.
fn as_content(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    if escaped.starts_with('\n') { format!("\n{escaped}") } else { escaped }
}

/// Names what a plain form changes.
#[cfg(feature = "ssr")]
fn form_id() -> String {
    let random = Nonce::new().to_string();
    let plain: String = random.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("form-{plain}")
}

/// In the browser nothing sends the form.
#[cfg(not(feature = "ssr"))]
fn form_id() -> String {
    String::new()
}

fn thousands(number: usize) -> String {
    format!("{},{:03}", number / 1_000, number % 1_000)
}

#[cfg(test)]
mod tests {
    use super::as_content;

    #[test]
    fn a_text_stays_text_and_keeps_its_first_line_feed() {
        assert_eq!(as_content("</textarea><script>&amp;"), "&lt;/textarea>&lt;script>&amp;amp;");
        assert_eq!(as_content("\ntea"), "\n\ntea");
    }
}
