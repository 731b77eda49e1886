//! Who may use an endpoint, and how much.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use wire::{
    LimitsFrame,
    endpoint::is_endpoint_name,
    limits::{MESSAGE_BYTES, MESSAGE_INTERVAL, MESSAGES_PER_INTERVAL},
};

use crate::account::User;

/// Over how long messages may be counted, in milliseconds.
pub const INTERVALS: std::ops::RangeInclusive<u64> = 100..=60_000;
/// Messages an interval may allow.
pub const MESSAGES: std::ops::RangeInclusive<u32> = 1..=1_000;
/// Roles, or types open to guests, one rule may name.
pub const NAMED: usize = 32;

/// Who may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// Everybody.
    Public,
    /// Who is signed in.
    User,
    /// Who has the role `admin`.
    Admin,
}

/// Who may use an endpoint, and how much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Who may connect.
    pub auth: Auth,
    /// With any: only who has one of these roles, or is an administrator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// What one socket may send.
    #[serde(default)]
    pub limits: Limits,
    /// On a public endpoint: the types of messages that guests may send too; `None` allows all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_types: Option<Vec<String>>,
}

/// What one socket may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Bytes a message.
    pub max_size: usize,
    /// Milliseconds over which messages are counted.
    pub interval: u64,
    /// Messages an interval.
    pub max_messages: u32,
}

/// An endpoint that an administrator made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Definition {
    /// Its name: part of its address and of its keys.
    pub name: String,
    /// Who may use it.
    #[serde(flatten)]
    pub rule: Rule,
    /// Who made it, by name.
    #[serde(default)]
    pub updated_by: String,
    /// When it was made or last changed, in RFC 3339.
    #[serde(default)]
    pub updated_at: String,
}

/// Why somebody may not connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Somebody signed in might.
    SignInFirst,
    /// The role is missing.
    Role,
}

impl Default for Limits {
    fn default() -> Self {
        let interval = u64::try_from(MESSAGE_INTERVAL.as_millis()).unwrap_or_default();
        Self { max_size: MESSAGE_BYTES, interval, max_messages: MESSAGES_PER_INTERVAL }
    }
}

impl Limits {
    /// As browsers are told.
    pub fn frame(self) -> LimitsFrame {
        LimitsFrame { max_size: self.max_size, interval: self.interval, max_messages: self.max_messages }
    }

    /// Over how long messages are counted.
    pub fn interval(self) -> Duration {
        Duration::from_millis(self.interval)
    }
}

impl Rule {
    /// For these visitors, with the usual limits.
    pub fn new(auth: Auth) -> Self {
        Self { auth, roles: Vec::new(), limits: Limits::default(), public_types: None }
    }

    /// Whether a visitor with these roles may connect; `None` is a guest.
    ///
    /// # Errors
    ///
    /// When not, says why.
    pub fn admit(&self, roles: Option<&[String]>) -> Result<(), Denied> {
        let needs_role = self.auth == Auth::Admin || !self.roles.is_empty();
        let has = |own: &[String], role: &str| own.iter().any(|own| own == role);
        match roles {
            None if self.auth == Auth::Public && self.roles.is_empty() => Ok(()),
            None => Err(Denied::SignInFirst),
            Some(own) if !needs_role || has(own, User::ADMIN) => Ok(()),
            Some(own) if self.auth != Auth::Admin && self.roles.iter().any(|role| has(own, role)) => Ok(()),
            Some(_) => Err(Denied::Role),
        }
    }

    /// Whether a guest may send messages of this type.
    pub fn allows_guests(&self, kind: &str) -> bool {
        self.public_types.as_ref().is_none_or(|types| types.iter().any(|allowed| allowed == kind))
    }
}

impl Definition {
    /// Reads what an administrator asks for.
    ///
    /// # Errors
    ///
    /// When something is missing or out of bounds; says what, for people.
    pub fn parse(body: &Value) -> Result<Self, DefinitionError> {
        let mut definition: Self =
            Deserialize::deserialize(body).map_err(|error| DefinitionError::Shape(error.to_string()))?;
        (definition.updated_by, definition.updated_at) = (String::new(), String::new());
        definition.check()?;
        Ok(definition)
    }

    /// Whether everything is within bounds.
    ///
    /// # Errors
    ///
    /// When not, says what.
    pub fn check(&self) -> Result<(), DefinitionError> {
        let Self { name, rule: Rule { roles, limits, public_types, .. }, .. } = self;
        if !is_endpoint_name(name) {
            return Err(DefinitionError::Name);
        }
        if !(1..=MESSAGE_BYTES).contains(&limits.max_size) {
            return Err(DefinitionError::Size);
        }
        if !INTERVALS.contains(&limits.interval) {
            return Err(DefinitionError::Interval);
        }
        if !MESSAGES.contains(&limits.max_messages) {
            return Err(DefinitionError::Messages);
        }
        let is_word = |word: &String| is_endpoint_name(word);
        let types = public_types.as_deref().unwrap_or_default();
        if roles.len() > NAMED || types.len() > NAMED || !roles.iter().chain(types).all(is_word) {
            return Err(DefinitionError::Words);
        }
        Ok(())
    }
}

/// Why an endpoint cannot be as it is asked for; the message is for who asks over REST.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DefinitionError {
    /// Something is missing or of another kind.
    #[error(
        "An endpoint has a `name`, `auth` (`public`, `user` or `admin`) and, if wanted, `roles`, `limits` and \
         `publicTypes`: {0}."
    )]
    Shape(String),
    /// The name cannot be part of an address.
    #[error("`name` has 1 to 64 letters, digits, `_`, `.` or `-`, a letter or digit first.")]
    Name,
    /// Messages would be larger than any may be.
    #[error("`limits.maxSize` is between 1 and {MESSAGE_BYTES}.")]
    Size,
    /// Messages would be counted over too short or too long a time.
    #[error("`limits.interval` is between {} and {} ms.", INTERVALS.start(), INTERVALS.end())]
    Interval,
    /// Too few or too many messages.
    #[error("`limits.maxMessages` is between {} and {}.", MESSAGES.start(), MESSAGES.end())]
    Messages,
    /// Too many roles or types, or some that are none.
    #[error("`roles` and `publicTypes` hold at most {NAMED} words each.")]
    Words,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn roles(roles: &[&str]) -> Vec<String> {
        roles.iter().map(|&role| role.to_owned()).collect()
    }

    #[test]
    fn each_rule_admits_whom_it_should() {
        let rule = |auth, named: &[&str]| Rule { roles: roles(named), ..Rule::new(auth) };
        let (user, editor, admin) = (roles(&[]), roles(&["editor"]), roles(&["admin"]));
        let (sign_in, role) = (Err(Denied::SignInFirst), Err(Denied::Role));
        for (rule, wanted) in [
            (rule(Auth::Public, &[]), [Ok(()), Ok(()), Ok(()), Ok(())]),
            (rule(Auth::User, &[]), [sign_in, Ok(()), Ok(()), Ok(())]),
            (rule(Auth::Admin, &[]), [sign_in, role, role, Ok(())]),
            (rule(Auth::User, &["editor"]), [sign_in, role, Ok(()), Ok(())]),
            (rule(Auth::Public, &["editor"]), [sign_in, role, Ok(()), Ok(())]),
            (rule(Auth::Admin, &["editor"]), [sign_in, role, role, Ok(())]),
        ] {
            let admitted =
                [None, Some(&user), Some(&editor), Some(&admin)].map(|own| rule.admit(own.map(Vec::as_slice)));
            assert_eq!(admitted, wanted, "{rule:?}");
        }
    }

    #[test]
    fn a_definition_is_read_within_bounds() {
        let read = Definition::parse(&json!({ "name": "a", "auth": "user", "limits": { "maxMessages": 3 } }))
            .expect("within bounds");
        assert_eq!(read.rule.limits, Limits { max_messages: 3, ..Limits::default() });
        for wrong in [
            json!(null),
            json!({ "auth": "user" }),
            json!({ "name": "a" }),
            json!({ "name": "a:b", "auth": "user" }),
            json!({ "name": "a", "auth": "root" }),
            json!({ "name": "a", "auth": "user", "limits": { "maxSize": 65_537 } }),
            json!({ "name": "a", "auth": "user", "limits": { "interval": 1 } }),
            json!({ "name": "a", "auth": "user", "limits": { "maxMessages": 0 } }),
            json!({ "name": "a", "auth": "user", "limits": { "most": 0 } }),
            json!({ "name": "a", "auth": "user", "roles": ["a b"] }),
        ] {
            assert!(Definition::parse(&wrong).is_err(), "{wrong}");
        }
    }
}
