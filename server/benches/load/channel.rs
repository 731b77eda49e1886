//! The one channel of all loads, and the numbered messages on it.

use crate::{error::LoadError, frames};

/// Where everything is published.
pub const CHANNEL: &str = "view:bench:load:message";

/// Bytes of a payload as JSON, before the server adds the publisher's uuid.
const PAYLOAD_BYTES: usize = 200;
/// What stands before the number in a payload.
const BEFORE_NUMBER: &str = r#""n":""#;
/// Digits of a number; always all of them, so that it stays in its place.
const DIGITS: usize = 10;

/// Appends the frame that publishes message `number`.
pub fn append_publish(bytes: &mut Vec<u8>, number: u64) {
    let start = format!(r#"{{{BEFORE_NUMBER}{number:0DIGITS$}","text":""#);
    let filling = "x".repeat(PAYLOAD_BYTES - start.len() - r#""}"#.len());
    let message = format!(r#"{{"type":"publish","channel":"{CHANNEL}","data":{start}{filling}"}}}}"#);
    frames::append_text(bytes, &message);
}

/// Checks that every message comes once and in order: their numbers follow each other.
#[derive(Default)]
pub struct Sequence {
    next: u64,
    /// Where the number stands in a frame: in the same place in all of them, so it is sought once.
    at: Option<usize>,
}

impl Sequence {
    /// Takes the next broadcast; its number.
    ///
    /// # Errors
    ///
    /// When it is another message, or something else.
    pub fn take(&mut self, text: &[u8]) -> Result<u64, LoadError> {
        let number = self.number(text);
        if number != Some(self.next) {
            return Err(LoadError::unexpected(format!("message number {}", self.next), text));
        }
        self.next += 1;
        Ok(self.next - 1)
    }

    fn number(&mut self, text: &[u8]) -> Option<u64> {
        if self.at.is_none() {
            let found = text.windows(BEFORE_NUMBER.len()).position(|bytes| bytes == BEFORE_NUMBER.as_bytes());
            self.at = found.map(|at| at + BEFORE_NUMBER.len());
        }
        let digits = text.get(self.at?..)?.get(..DIGITS)?;
        digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0')))
    }
}
