//! A message as browsers get it, made once for all of them.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use uuid::Uuid;
use wire::{BroadcastFrame, Context, Frame, Message, ServerFrame};

use crate::{
    clock::rfc3339,
    hub::Delivery,
    socket::{text_frame, write_text_frame},
};

/// The whole WebSocket frame of a message.
pub(super) fn broadcast(message: &Message) -> Bytes {
    text_frame(&broadcast_json(message))
}

/// The frames of several messages in a row.
pub(super) fn broadcasts(deliveries: &[Arc<Delivery>]) -> Bytes {
    match deliveries {
        [one] => one.encoded(broadcast).clone(),
        many => {
            let mut frames = BytesMut::new();
            for delivery in many {
                write_text_frame(&mut frames, &broadcast_json(&delivery.message));
            }
            frames.freeze()
        }
    }
}

fn broadcast_json(message: &Message) -> String {
    let data = BroadcastFrame {
        channel: message.channel.clone(),
        data: message.data.clone(),
        timestamp: rfc3339(message.timestamp),
        // An instance that gives no ids cannot repeat itself either: a fresh one is as good.
        id: message.id.clone().unwrap_or_else(|| Arc::from(Uuid::now_v7().to_string())),
        position: message.position.clone(),
    };
    let ctx = Context { username: message.username.clone() };
    Frame::news(ServerFrame::Broadcast { data, ctx }).to_json()
}
