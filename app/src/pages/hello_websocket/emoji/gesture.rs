//! What browsers on the field tell each other.

use serde::{Deserialize, Serialize};

/// A place on the field, from 0 to 1 in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// What somebody did; others may send anything, so places go through [`Place::checked`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(super) enum Gesture {
    /// Went there.
    Move(Place),
    /// Let a reaction fly there.
    React {
        /// Which.
        reaction: Reaction,
        /// Where.
        #[serde(flatten)]
        place: Place,
    },
}

/// A reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Reaction {
    /// Agreed.
    ThumbsUp,
    /// Loved.
    Heart,
    /// To be celebrated.
    Party,
    /// Funny.
    Laugh,
    /// Fast.
    Rocket,
    /// Surprising.
    Wow,
}

impl Place {
    /// The middle.
    pub(super) const MIDDLE: Self = Self { x: 0.5, y: 0.5 };

    /// The nearest place that is on the field; the middle for what is no number.
    pub(super) fn checked(self) -> Self {
        let inside = |value: f64| if value.is_finite() { value.clamp(0.0, 1.0) } else { 0.5 };
        Self { x: inside(self.x), y: inside(self.y) }
    }

    /// From the left, for the style sheet.
    pub(super) fn left(self) -> String {
        format!("{:.2}%", self.x * 100.0)
    }

    /// From the top, for the style sheet.
    pub(super) fn top(self) -> String {
        format!("{:.2}%", self.y * 100.0)
    }
}

impl Reaction {
    /// All there are.
    pub(super) const ALL: [Self; 6] = [Self::ThumbsUp, Self::Heart, Self::Party, Self::Laugh, Self::Rocket, Self::Wow];

    /// As it is drawn.
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::ThumbsUp => "👍",
            Self::Heart => "❤️",
            Self::Party => "🎉",
            Self::Laugh => "😂",
            Self::Rocket => "🚀",
            Self::Wow => "😮",
        }
    }

    /// As it is read out.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ThumbsUp => "Thumbs up",
            Self::Heart => "Heart",
            Self::Party => "Party",
            Self::Laugh => "Laugh",
            Self::Rocket => "Rocket",
            Self::Wow => "Wow",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Gesture, Place, Reaction};

    #[test]
    fn a_gesture_is_written_as_it_is_read() {
        let place = Place { x: 0.25, y: 1.0 };
        for (gesture, written) in [
            (Gesture::Move(place), json!({ "kind": "move", "x": 0.25, "y": 1.0 })),
            (
                Gesture::React { reaction: Reaction::ThumbsUp, place },
                json!({ "kind": "react", "reaction": "thumbsUp", "x": 0.25, "y": 1.0 }),
            ),
        ] {
            assert_eq!(serde_json::to_value(gesture).expect("plain data"), written);
            assert_eq!(serde_json::from_value::<Gesture>(written).expect("of that kind"), gesture);
        }
    }

    #[test]
    fn nobody_is_outside_of_the_field() {
        assert_eq!(Place { x: -3.0, y: 7.0 }.checked(), Place { x: 0.0, y: 1.0 });
        assert_eq!(Place { x: f64::NAN, y: f64::INFINITY }.checked(), Place::MIDDLE);
        assert_eq!(Place { x: 0.125, y: 0.0 }.left(), "12.50%");
    }
}
