//! What is on the field: cursors of others, reactions in flight, the latest ones.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use leptos::prelude::*;
use serde_json::Value;
use wire::endpoint::Present;

use super::{
    super::said::Said,
    gesture::{Gesture, Place, Reaction},
};
use crate::components::presence::display_name;

/// How long a reaction flies; the style sheet says the same.
const FLIGHT: Duration = Duration::from_millis(1_400);
/// Reactions in flight at most; the oldest go.
const FLYING: usize = 60;
/// Reactions named beside the field.
const LATEST: usize = 5;
/// Cursors at most; who comes later is not drawn.
const CURSORS: usize = 200;

/// What one browser knows of the field. Nothing outlives the page.
#[derive(Clone, Copy)]
pub(super) struct Scene {
    pub(super) cursors: RwSignal<BTreeMap<Arc<str>, Cursor>>,
    pub(super) flying: RwSignal<VecDeque<Flight>>,
    pub(super) latest: RwSignal<VecDeque<Flight>>,
    flights: StoredValue<u64>,
}

/// Somebody else's cursor. It moves by its own signal, so that a move touches nothing else.
#[derive(Clone)]
pub(super) struct Cursor {
    pub(super) who: Present,
    pub(super) place: ArcRwSignal<Place>,
}

/// A reaction somebody let fly.
#[derive(Clone)]
pub(super) struct Flight {
    pub(super) key: u64,
    pub(super) who: String,
    pub(super) reaction: Reaction,
    pub(super) place: Place,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self {
            cursors: RwSignal::default(),
            flying: RwSignal::default(),
            latest: RwSignal::default(),
            flights: StoredValue::new(0),
        }
    }

    /// Takes a frame of the endpoint in.
    pub(super) fn hear(self, frame: &Value) {
        let Some(Said { from, data, .. }) = Said::read(frame) else { return };
        match data {
            Gesture::Move(place) => self.moved(from, place.checked()),
            Gesture::React { reaction, place } => {
                let place = place.checked();
                self.fly(display_name(&from), reaction, place);
                self.moved(from, place);
            }
        }
    }

    /// Shows a reaction for as long as it flies.
    pub(super) fn fly(self, who: String, reaction: Reaction, place: Place) {
        let key = self.flights.get_value();
        self.flights.set_value(key + 1);
        let flight = Flight { key, who, reaction, place };
        self.flying.update(|flying| {
            flying.push_back(flight.clone());
            if flying.len() > FLYING {
                flying.pop_front();
            }
        });
        self.latest.update(|latest| {
            latest.push_front(flight);
            latest.truncate(LATEST);
        });
        set_timeout(
            move || {
                // The page may be gone by then.
                self.flying.try_update(|flying| flying.retain(|flight| flight.key != key));
            },
            FLIGHT,
        );
    }

    /// Takes the cursors of those away who are not present any more.
    pub(super) fn keep_only(self, present: &[Present]) {
        let is_here = |id: &Arc<str>| present.iter().any(|present| present.id == *id);
        if self.cursors.with_untracked(|cursors| cursors.keys().any(|id| !is_here(id))) {
            self.cursors.update(|cursors| cursors.retain(|id, _| is_here(id)));
        }
    }

    fn moved(self, who: Present, place: Place) {
        let known = self.cursors.with_untracked(|cursors| cursors.get(&who.id).map(|cursor| cursor.place.clone()));
        match known {
            Some(known) => known.set(place),
            None => self.cursors.update(|cursors| {
                if cursors.len() < CURSORS {
                    cursors.insert(Arc::clone(&who.id), Cursor { who, place: ArcRwSignal::new(place) });
                }
            }),
        }
    }
}
