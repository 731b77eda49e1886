//! What a notification may say.

use serde::{Deserialize, Serialize};

use crate::error::Problem;

/// Who sends, when nobody says so.
const NOBODY: &str = "Somebody";

/// One line from one visitor to all others: the payload on `view:helloNotification:message:sent`.
///
/// Anybody may publish there, so what arrives goes through [`Notification::checked`] as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// What is said.
    pub message: String,
    /// Who says it, in their own words.
    #[serde(default)]
    pub sender_name: String,
}

impl Notification {
    /// Characters of a message at most.
    pub const MESSAGE_CHARS: usize = 200;
    /// Characters of a name at most.
    pub const NAME_CHARS: usize = 40;

    /// Trims both lines and checks them.
    ///
    /// # Errors
    ///
    /// When the message is empty, or a line is too long or not a line.
    pub fn checked(message: &str, sender_name: &str) -> Result<Self, Problem> {
        let (message, sender_name) = (message.trim(), sender_name.trim());
        if message.is_empty() || !is_line(message, Self::MESSAGE_CHARS) {
            return Err(Problem::Message);
        }
        if !is_line(sender_name, Self::NAME_CHARS) {
            return Err(Problem::Name);
        }
        let sender_name = if sender_name.is_empty() { NOBODY } else { sender_name };
        Ok(Self { message: message.to_owned(), sender_name: sender_name.to_owned() })
    }
}

fn is_line(text: &str, chars_max: usize) -> bool {
    text.chars().count() <= chars_max && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::{Notification, Problem};

    #[test]
    fn a_message_needs_words_and_a_name_does_not() {
        assert_eq!(Notification::checked("  ", "Ada"), Err(Problem::Message));
        assert_eq!(Notification::checked("hello", " ").map(|said| said.sender_name), Ok("Somebody".into()));
    }

    #[test]
    fn lines_have_their_bounds_in_characters() {
        let (longest, name) = ("ä".repeat(Notification::MESSAGE_CHARS), "ß".repeat(Notification::NAME_CHARS));
        assert!(Notification::checked(&longest, &name).is_ok());
        assert_eq!(Notification::checked(&format!("{longest}!"), &name), Err(Problem::Message));
        assert_eq!(Notification::checked("hello", &format!("{name}!")), Err(Problem::Name));
        assert_eq!(Notification::checked("two\nlines", "Ada"), Err(Problem::Message));
    }
}
