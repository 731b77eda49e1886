//! Texts that several people edit at once: what an edit does, and that all copies end equal.

#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

#[path = "text/model.rs"]
mod model;

use proptest::prelude::*;
use wire::text::{Edit, EditError, Side, Step, Typing, UndoStack, scalars_before, units_before};

/// Text with characters of one to four bytes, one and two UTF-16 units.
fn text() -> impl Strategy<Value = String> {
    "[ab\nü漢😀]{0,12}"
}

/// An edit of a text of this length.
fn edit_of(chars: usize) -> impl Strategy<Value = Edit> {
    prop::collection::vec((0..3_u8, 1..5_usize, "[xyß🦀]{1,3}"), 0..8).prop_map(move |steps| {
        let mut edit = Edit::default();
        for (kind, count, inserted) in steps {
            let count = count.min(chars - edit.length_before());
            edit = match kind {
                0 => edit.keep(count),
                1 => edit.delete(count),
                _ => edit.insert(&inserted),
            };
        }
        let rest = chars - edit.length_before();
        edit.keep(rest)
    })
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// A text and two edits of it.
fn two_edits() -> impl Strategy<Value = (String, Edit, Edit)> {
    text().prop_flat_map(|text| {
        let chars = length(&text);
        (Just(text), edit_of(chars), edit_of(chars))
    })
}

/// A text and two edits of it, one after the other.
fn two_in_a_row() -> impl Strategy<Value = (String, Edit, Edit)> {
    text().prop_flat_map(|text| (Just(text.clone()), edit_of(length(&text)))).prop_flat_map(|(text, first)| {
        let chars = first.length_after();
        (Just(text), Just(first), edit_of(chars))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn whichever_of_two_goes_first_the_text_is_the_same((text, first, later) in two_edits()) {
        let (first_behind, later_behind) = first.beside(&later).unwrap();
        let one = later_behind.apply(&first.apply(&text).unwrap()).unwrap();
        let other = first_behind.apply(&later.apply(&text).unwrap()).unwrap();
        prop_assert_eq!(one, other);
    }

    #[test]
    fn an_edit_of_two_does_what_they_did((text, first, next) in two_in_a_row()) {
        let both = first.then(&next).unwrap();
        prop_assert_eq!(both.apply(&text), next.apply(&first.apply(&text).unwrap()));
        prop_assert_eq!((both.length_before(), both.length_after()), (first.length_before(), next.length_after()));
    }

    #[test]
    fn an_edit_is_taken_back_by_its_inverse((text, edit, _) in two_edits()) {
        let inverse = edit.inverted(&text).unwrap();
        prop_assert_eq!(inverse.apply(&edit.apply(&text).unwrap()), Ok(text));
    }

    #[test]
    fn an_edit_survives_the_wire((_, edit, _) in two_edits()) {
        let json = serde_json::to_string(&edit).unwrap();
        prop_assert_eq!(serde_json::from_str::<Edit>(&json).unwrap(), edit);
    }

    #[test]
    fn an_edit_has_one_way_to_be_written((_, edit, _) in two_edits()) {
        for pair in edit.steps().windows(2) {
            let is_in_order = !matches!(pair, [Step::Keep(_), Step::Keep(_)] | [Step::Insert(_), Step::Insert(_)]
                | [Step::Delete(_), Step::Delete(_) | Step::Insert(_)]);
            prop_assert!(is_in_order, "{:?}", edit);
        }
    }

    #[test]
    fn the_difference_of_two_texts_leads_from_one_to_the_other(
        before in text(), after in text(), caret in prop::option::of(0..15_usize),
    ) {
        let edit = Edit::between(&before, &after, caret);
        prop_assert_eq!(edit.apply(&before), Ok(after.clone()));
        prop_assert_eq!(edit.is_nothing(), before == after);
        prop_assert_eq!(Edit::by_lines(&before, &after).apply(&before), Ok(after));
    }

    #[test]
    fn the_splices_of_an_edit_do_the_same_to_a_text_field((text, edit, _) in two_edits()) {
        let mut field: Vec<u16> = text.encode_utf16().collect();
        for splice in edit.splices(&text) {
            let range = usize::try_from(splice.start).unwrap()..usize::try_from(splice.end).unwrap();
            field.splice(range, splice.text.encode_utf16());
        }
        prop_assert_eq!(String::from_utf16(&field).unwrap(), edit.apply(&text).unwrap());
    }

    #[test]
    fn a_place_stays_with_its_character((text, edit, _) in two_edits(), place in 0..12_usize) {
        let place = place.min(length(&text));
        let after = edit.apply(&text).unwrap();
        let (near, far) = (edit.carry(place, Side::Before), edit.carry(place, Side::After));
        prop_assert!(near <= far && far <= length(&after));
        // What is in front of the place and kept is in front of it still: cut there, both halves are found.
        let marks = Edit::default().keep(place).insert("|").keep(length(&text) - place);
        let (edit_behind, mark_behind) = edit.beside(&marks).unwrap();
        prop_assert_eq!(edit_behind.length_after(), length(&after) + 1);
        prop_assert_eq!(&mark_behind, &Edit::default().keep(far).insert("|").keep(length(&after) - far));
    }

    #[test]
    fn places_are_counted_as_a_text_field_counts(text in text(), place in 0..12_usize) {
        let place = place.min(length(&text));
        let units = units_before(&text, place);
        let head: String = text.chars().take(place).collect();
        prop_assert_eq!(usize::try_from(units).unwrap(), head.encode_utf16().count());
        prop_assert_eq!(scalars_before(&text, units), place);
    }

    #[test]
    fn undoing_takes_back_ones_own_changes_and_nobody_elses(
        before in "[ab\n]{0,8}",
        doings in prop::collection::vec((0..5_u8, 0..20_usize, "[x😀]{1,2}"), 0..40),
    ) {
        let mut stack = UndoStack::default();
        let mut text = before.clone();
        for (kind, place, own) in doings {
            let chars = length(&text);
            let place = place.min(chars);
            let insert = |what: &str| Edit::default().keep(place).insert(what).keep(chars - place);
            let edit = match kind {
                0 => stack.undo(&text).unwrap_or_else(|| Edit::default().keep(chars)),
                1 => stack.redo(&text).unwrap_or_else(|| Edit::default().keep(chars)),
                2 => {
                    let theirs = insert("Z");
                    stack.passed(&theirs).unwrap();
                    theirs
                }
                _ => {
                    let typed = insert(&own);
                    let typing = if kind == 3 { Typing::On } else { Typing::Anew };
                    stack.typed(&typed, &text, typing).unwrap();
                    typed
                }
            };
            text = edit.apply(&text).unwrap();
        }
        let others = text.matches('Z').count();
        let full = text.clone();
        let mut undone = 0;
        while let Some(edit) = stack.undo(&text) {
            text = edit.apply(&text).unwrap();
            undone += 1;
        }
        prop_assert_eq!(text.matches('Z').count(), others);
        prop_assert_eq!(text.replace('Z', ""), before);
        while undone > 0 {
            text = stack.redo(&text).unwrap().apply(&text).unwrap();
            undone -= 1;
        }
        // What could be done again before goes on from there.
        prop_assert_eq!(text, full);
    }

    #[test]
    fn no_list_of_steps_is_too_odd_to_be_read_or_refused(
        steps in prop::collection::vec(prop_oneof![
            any::<i64>().prop_map(serde_json::Value::from),
            "[aü]{0,2}".prop_map(serde_json::Value::from),
            Just(serde_json::Value::Null),
        ], 0..6),
        text in text(),
    ) {
        if let Ok(edit) = serde_json::from_value::<Edit>(serde_json::Value::Array(steps)) {
            let _ = edit.apply(&text);
            let _ = edit.beside(&Edit::default().insert(&text));
            let _ = edit.splices(&text);
        }
    }
}

#[test]
fn an_edit_of_another_text_is_refused() {
    let edit = Edit::default().keep(2).insert("x").delete(1);
    assert_eq!(edit.apply("abc").as_deref(), Ok("abx"));
    for other in ["", "ab", "abcd", "😀"] {
        assert_eq!(edit.apply(other), Err(EditError::Mismatch), "{other}");
        assert_eq!(edit.inverted(other), Err(EditError::Mismatch), "{other}");
    }
    let other = Edit::default().keep(2);
    assert_eq!(edit.beside(&other), Err(EditError::Mismatch));
    assert_eq!(other.then(&edit), Err(EditError::Mismatch));
}

#[test]
fn steps_of_nothing_and_texts_without_end_are_refused() {
    for json in ["[0]", "[\"\"]", "[1,0]", "[1.5]", "[null]", "{}", "[9223372036854775807]", "[1073741824,1]"] {
        assert!(serde_json::from_str::<Edit>(json).is_err(), "{json}");
    }
    assert_eq!(serde_json::from_str::<Edit>("[]").unwrap(), Edit::default());
}

#[test]
fn whoever_changed_a_text_is_where_the_change_ends() {
    assert_eq!(Edit::default().keep(2).insert("ab").delete(1).keep(3).end_of_change(), Some(4));
    assert_eq!(Edit::default().keep(2).delete(1).end_of_change(), Some(2));
    assert_eq!(Edit::default().keep(2).end_of_change(), None);
}

#[test]
fn lines_that_stayed_are_kept_so_that_others_can_change_them() {
    let before = "one\ntwo\nthree\nfour\n";
    let mine = Edit::by_lines(before, "zero\none\ntwo\nthree\nfive\n");
    let theirs = Edit::between(before, "one\n2\nthree\nfour\n", None);
    let (_, mine) = theirs.beside(&mine).unwrap();
    assert_eq!(mine.apply(&theirs.apply(before).unwrap()).unwrap(), "zero\none\n2\nthree\nfive\n");
    let long = "x\n".repeat(2_000);
    assert_eq!(Edit::by_lines(&long, &format!("{long}y")), Edit::default().keep(4_000).insert("y"));
}

#[test]
fn half_a_character_is_not_counted() {
    assert_eq!([0, 1, 2, 3, 4, 9].map(|units| scalars_before("a😀b", units)), [0, 1, 1, 2, 3, 3]);
}
