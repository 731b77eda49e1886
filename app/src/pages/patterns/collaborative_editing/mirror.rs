//! What lies over the text field: its text again, unseen, with the cursors of others in it.

use leptos::prelude::*;

use super::{cursors::Cursor, state::Editor};

/// A stretch of text, or a cursor between two.
#[derive(Clone, PartialEq)]
enum Part {
    Text(String),
    Cursor(Cursor),
}

/// As large as the text, so that the field below it never scrolls by itself.
#[component]
pub(super) fn Mirror(editor: Editor) -> impl IntoView {
    let parts = move || editor.shown.with(|text| editor.cursors.others.with(|others| parts(text, others.values())));
    view! {
        <div class="text-mirror" aria-hidden="true">
            {move || {
                parts()
                    .into_iter()
                    .map(|part| match part {
                        Part::Text(text) => text.into_any(),
                        Part::Cursor(cursor) => {
                            view! {
                                <span class=format!("text-cursor cursor-{}", cursor.tone)>
                                    <span class="text-cursor-name">{cursor.name}</span>
                                </span>
                            }
                                .into_any()
                        }
                    })
                    .collect_view()
            }}
        </div>
    }
    .into_any()
}

/// Who is where, for those who do not see the cursors.
#[component]
pub(super) fn Whereabouts(editor: Editor) -> impl IntoView {
    let others = move || {
        editor.shown.with(|text| {
            editor.cursors.others.with(|others| {
                let lines = others.iter().map(|(uuid, cursor)| (uuid.clone(), line_of(text, cursor)));
                lines.collect::<Vec<_>>()
            })
        })
    };
    view! {
        <ul class="people" role="list" aria-label="Others in the text">
            <For each=others key=|(uuid, said)| (uuid.clone(), said.clone()) let((_, said))>
                <li class="person">{said}</li>
            </For>
        </ul>
    }
    .into_any()
}

fn line_of(text: &str, cursor: &Cursor) -> String {
    let line = text.chars().take(cursor.place).filter(|char| *char == '\n').count() + 1;
    format!("{} is at line {line}", cursor.name)
}

fn parts<'a>(text: &str, cursors: impl Iterator<Item = &'a Cursor>) -> Vec<Part> {
    let mut cursors: Vec<&Cursor> = cursors.collect();
    cursors.sort_by_key(|cursor| cursor.place);
    let mut parts = Vec::with_capacity(2 * cursors.len() + 1);
    let (mut rest, mut at) = (text, 0);
    for cursor in cursors {
        let bytes = rest.char_indices().nth(cursor.place - at).map_or(rest.len(), |(bytes, _)| bytes);
        let (before, behind) = rest.split_at(bytes);
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        parts.push(Part::Cursor(cursor.clone()));
        (rest, at) = (behind, cursor.place);
    }
    // A last line without anything in it has no height.
    parts.push(Part::Text(format!("{rest}\u{200b}")));
    parts
}
