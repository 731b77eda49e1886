//! Channel names and the patterns that match them: one parser, one matcher.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use thiserror::Error;

use crate::limits::{CHANNEL_BYTES, CHANNEL_PARTS_MAX, CHANNEL_PARTS_MIN};

/// Who a channel is for: the first part of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// Changes of data, from instance to instance.
    Model,
    /// News for browsers: the only layer they may use.
    View,
    /// Instructions from instance to instance.
    Controller,
}

impl Layer {
    /// The layer's name as it stands in a channel.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::View => "view",
            Self::Controller => "controller",
        }
    }
}

/// The name of a channel: `<layer>:<component>:<domain>[:<action>[:<additional>]*]`. Four parts are the convention.
///
/// ```
/// use wire::{Channel, Layer};
/// let channel: Channel = "view:myApp:list:changed".parse()?;
/// assert_eq!(channel.layer(), Layer::View);
/// assert!("view:tooShort".parse::<Channel>().is_err());
/// # Ok::<(), wire::ChannelError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Channel {
    name: Arc<str>,
    layer: Layer,
}

impl Channel {
    /// Reads a channel's name.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the name; see [`ChannelError`].
    pub fn parse(name: &str) -> Result<Self, ChannelError> {
        match check(name) {
            Ok(Shape { layer, is_wildcard: false }) => Ok(Self { name: name.into(), layer }),
            Ok(_) => Err(ChannelError::Wildcard),
            Err(error) => Err(error),
        }
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Who the channel is for.
    pub fn layer(&self) -> Layer {
        self.layer
    }

    /// Whether browsers may publish here: on `view:` channels, but for `view:system:`, where the server
    /// speaks for itself.
    pub fn is_open_to_browsers(&self) -> bool {
        self.layer == Layer::View && !self.name.starts_with("view:system:")
    }

    /// What the wildcard patterns that match this channel hold before their `*`, shortest first:
    /// `view:`, `view:myApp:`, …
    pub fn prefixes(&self) -> impl Iterator<Item = &str> {
        self.name.match_indices(':').map(|(colon, _)| &self.name[..=colon])
    }
}

/// Which channels a subscriber wants: one, or all that begin with the same parts.
///
/// ```
/// use wire::{Channel, Pattern};
/// let pattern: Pattern = "view:myApp:*".parse()?;
/// assert!(pattern.matches(&"view:myApp:list:changed".parse()?));
/// assert!(!pattern.matches(&"view:myApps:list:changed".parse()?));
/// # Ok::<(), wire::ChannelError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern {
    text: Arc<str>,
    layer: Layer,
    is_wildcard: bool,
}

impl Pattern {
    /// Reads a channel's name or leading parts followed by `:*`.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the text; see [`ChannelError`].
    pub fn parse(text: &str) -> Result<Self, ChannelError> {
        let Shape { layer, is_wildcard } = check(text)?;
        Ok(Self { text: text.into(), layer, is_wildcard })
    }

    /// The whole text, with the `*` of a wildcard.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Who the matching channels are for.
    pub fn layer(&self) -> Layer {
        self.layer
    }

    /// The one channel it matches, or `None` for a wildcard.
    pub fn as_channel(&self) -> Option<Channel> {
        (!self.is_wildcard).then(|| Channel { name: Arc::clone(&self.text), layer: self.layer })
    }

    /// What every matching channel begins with, colon included, or `None` for a single channel.
    pub fn prefix(&self) -> Option<&str> {
        self.text.strip_suffix('*')
    }

    /// Whether the pattern means this channel.
    pub fn matches(&self, channel: &Channel) -> bool {
        match self.prefix() {
            Some(prefix) => channel.as_str().starts_with(prefix),
            None => channel.as_str() == &*self.text,
        }
    }
}

impl From<&Channel> for Pattern {
    fn from(channel: &Channel) -> Self {
        Self { text: Arc::clone(&channel.name), layer: channel.layer, is_wildcard: false }
    }
}

/// Why a text is no channel and no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ChannelError {
    /// It does not begin with a known layer.
    #[error("a channel begins with `model:`, `view:` or `controller:`")]
    Layer,
    /// It has fewer parts than a channel needs.
    #[error("a channel has at least {CHANNEL_PARTS_MIN} parts: layer:component:domain")]
    TooFewParts,
    /// It has more parts than allowed.
    #[error("a channel has at most {CHANNEL_PARTS_MAX} parts")]
    TooManyParts,
    /// Two colons stand side by side, or one at the end.
    #[error("a part of a channel is empty")]
    EmptyPart,
    /// A character other than `A–Z a–z 0–9 _ - .` is in a part.
    #[error("a part of a channel holds only letters, digits, `_`, `-` and `.`")]
    Character,
    /// A `*` stands somewhere else than as the last part, or where no pattern is allowed.
    #[error("`*` is allowed only as the last part of a pattern")]
    Wildcard,
    /// It is longer than allowed.
    #[error("a channel has at most {CHANNEL_BYTES} bytes")]
    TooLong,
}

/// What the parser found out about a well-formed text.
struct Shape {
    layer: Layer,
    is_wildcard: bool,
}

/// The one parser; `const`, so that a channel written in source is checked by the compiler.
const fn check(text: &str) -> Result<Shape, ChannelError> {
    let bytes = text.as_bytes();
    if bytes.len() > CHANNEL_BYTES {
        return Err(ChannelError::TooLong);
    }
    let layer = if starts_with(bytes, b"model:") {
        Layer::Model
    } else if starts_with(bytes, b"view:") {
        Layer::View
    } else if starts_with(bytes, b"controller:") {
        Layer::Controller
    } else {
        return Err(ChannelError::Layer);
    };
    let mut parts = 1;
    let mut part_start = 0;
    let mut index = 0;
    let mut is_wildcard = false;
    while index < bytes.len() {
        match bytes[index] {
            b':' if index == part_start => return Err(ChannelError::EmptyPart),
            b':' => {
                parts += 1;
                part_start = index + 1;
            }
            b'*' if index == part_start && index + 1 == bytes.len() => is_wildcard = true,
            b'*' => return Err(ChannelError::Wildcard),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' => {}
            _ => return Err(ChannelError::Character),
        }
        index += 1;
    }
    if part_start == bytes.len() {
        Err(ChannelError::EmptyPart)
    } else if parts > CHANNEL_PARTS_MAX {
        Err(ChannelError::TooManyParts)
    } else if parts < CHANNEL_PARTS_MIN && !is_wildcard {
        Err(ChannelError::TooFewParts)
    } else {
        Ok(Shape { layer, is_wildcard })
    }
}

/// Stops a constant from compiling when `name` is not a channel. See `app`'s `channel!`.
///
/// # Panics
///
/// When `name` is malformed, with the reason; in a `const` that is a compile error.
pub const fn assert_channel(name: &str) {
    match check(name) {
        Ok(Shape { is_wildcard: false, .. }) => {}
        Ok(_) => panic!("a channel holds no `*`"),
        Err(ChannelError::Layer) => panic!("a channel begins with `model:`, `view:` or `controller:`"),
        Err(ChannelError::TooFewParts) => panic!("a channel has at least 3 parts: layer:component:domain"),
        Err(ChannelError::TooManyParts) => panic!("a channel has at most 17 parts"),
        Err(ChannelError::EmptyPart) => panic!("a part of a channel is empty"),
        Err(ChannelError::Character) => panic!("a part of a channel holds only letters, digits, `_`, `-` and `.`"),
        Err(ChannelError::Wildcard) => panic!("`*` is allowed only as the last part of a pattern"),
        Err(ChannelError::TooLong) => panic!("a channel has at most 200 bytes"),
    }
}

const fn starts_with(text: &[u8], start: &[u8]) -> bool {
    if text.len() < start.len() {
        return false;
    }
    let mut index = 0;
    while index < start.len() {
        if text[index] != start[index] {
            return false;
        }
        index += 1;
    }
    true
}

macro_rules! as_text {
    ($name:ident) => {
        impl std::str::FromStr for $name {
            type Err = ChannelError;

            fn from_str(text: &str) -> Result<Self, ChannelError> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($name), "({})"), self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }
    };
}

as_text!(Channel);
as_text!(Pattern);
