//! Where a page of a list ended.

use std::{fmt, str::FromStr};

use app::ports::StoreError;
use mongodb::bson::oid::ObjectId;

/// A place in a list that is ordered by time of creation, then id: behind the document it names,
/// whether or not that still exists. Text of 40 hexadecimal digits, opaque to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Milliseconds since 1970.
    pub created_at: i64,
    pub id: ObjectId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}{}", self.created_at, self.id.to_hex())
    }
}

impl FromStr for Cursor {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        if text.len() != 40 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(StoreError::InvalidCursor);
        }
        let (created_at, id) = text.split_at(16);
        Ok(Self {
            created_at: u64::from_str_radix(created_at, 16).map_err(|_| StoreError::InvalidCursor)?.cast_signed(),
            id: ObjectId::parse_str(id).map_err(|_| StoreError::InvalidCursor)?,
        })
    }
}

/// Reads a document's id: 24 hexadecimal digits.
pub(super) fn parse_id(text: &str) -> Result<ObjectId, StoreError> {
    ObjectId::parse_str(text).map_err(|_| StoreError::InvalidId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text() {
        for created_at in [0, 1_700_000_000_123, i64::MAX, -1] {
            let cursor = Cursor { created_at, id: ObjectId::new() };
            assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        }
    }

    #[test]
    fn anything_else_is_no_cursor() {
        for text in ["", "x", &"g".repeat(40), &"a".repeat(39), &"a".repeat(41), &format!("+{}", "a".repeat(39)), "ä"]
        {
            assert!(matches!(text.parse::<Cursor>(), Err(StoreError::InvalidCursor)), "{text}");
        }
    }

    #[test]
    fn an_id_has_24_hexadecimal_digits() {
        assert!(parse_id("0123456789abcdefABCDEF01").is_ok());
        for text in ["", "1", "0123456789abcdefABCDEF0", "0123456789abcdefABCDEF0g", "abcdefghijkl"] {
            assert!(matches!(parse_id(text), Err(StoreError::InvalidId)), "{text}");
        }
    }
}
