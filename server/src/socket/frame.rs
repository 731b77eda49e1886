//! The bytes of frames a server sends.
//!
//! Source: RFC 6455, section 5.2.

use bytes::{Buf, BufMut, Bytes, BytesMut};

const FINAL_TEXT: u8 = 0x81;
const FINAL_BINARY: u8 = 0x82;
const FINAL_CLOSE: u8 = 0x88;
const FINAL_PING: u8 = 0x89;
/// A header is at most so long, without a mask.
const HEADER_BYTES: usize = 10;
/// A control frame holds at most 125 bytes, two of which are the close code.
const CLOSE_REASON_BYTES: usize = 123;

/// A whole text message.
pub fn text_frame(text: &str) -> Bytes {
    frame(FINAL_TEXT, text.as_bytes())
}

/// A whole binary message.
pub fn binary_frame(bytes: &[u8]) -> Bytes {
    frame(FINAL_BINARY, bytes)
}

/// A whole text message, behind what is there.
pub fn write_text_frame(bytes: &mut BytesMut, text: &str) {
    write(bytes, FINAL_TEXT, text.as_bytes());
}

/// The last frame a server sends; a reason that is too long is cut.
pub fn close_frame(code: u16, reason: &str) -> Bytes {
    let mut payload = Vec::with_capacity(2 + reason.len());
    payload.put_u16(code);
    payload.extend_from_slice(&reason.as_bytes()[..reason.floor_char_boundary(CLOSE_REASON_BYTES)]);
    frame(FINAL_CLOSE, &payload)
}

/// Asks for a pong.
pub fn ping_frame() -> Bytes {
    Bytes::from_static(&[FINAL_PING, 0])
}

/// The texts of whole frames in a row: for who wants them without a WebSocket. They share the bytes.
pub fn texts(frames: &Bytes) -> impl Iterator<Item = Bytes> + use<> {
    let mut rest = frames.clone();
    std::iter::from_fn(move || {
        let (header_bytes, length) = match *rest.get(1)? {
            126 => (4, rest.get(2..4)?.get_u16().into()),
            127 => (HEADER_BYTES, rest.get(2..HEADER_BYTES)?.get_u64().try_into().ok()?),
            length => (2, usize::from(length)),
        };
        if rest.len() < header_bytes + length {
            return None;
        }
        rest.advance(header_bytes);
        Some(rest.split_to(length))
    })
}

fn frame(first: u8, payload: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(HEADER_BYTES + payload.len());
    write(&mut bytes, first, payload);
    bytes.freeze()
}

fn write(bytes: &mut BytesMut, first: u8, payload: &[u8]) {
    bytes.reserve(HEADER_BYTES + payload.len());
    bytes.put_u8(first);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length), _) if length < 126 => bytes.put_u8(length),
        (_, Ok(length)) => {
            bytes.put_u8(126);
            bytes.put_u16(length);
        }
        _ => {
            bytes.put_u8(127);
            bytes.put_u64(payload.len() as u64);
        }
    }
    bytes.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::{close_frame, text_frame, texts, write_text_frame};

    #[test]
    fn lengths_are_written_in_the_shortest_form() {
        assert_eq!(&text_frame("hi")[..], b"\x81\x02hi");
        assert_eq!(text_frame(&"x".repeat(125))[..2], [0x81, 125]);
        assert_eq!(text_frame(&"x".repeat(126))[..4], [0x81, 126, 0, 126]);
        assert_eq!(text_frame(&"x".repeat(65_536))[..10], [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn a_close_reason_never_exceeds_a_control_frame() {
        assert_eq!(close_frame(4408, &"é".repeat(100))[1], 2 + 122);
    }

    #[test]
    fn texts_come_out_of_frames_as_they_went_in() {
        let written: Vec<_> = [0, 2, 125, 126, 65_535, 65_536].map(|length| "x".repeat(length)).into();
        let mut frames = BytesMut::new();
        for text in &written {
            write_text_frame(&mut frames, text);
        }
        assert!(texts(&frames.clone().freeze()).eq(written.iter().map(String::as_bytes)));
        frames.truncate(frames.len() - 1);
        assert_eq!(texts(&frames.freeze()).count(), written.len() - 1);
    }
}
