//! WebSockets as the relay and the endpoints use them: the upgrade, and frames made once for many.
//!
//! What a browser sends is read by tungstenite. What it gets is written here: a server's frames are
//! not masked, so the bytes of a broadcast are the same for every socket and are made once.

mod conversation;
mod frame;
mod line;
mod request_id;
mod stream;
mod upgrade;
mod window;

pub use conversation::Conversation;
pub use frame::{binary_frame, close_frame, ping_frame, text_frame, texts, write_text_frame};
pub use line::{Line, LineEnd};
pub use request_id::RequestId;
pub use stream::{Received, SocketStream};
pub use upgrade::{Refusal, Upgrade};
pub use window::{Over, Window};
