//! Bounds that both sides know. Source of the numbers: the protocol document, `docs/PROTOCOL.md`.

use std::time::Duration;

/// Parts a channel has at least.
pub const CHANNEL_PARTS_MIN: usize = 3;
/// Parts a channel has at most.
pub const CHANNEL_PARTS_MAX: usize = 17;
/// Bytes of a channel's name at most.
pub const CHANNEL_BYTES: usize = 200;
/// Bytes of one message a browser sends at most; a longer one is answered with an error.
pub const MESSAGE_BYTES: usize = 65_536;
/// Objects and arrays within each other that a message's data has at most, itself included.
pub const PAYLOAD_DEPTH: usize = 64;
/// Bytes of one WebSocket frame at most; a longer one ends the connection with 1009.
pub const FRAME_BYTES: usize = 1024 * 1024;
/// Messages a browser may send in one [`MESSAGE_INTERVAL`].
pub const MESSAGES_PER_INTERVAL: u32 = 50;
/// Over how long messages are counted.
pub const MESSAGE_INTERVAL: Duration = Duration::from_secs(1);
/// Subscriptions one socket may hold.
pub const SUBSCRIPTIONS: usize = 256;
/// Channels below a wildcard whose positions are kept so that it can resume; with more it is told of a
/// gap. They fit into one message.
pub const WILDCARD_CHANNELS: usize = 128;
/// How often the server pings.
pub const PING_EVERY: Duration = Duration::from_secs(30);
/// How long after a ping without a pong a browser counts as gone.
pub const PONG_WITHIN: Duration = Duration::from_secs(35);
/// Messages a channel's log keeps.
pub const LOG_MESSAGES: usize = 1_000;
/// How long a channel's log keeps a message.
pub const LOG_AGE: Duration = Duration::from_mins(10);
/// Bytes of a browser's own id (`uuid`) at most.
pub const UUID_BYTES: usize = 64;
/// Bytes of a WebSocket endpoint's name at most.
pub const ENDPOINT_NAME_BYTES: usize = 64;
/// Bytes of a room's or a user's id at most.
pub const ID_BYTES: usize = 80;
/// Rooms one socket may be in.
pub const ROOMS: usize = 64;
/// Users a presence frame lists at most; `total` counts all.
pub const PRESENT_LISTED: usize = 500;
/// How long a request over a socket waits for its answer, unless its sender says otherwise.
pub const REPLY_WITHIN: Duration = Duration::from_secs(10);
