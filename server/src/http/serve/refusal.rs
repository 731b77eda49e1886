//! What hyper refuses by itself, before any code of ours runs: said in JSON, as every other refusal.
//!
//! hyper writes a head with an empty body. Here it is recognised as the first thing that is written on a connection
//! whose first request reached no service, and replaced. Later requests of a connection are not followed: what hyper
//! refuses of them stays without a body.

use http::{HeaderValue, StatusCode, header};
use wire::Code;

use super::super::{answer::ApiError, headers};

/// Bytes of the first line of a request that are remembered, for its path.
const LINE_BYTES: usize = 512;

/// The beginning of what came on a connection.
#[derive(Debug, Default)]
pub(super) struct FirstLine(Vec<u8>);

impl FirstLine {
    /// Remembers what came, as far as it is wanted.
    pub(super) fn note(&mut self, bytes: &[u8]) {
        if !self.0.contains(&b'\n') {
            let wanted = LINE_BYTES.saturating_sub(self.0.len()).min(bytes.len());
            self.0.extend_from_slice(&bytes[..wanted]);
        }
    }

    /// The path that was asked for, as far as it is one.
    fn path(&self) -> String {
        let target = self.0.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        let is_part = |byte: &&u8| byte.is_ascii_graphic() && **byte != b'?';
        target.iter().take_while(is_part).map(|byte| char::from(*byte)).collect()
    }

    fn is_head_request(&self) -> bool {
        self.0.starts_with(b"HEAD ")
    }
}

/// What to write instead of this first answer of a connection, when it is a refusal.
pub(super) fn instead_of(answer: &[u8], line: &FirstLine) -> Option<Vec<u8>> {
    let code = answer.strip_prefix(b"HTTP/1.1 ").or_else(|| answer.strip_prefix(b"HTTP/1.0 "))?.get(..3)?;
    let status = StatusCode::from_bytes(code).ok().filter(|status| status.is_client_error())?;
    let error = match status {
        StatusCode::URI_TOO_LONG => "the address is too long",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "the headers are too large",
        _ => "the request is no HTTP",
    };
    let body = ApiError::new(status, Code::ValidationError, error).body(&line.path());
    let mut text = format!("HTTP/1.1 {status}\r\n").into_bytes();
    let own = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_LENGTH, body.len().into()),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::CONNECTION, HeaderValue::from_static("close")),
    ];
    for (name, value) in own.iter().chain(&headers::ALWAYS) {
        text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    text.extend_from_slice(b"\r\n");
    if !line.is_head_request() {
        text.extend_from_slice(&body);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn line(bytes: &[u8]) -> FirstLine {
        let mut line = FirstLine::default();
        bytes.chunks(3).for_each(|piece| line.note(piece));
        line
    }

    #[test]
    fn a_refusal_names_what_is_a_path_of_the_first_line() {
        let path = |bytes: &[u8]| line(bytes).path();
        assert_eq!(path(b"GET /api/1/x?a=b HTTP/1.1\r\nHost: a\r\n"), "/api/1/x");
        assert_eq!(path(b"GET /api/\x01 HTTP/1.1"), "/api/");
        assert_eq!(path(b"nonsense"), "");
        assert_eq!(path(&[b"GET /".as_slice(), &[b'x'; 2_000]].concat()).len(), LINE_BYTES - 4);
    }

    #[test]
    fn only_a_refusal_is_replaced_and_by_json() {
        let post = line(b"POST /api/1/x HTTP/1.1\r\n");
        for other in
            [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), b"HTTP/1.1 500 X\r\n\r\n", b"HTTP/1.1 4", b"\x81\x02hi", b""]
        {
            assert!(instead_of(other, &post).is_none());
        }
        let refusal = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n";
        let text = String::from_utf8(instead_of(refusal, &post).unwrap()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"));
        assert!(head.contains("x-content-type-options: nosniff") && head.contains("connection: close"), "{head}");
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!((&body["success"], &body["path"]), (&json!(false), &json!("/api/1/x")));
        let to_head = instead_of(refusal, &line(b"HEAD / HTTP/1.1\r\n")).unwrap();
        assert!(to_head.ends_with(b"\r\n\r\n"));
    }
}
