//! Pieces that pages are made of.

pub mod badge;
pub mod banner;
pub mod code;
pub mod local_only;
pub mod mounted;
pub mod nav;
pub mod notice;
pub mod page;
pub mod presence;
pub mod say_form;
pub mod scripts;
pub mod skeleton;
pub mod source;
pub mod system_notices;
pub mod time;
pub mod toast;
