//! Values of users: one hash a user, with a field for each value and one for when it ends.

use std::time::Duration;

use fred::prelude::{LuaInterface, Value};

use super::{
    BusError,
    keys::{Keys, milliseconds, within},
};

/// What a user may have; beyond, those values go that end first.
#[derive(Clone, Copy, Debug)]
pub struct UserBounds {
    /// Bytes of all values with their names.
    pub bytes: usize,
    /// Values.
    pub values: usize,
}

impl Keys {
    /// A value of a user.
    ///
    /// # Errors
    ///
    /// As [`Keys::get`].
    pub async fn user_value(&self, user: &str, name: &str) -> Result<Option<String>, BusError> {
        let value = self.user_script(include_str!("user_value.lua"), user, vec![name.into()]).await?;
        Ok(value.into_string())
    }

    /// Keeps a value of a user; those that end first are given up for it.
    ///
    /// # Errors
    ///
    /// As [`Keys::put`].
    pub async fn put_user_value(
        &self,
        user: &str,
        name: &str,
        json: &str,
        life: Duration,
        bounds: UserBounds,
    ) -> Result<(), BusError> {
        let bound = |bound: usize| Value::from(i64::try_from(bound).unwrap_or(i64::MAX));
        let values: Vec<Value> =
            vec![name.into(), json.into(), milliseconds(life).into(), bound(bounds.bytes), bound(bounds.values)];
        self.user_script(include_str!("put_user_value.lua"), user, values).await.map(drop)
    }

    /// Removes a value of a user; whether there was one.
    ///
    /// # Errors
    ///
    /// As [`Keys::remove`].
    pub async fn remove_user_value(&self, user: &str, name: &str) -> Result<bool, BusError> {
        let removed = self.user_script(include_str!("remove_user_value.lua"), user, vec![name.into()]).await?;
        Ok(removed.as_u64() == Some(1))
    }

    async fn user_script(&self, script: &'static str, user: &str, values: Vec<Value>) -> Result<Value, BusError> {
        let connection = self.shared().connection()?;
        let key = self.name(&format!("user:cache:{user}"));
        within(connection.commands().eval(script, vec![key], values)).await
    }
}
