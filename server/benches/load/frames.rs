//! WebSocket frames as bytes: cut without being read, built without being masked.
//!
//! Source: RFC 6455, section 5.2.

use crate::error::LoadError;

const FINAL_TEXT: u8 = 0x81;
const FINAL_CLOSE: u8 = 0x88;
const MASKED: u8 = 0x80;
/// In place of a length: it follows in two bytes, or in eight.
const LENGTH_OF_TWO: u8 = 0x7e;
const LENGTH_OF_EIGHT: u8 = 0x7f;
/// Masking with zeros leaves every byte as it is.
const MASK: [u8; 4] = [0; 4];

/// The first frame of `bytes`: its text, and how long it is with its header. `None` while it is not whole.
///
/// # Errors
///
/// When it is a close. Pings do not come within the time a load may last.
pub fn cut(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, LoadError> {
    let (header, length) = match bytes {
        [_, LENGTH_OF_TWO, long @ ..] => (4, long.first_chunk().map(|length| u16::from_be_bytes(*length).into())),
        [_, LENGTH_OF_EIGHT, long @ ..] => (10, long.first_chunk().map(|length| u64::from_be_bytes(*length))),
        [_, length, ..] => (2, Some(u64::from(*length))),
        _ => return Ok(None),
    };
    let Some(end) = length.and_then(|length| usize::try_from(length).ok()?.checked_add(header)) else {
        return Ok(None);
    };
    let Some(payload) = bytes.get(header..end) else { return Ok(None) };
    match bytes[0] {
        FINAL_TEXT => Ok(Some((payload, end))),
        FINAL_CLOSE => Err(LoadError::Closed(payload.first_chunk().map(|code| u16::from_be_bytes(*code)))),
        _ => Err(LoadError::unexpected("a text frame", &bytes[..header])),
    }
}

/// Appends a text frame of a client to `bytes`.
pub fn append_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(FINAL_TEXT);
    match (u8::try_from(text.len()), u16::try_from(text.len())) {
        (Ok(length), _) if length < 126 => bytes.push(MASKED | length),
        (_, Ok(length)) => {
            bytes.push(MASKED | LENGTH_OF_TWO);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            bytes.push(MASKED | LENGTH_OF_EIGHT);
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&MASK);
    bytes.extend_from_slice(text.as_bytes());
}
