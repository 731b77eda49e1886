//! Reads what a server sends, field by field.
//!
//! By hand: what serde derives for it is ten times as much code, and every browser downloads it.

use serde_json::{Map, Value};

use super::{
    BroadcastFrame, ClusterFrame, Context, DrainFrame, Failure, False, Frame, GapFrame, LimitsFrame, PongFrame,
    Receipt, ServerFrame, SubscribedFrame, True, UnsubscribedFrame, WelcomeFrame,
};
use crate::{Channel, Code, Position, Positions};

/// The fields of an object, taken out one after the other; what is not as it should be counts as missing.
struct Fields(Map<String, Value>);

impl Fields {
    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Object(fields) => Some(Self(fields)),
            _ => None,
        }
    }

    fn value(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    fn object(&mut self, name: &str) -> Option<Self> {
        self.value(name).and_then(Self::of)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    fn number(&mut self, name: &str) -> Option<u64> {
        self.value(name)?.as_u64()
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        self.value(name)?.as_bool()
    }

    fn channel(&mut self, name: &str) -> Option<Channel> {
        Channel::parse(&self.text(name)?).ok()
    }

    fn position(&mut self) -> Option<Position> {
        Some(Position { epoch: self.text("epoch")?.into(), offset: self.number("offset")? })
    }

    fn positions(&mut self, name: &str) -> Option<Positions> {
        let mut positions = Positions::new();
        for (channel, position) in self.object(name)?.0 {
            positions.insert(Channel::parse(&channel).ok()?, Self::of(position)?.position()?);
        }
        Some(positions)
    }

    fn context(&mut self) -> Context {
        Context { username: self.object("ctx").and_then(|mut fields| fields.text("username")).unwrap_or_default() }
    }
}

/// A frame; `None` when it is none of this version.
pub(super) fn frame(value: Value) -> Option<Frame> {
    let mut fields = Fields::of(value)?;
    let (is_success, request_id) = (fields.flag("success")?, fields.value("requestId"));
    Some(if is_success {
        Frame::Success { success: True, data: server_frame(fields.object("data")?)?, request_id }
    } else {
        Frame::Failure(Failure {
            success: False,
            error: fields.text("error")?,
            code: Code::read(&fields.text("code")?),
            details: fields.value("details"),
            request_id,
        })
    })
}

fn server_frame(mut fields: Fields) -> Option<ServerFrame> {
    let kind = fields.text("type")?;
    if kind == "connected" {
        let mut limits = fields.object("limits")?;
        return Some(ServerFrame::Connected {
            client_id: fields.text("clientId")?.into(),
            namespace: fields.text("namespace")?,
            limits: LimitsFrame {
                max_size: limits.number("maxSize")?.try_into().ok()?,
                interval: limits.number("interval")?,
                max_messages: limits.number("maxMessages")?.try_into().ok()?,
            },
            ctx: fields.context(),
        });
    }
    let mut data = fields.object("data")?;
    Some(match kind.as_str() {
        "broadcast" => ServerFrame::Broadcast { data: broadcast(data)?, ctx: fields.context() },
        "published" => ServerFrame::Published { data: receipt(data)? },
        "subscribed" => ServerFrame::Subscribed {
            data: SubscribedFrame {
                channel: data.text("channel")?,
                timestamp: data.text("timestamp")?,
                position: data.position(),
                positions: data.positions("positions"),
                recovered: data.flag("recovered")?,
            },
        },
        "unsubscribed" => ServerFrame::Unsubscribed {
            data: UnsubscribedFrame { channel: data.text("channel")?, timestamp: data.text("timestamp")? },
        },
        "welcome" => ServerFrame::Welcome {
            data: WelcomeFrame {
                message: data.text("message")?,
                timestamp: data.text("timestamp")?,
                cluster_mode: data.flag("clusterMode"),
            },
        },
        "pong" => ServerFrame::Pong { data: PongFrame { timestamp: data.text("timestamp")? } },
        "cluster" => ServerFrame::Cluster { data: ClusterFrame { cluster_mode: data.flag("clusterMode")? } },
        "gap" => ServerFrame::Gap { data: GapFrame { channel: data.channel("channel")? } },
        "drain" => ServerFrame::Drain {
            data: DrainFrame { retry_after_ms: data.number("retryAfterMs")?, spread_ms: data.number("spreadMs")? },
        },
        _ => return None,
    })
}

fn broadcast(mut fields: Fields) -> Option<BroadcastFrame> {
    Some(BroadcastFrame {
        channel: fields.channel("channel")?,
        data: fields.object("data")?.0,
        timestamp: fields.text("timestamp")?,
        id: fields.text("id")?.into(),
        position: fields.position(),
    })
}

fn receipt(mut fields: Fields) -> Option<Receipt> {
    Some(Receipt {
        channel: fields.channel("channel")?,
        instance_id: fields.text("instanceId")?.into(),
        timestamp: fields.text("timestamp")?,
        id: fields.text("id")?.into(),
        position: fields.position(),
        fallback: fields.flag("fallback").unwrap_or_default(),
    })
}

impl Receipt {
    /// Reads a receipt as a server sends it; `None` when it is none.
    pub fn read(value: Value) -> Option<Self> {
        Fields::of(value).and_then(receipt)
    }
}
