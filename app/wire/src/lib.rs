//! What instances and browsers say to each other, for both sides of every connection.
//!
//! The path of one message: a publisher's [`ClientFrame::Publish`] names a [`Channel`] and carries a
//! [`Payload`]; the instance that takes it makes a [`Message`] of both, which gets its [`Position`] in
//! the channel's log; every instance sends it to its browsers as [`ServerFrame::Broadcast`]; a browser
//! that comes back asks for what followed its position.
//!
//! No I/O and no framework: server and browser share this crate to the letter.

pub mod backoff;
mod channel;
pub mod close;
mod code;
pub mod endpoint;
mod frame;
pub mod limits;
mod message;
mod payload;
mod position;
mod publish;
pub mod text;

pub use channel::{Channel, ChannelError, Layer, Pattern, assert_channel};
pub use code::Code;
pub use frame::{
    BroadcastFrame, ClientFrame, ClusterFrame, Context, DrainFrame, Failure, Frame, FrameError, GapFrame, LimitsFrame,
    PongFrame, Receipt, ServerFrame, SubscribedFrame, UnsubscribedFrame, WelcomeFrame, object, to_text,
};
pub use message::{Message, MessageError};
pub use payload::{Payload, UnfitPayload, check_data, check_payload};
pub use position::{Position, Positions, Since};
pub use publish::PublishError;
