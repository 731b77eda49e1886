//! Heads of requests, looked at before hyper reads them.
//!
//! A head that tells the length of its body twice (`Content-Length` and `Transfer-Encoding`, or either
//! more than once) is read in one way by us and perhaps in another by a proxy in front, and what follows
//! could be a request that the proxy never saw. hyper settles it and tells nobody; RFC 9112, section 6.3,
//! has it refused.

use httparse::{EMPTY_HEADER, Request, Status};

/// Headers a request has at most, as hyper counts.
const HEADERS: usize = 100;

/// Follows the bytes of one connection from head to head.
#[derive(Debug)]
pub(super) struct Heads {
    state: State,
    /// Bytes of a head at most; one that is longer is hyper's to refuse.
    head_bytes: usize,
}

#[derive(Debug)]
enum State {
    /// What has come of a head so far.
    Head(Vec<u8>),
    /// A body, of which so many bytes are to come.
    Body(u64),
    /// Nothing we need to follow: a body in chunks, behind which the connection ends, or no HTTP at all.
    Through,
}

/// What there is to say about a head.
struct Head {
    bytes: usize,
    body: Body,
}

enum Body {
    Bytes(u64),
    Chunks,
    /// Told more than once.
    Ambiguous,
}

impl Heads {
    pub(super) fn new(head_bytes: usize) -> Self {
        Self { state: State::Head(Vec::new()), head_bytes }
    }

    /// Looks at what came; whether there is a head in it whose length can be read in two ways.
    pub(super) fn are_ambiguous(&mut self, mut bytes: &[u8]) -> bool {
        loop {
            match &mut self.state {
                State::Through => return false,
                State::Body(left) => {
                    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = &bytes[here..];
                    *left -= here as u64;
                    if *left > 0 {
                        return false;
                    }
                    self.state = State::Head(Vec::new());
                }
                State::Head(_) if bytes.is_empty() => return false,
                State::Head(start) => {
                    let before = start.len();
                    let read = if before == 0 {
                        read(bytes)
                    } else {
                        start.extend_from_slice(bytes);
                        if has_end(start, before) { read(start) } else { Ok(None) }
                    };
                    match read {
                        Ok(Some(Head { body: Body::Ambiguous, .. })) => {
                            self.state = State::Through;
                            return true;
                        }
                        Ok(Some(Head { bytes: length, body: Body::Bytes(left) })) => {
                            bytes = bytes.get(length.saturating_sub(before)..).unwrap_or_default();
                            self.state = State::Body(left);
                        }
                        Ok(None) => {
                            if before == 0 {
                                start.extend_from_slice(bytes);
                            }
                            if start.len() > self.head_bytes {
                                self.state = State::Through;
                            }
                            return false;
                        }
                        // Malformed: hyper refuses it.
                        Ok(Some(Head { body: Body::Chunks, .. })) | Err(_) => self.state = State::Through,
                    }
                }
            }
        }
    }
}

/// A head that is there as a whole, or nothing yet.
fn read(bytes: &[u8]) -> Result<Option<Head>, httparse::Error> {
    let mut headers = [EMPTY_HEADER; HEADERS];
    let mut request = Request::new(&mut headers);
    let Status::Complete(length) = request.parse(bytes)? else { return Ok(None) };
    let mut lengths = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("content-length"));
    let mut codings = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("transfer-encoding"));
    let body = match (lengths.next(), codings.next()) {
        (None, None) => Body::Bytes(0),
        (None, Some(_)) if codings.next().is_none() => Body::Chunks,
        (Some(length), None) if lengths.next().is_none() => {
            let number = std::str::from_utf8(length.value).ok().and_then(|text| text.trim().parse().ok());
            number.map_or(Body::Ambiguous, Body::Bytes)
        }
        _ => Body::Ambiguous,
    };
    Ok(Some(Head { bytes: length, body }))
}

/// Whether an empty line ends somewhere behind `before`: only then is it worth while to read it all.
fn has_end(bytes: &[u8], before: usize) -> bool {
    let new = &bytes[before.saturating_sub(3)..];
    new.windows(2).any(|pair| pair == b"\n\n") || new.windows(3).any(|three| three == b"\n\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether any piece of this, cut so, was ambiguous.
    fn are_ambiguous(text: &str, piece_bytes: usize) -> bool {
        let mut heads = Heads::new(1024);
        text.as_bytes().chunks(piece_bytes).any(|piece| heads.are_ambiguous(piece))
    }

    const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    #[test]
    fn a_length_told_twice_is_ambiguous_wherever_the_pieces_end() {
        let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
        for length in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "transfer-encoding: chunked\r\ncontent-length: 5",
            "Content-Length: 5\r\nContent-Length: 5",
            "Content-Length: 5\r\nContent-Length: 6",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            "Content-Length: +5",
            "Content-Length: 5, 5",
            "Content-Length: -1",
            "Content-Length: 99999999999999999999999",
        ] {
            for before in ["", GET, post, "\r\n"] {
                let text = format!("{before}POST / HTTP/1.1\r\nHost: a\r\n{length}\r\n\r\n0\r\n\r\n");
                for piece_bytes in [1, 2, 3, 7, 64, 4096] {
                    // `+5` is a number to Rust; hyper refuses it.
                    let is_refused_by_hyper = length.ends_with("+5");
                    assert!(are_ambiguous(&text, piece_bytes) || is_refused_by_hyper, "{text:?} by {piece_bytes}");
                }
            }
        }
    }

    #[test]
    fn what_stands_in_a_body_is_no_head() {
        let body = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
        let text = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}{GET}", body.len());
        for piece_bytes in [1, 2, 3, 7, 64, 4096] {
            assert!(!are_ambiguous(&text, piece_bytes));
            assert!(are_ambiguous(&format!("{text}{body}"), piece_bytes));
        }
    }

    #[test]
    fn what_is_no_http_is_not_followed() {
        for text in ["\u{1}\u{2}\n\n", "GET\n\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &"x".repeat(10_000)] {
            let mut heads = Heads::new(1024);
            assert!(!heads.are_ambiguous(text.as_bytes()));
            assert!(!heads.are_ambiguous(b"\n\n"));
            assert!(matches!(heads.state, State::Through), "{text:?}");
        }
    }
}
