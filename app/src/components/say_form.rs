//! One line to say.

use std::rc::Rc;

use leptos::{ev::SubmitEvent, html, prelude::*};

/// Characters of a line at most.
pub const LINE_CHARS: usize = 500;

/// A field and a button. What is typed goes to `say`, trimmed and never empty; it comes back into the
/// field with the callback that goes along, when it could not be said.
#[component]
pub fn SayForm(
    /// Of the field; unique on the page.
    #[prop(into)]
    id: String,
    /// What the field is for.
    #[prop(into)]
    label: String,
    /// What the button says.
    button: &'static str,
    /// Called with the line, and with what takes it back.
    say: Callback<(String, Callback<String>)>,
    /// Called with every key.
    #[prop(optional)]
    typing: Option<Rc<dyn Fn()>>,
) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    let take_back = Callback::new(move |line: String| {
        // Somebody who has begun to write anew keeps that.
        if let Some(field) = field.get_untracked().filter(|field| field.value().is_empty()) {
            field.set_value(&line);
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(field) = field.get_untracked() else { return };
        let line: String = field.value().trim().chars().take(LINE_CHARS).collect();
        if !line.is_empty() {
            field.set_value("");
            say.run((line, take_back));
        }
    };
    view! {
        <form class="add-form" on:submit=submit>
            <label for=id.clone()>{label}</label>
            <div class="field-row">
                <input
                    id=id
                    type="text"
                    required
                    autocomplete="off"
                    maxlength=LINE_CHARS.to_string()
                    node_ref=field
                    on:input=move |_| {
                        if let Some(typing) = &typing {
                            typing();
                        }
                    }
                />
                <button type="submit" class="button">
                    {button}
                </button>
            </div>
        </form>
    }
    .into_any()
}
