//! The replay log in Redis: a stream of messages, their ids and a position for each channel, all in one slot.

use std::sync::Arc;

use fred::{
    prelude::{Client, Error, LuaInterface, Value},
    types::scripts::Script,
};
use uuid::Uuid;
use wire::{
    Channel, Message, Position,
    limits::{LOG_AGE, LOG_MESSAGES},
};

use super::{Attempt, BusError, Replay};

/// How long the position of a channel outlives its last message, in seconds.
const POSITION_SECONDS: i64 = 24 * 3_600;
/// How long the position of a channel outlives the last look at it, in seconds: longer than messages
/// are kept, short enough that looking at invented channels fills nothing.
const LOOKED_AT_SECONDS: i64 = 900;

/// The scripts, and the keys they work on.
pub(super) struct Log {
    prefix: String,
    publish: Script,
    position: Script,
    replay: Script,
    renew: Script,
}

impl Log {
    pub(super) fn new(prefix: String) -> Self {
        Self {
            prefix,
            publish: Script::from_lua(concat!(include_str!("open.lua"), include_str!("publish.lua"))),
            position: Script::from_lua(concat!(include_str!("open.lua"), include_str!("position.lua"))),
            replay: Script::from_lua(concat!(include_str!("open.lua"), include_str!("replay.lua"))),
            renew: Script::from_lua(concat!(include_str!("open.lua"), include_str!("renew.lua"))),
        }
    }

    /// Appends messages of one channel, and publishes each to the Redis channel `to`.
    pub(super) async fn append(
        &self,
        client: &Client,
        to: &str,
        messages: &[Arc<Message>],
        attempt: Attempt,
    ) -> Result<Vec<Position>, BusError> {
        let Some(channel) = messages.first().map(|message| &message.channel) else { return Ok(Vec::new()) };
        let [log, position, ids] = self.keys(channel);
        let mut values: Vec<Value> = vec![
            to.into(),
            new_epoch().into(),
            i64::try_from(LOG_MESSAGES).unwrap_or(i64::MAX).into(),
            age_milliseconds().into(),
            POSITION_SECONDS.into(),
            i64::from(attempt == Attempt::Again).into(),
        ];
        for message in messages {
            let mut json = serde_json::to_string(message).map_err(|_| BusError::Unreadable)?;
            // The script writes the position behind the last field.
            json.pop();
            values.push(message.id.as_deref().unwrap_or_default().into());
            values.push(json.into());
        }
        let answer = run(client, &self.publish, vec![log, position, ids], values).await?;
        let mut answer = answer.into_iter();
        let epoch: Arc<str> = answer.next().and_then(Value::into_string).ok_or(BusError::Unreadable)?.into();
        let positions: Option<Vec<Position>> =
            answer.map(|offset| Some(Position { epoch: Arc::clone(&epoch), offset: offset.as_u64()? })).collect();
        positions.filter(|positions| positions.len() == messages.len()).ok_or(BusError::Unreadable)
    }

    pub(super) async fn position(&self, client: &Client, channel: &Channel) -> Result<Position, BusError> {
        let [log, position, _] = self.keys(channel);
        let values: Vec<Value> = vec![new_epoch().into(), LOOKED_AT_SECONDS.into()];
        let answer = run(client, &self.position, vec![log, position], values).await?;
        let [epoch, offset] = &answer[..] else { return Err(BusError::Unreadable) };
        read_position(epoch, offset)
    }

    pub(super) async fn replay(
        &self,
        client: &Client,
        channel: &Channel,
        since: &Position,
    ) -> Result<Replay, BusError> {
        let [log, position, _] = self.keys(channel);
        let values: Vec<Value> = vec![
            since.epoch.as_ref().into(),
            i64::try_from(since.offset).unwrap_or(i64::MAX).into(),
            i64::try_from(LOG_MESSAGES).unwrap_or(i64::MAX).into(),
            new_epoch().into(),
            LOOKED_AT_SECONDS.into(),
        ];
        let answer = run(client, &self.replay, vec![log, position], values).await?;
        let [epoch, offset, begun, is_whole, texts @ ..] = &answer[..] else { return Err(BusError::Unreadable) };
        let position = read_position(epoch, offset)?;
        let begun = begun.as_u64().ok_or(BusError::Unreadable)?;
        // One that cannot be read is lost like one that is not there any more: to ask again would not bring it.
        let readable = || texts.iter().map(|text| read_message(text, &position.epoch)).collect();
        let messages = if is_whole.as_u64() == Some(1) { readable() } else { None };
        Ok(Replay { position, begun, messages })
    }

    /// Begins a channel's log anew and says so on the Redis channel `to`.
    pub(super) async fn renew(&self, client: &Client, to: &str, channel: &Channel) -> Result<(), BusError> {
        let keys = self.keys(channel).to_vec();
        let values: Vec<Value> = vec![new_epoch().into(), POSITION_SECONDS.into(), to.into(), channel.as_str().into()];
        self.renew.evalsha_with_reload::<(), _, _>(client, keys, values).await?;
        Ok(())
    }

    /// Keys of the log, the position and the ids; the braces keep them in one slot of a Redis Cluster.
    fn keys(&self, channel: &Channel) -> [String; 3] {
        ["log", "pos", "ids"].map(|kind| format!("{}{kind}:{{{channel}}}", self.prefix))
    }
}

/// Runs a script by its hash, or with its text where the server does not know it: one that was promoted
/// or restarted.
async fn run(client: &Client, script: &Script, keys: Vec<String>, values: Vec<Value>) -> Result<Vec<Value>, Error> {
    match client.evalsha(script.sha1().clone(), keys.clone(), values.clone()).await {
        Err(error) if error.details().starts_with("NOSCRIPT") => {
            client.eval(script.lua().cloned().unwrap_or_default(), keys, values).await
        }
        answered => answered,
    }
}

fn read_position(epoch: &Value, offset: &Value) -> Result<Position, BusError> {
    Ok(Position {
        epoch: epoch.as_string().ok_or(BusError::Unreadable)?.into(),
        offset: offset.as_u64().ok_or(BusError::Unreadable)?,
    })
}

/// A message of a log whose present epoch is `epoch`, whatever it was when the message was published:
/// who reads it stands in the present one then.
fn read_message(text: &Value, epoch: &Arc<str>) -> Option<Arc<Message>> {
    let mut message = Message::parse(text.as_bytes()?).ok()?;
    message.position.as_mut()?.epoch = Arc::clone(epoch);
    Some(Arc::new(message))
}

fn new_epoch() -> String {
    Uuid::new_v4().simple().to_string()
}

fn age_milliseconds() -> i64 {
    i64::try_from(LOG_AGE.as_millis()).unwrap_or(i64::MAX)
}
