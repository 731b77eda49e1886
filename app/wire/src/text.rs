//! Text that several people edit at once: what they say to each other, and how their copies stay equal.
//!
//! The path of one change: a browser's [`TextSession`] turns what was typed into an [`Edit`] and sends it
//! as a [`Submission`] that names the version it was made on. The server moves it behind the edits that
//! were accepted meanwhile ([`TextState::take`]), gives it the next version and tells everybody of the
//! [`AcceptedEdit`]; every session moves that, in turn, past what its own visitor typed and has not had
//! accepted yet. The server's order is the only one, so a text and its version say everything.
//!
//! Source of the idea: *High-Latency, Low-Bandwidth Windowing in the Jupiter Collaboration System*,
//! Nichols and others, 1995.

mod combine;
mod diff;
mod edit;
mod place;
mod session;
mod submission;
mod undo;
mod walk;

pub use edit::{Edit, EditError, Step};
pub use place::{Side, Splice, scalars_before, units_before};
pub use session::{Heard, TextSession};
pub use submission::{AcceptedEdit, Author, Outcome, Refusal, Submission, TextState, plain_text};
pub use undo::{Typing, UndoStack};

/// Characters (Unicode scalar values) of a shared text at most.
pub const TEXT_CHARS: usize = 20_000;
/// Edits a server keeps, so that one based on an older version can still be moved behind them.
pub const EDITS_KEPT: usize = 1_000;
/// Steps of an edit that are moved behind others at most, counted once for each of these: what took seconds is refused.
pub const STEPS_MOVED: usize = 250_000;
/// Bytes of an edit's id at most.
pub const EDIT_ID_BYTES: usize = 64;
