//! Close codes of a WebSocket, and what a client makes of them.

/// The instance goes away; reconnect, to any other.
pub const RESTART: u16 = 1012;
/// Bytes that are no WebSocket frames.
pub const PROTOCOL_ERROR: u16 = 1002;
/// A text message that is not UTF-8.
pub const NOT_UTF8: u16 = 1007;
/// A frame was larger than [`crate::limits::FRAME_BYTES`].
pub const TOO_BIG: u16 = 1009;
/// The session is over: sign in again first.
pub const SESSION_EXPIRED: u16 = 4401;
/// This user may not use this endpoint.
pub const FORBIDDEN: u16 = 4403;
/// The socket read too slowly and its queue was full; reconnect and resume from the last position.
pub const SLOW_CONSUMER: u16 = 4408;

/// Whether a client must not reconnect after this code.
pub const fn is_final(code: u16) -> bool {
    matches!(code, SESSION_EXPIRED | FORBIDDEN)
}
