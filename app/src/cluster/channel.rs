//! A channel and what is said on it, as one constant.

use std::{fmt, marker::PhantomData};

use wire::Channel;

/// A `view:` channel whose messages are `T`s. Made by [`channel!`](crate::channel!), as a constant.
///
/// ```
/// use app::{channel, cluster::TypedChannel};
/// const MOVED: TypedChannel<(f64, f64)> = channel!("view:board:piece:moved");
/// assert_eq!(MOVED.channel().as_str(), "view:board:piece:moved");
/// ```
///
/// Three parts are enough: `channel!("view:notifications:alert")`.
///
/// A malformed name does not compile, nor one that browsers may not use:
///
/// ```compile_fail
/// # use app::{channel, cluster::TypedChannel};
/// const SHORT: TypedChannel<()> = channel!("view:board");
/// ```
///
/// ```compile_fail
/// # use app::{channel, cluster::TypedChannel};
/// const HIDDEN: TypedChannel<()> = channel!("controller:board:piece:moved");
/// ```
pub struct TypedChannel<T> {
    name: &'static str,
    says: PhantomData<fn(T) -> T>,
}

impl<T> TypedChannel<T> {
    /// The channel of this name.
    ///
    /// # Panics
    ///
    /// When the name is malformed or not of the `view:` layer; in a constant, which is what
    /// [`channel!`](crate::channel!) makes, that is a compile error.
    pub const fn new(name: &'static str) -> Self {
        wire::assert_channel(name);
        assert!(name.as_bytes()[0] == b'v', "browsers use `view:` channels only");
        Self { name, says: PhantomData }
    }

    /// The name.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The channel, as the other parts of the application take it.
    ///
    /// # Panics
    ///
    /// Never: the name was checked when the constant was made.
    pub fn channel(self) -> Channel {
        Channel::parse(self.name).expect("checked when the constant was made")
    }
}

impl<T> Clone for TypedChannel<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for TypedChannel<T> {}

impl<T> fmt::Debug for TypedChannel<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("TypedChannel").field(&self.name).finish()
    }
}

/// A [`TypedChannel`](crate::cluster::TypedChannel) constant; a malformed name does not compile.
#[macro_export]
macro_rules! channel {
    ($name:literal) => {
        const { $crate::cluster::TypedChannel::new($name) }
    };
}
