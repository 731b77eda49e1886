//! One browser's socket, as a handler sees it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};
use wire::{
    Code,
    endpoint::{Present, RequestError, frame},
};

use super::{Endpoint, Endpoints, Visit, members::Target, post::Post, requests::Requests};
use crate::{
    clock,
    relay::{Owner, Queue},
    socket::{RequestId, text_frame},
};

/// An open socket. Cheap to clone; does nothing any more when the browser is gone.
#[derive(Clone)]
pub struct Socket {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) endpoints: Endpoints,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) key: usize,
    pub(super) queue: Arc<Queue<Bytes>>,
    pub(super) requests: Requests,
    pub(super) user: Arc<str>,
    pub(super) present: Present,
    visit: Visit,
}

impl Socket {
    /// Lets a visitor in.
    pub(super) fn enter(
        endpoints: &Endpoints,
        endpoint: &Arc<Endpoint>,
        visit: Visit,
        queue: Arc<Queue<Bytes>>,
    ) -> Self {
        let user = user_id(&visit);
        let username = visit.owner.as_ref().map(|owner| owner.username.as_str()).unwrap_or_default();
        let present = Present { id: public_id(&endpoint.name, &user), username: username.into() };
        let client = Arc::clone(&visit.client_id);
        let key = endpoint.enter(&user, &present, client, Arc::clone(&queue), visit.owner.clone());
        let (endpoints, endpoint) = (endpoints.clone(), Arc::clone(endpoint));
        let inner = Inner { endpoints, endpoint, key, queue, requests: Requests::default(), user, present, visit };
        Self { inner: Arc::new(inner) }
    }

    /// Names the tab.
    pub fn client_id(&self) -> &Arc<str> {
        &self.inner.visit.client_id
    }

    /// Names the user towards the server: the account's id, or for a guest `guest:` and the tab.
    pub fn user_id(&self) -> &Arc<str> {
        &self.inner.user
    }

    /// The user as others on this endpoint see it.
    pub fn present(&self) -> &Present {
        &self.inner.present
    }

    /// Who opened it; `None` for a guest.
    pub fn owner(&self) -> Option<&Arc<Owner>> {
        self.inner.visit.owner.as_ref()
    }

    /// The endpoint's name.
    pub fn endpoint(&self) -> &Arc<str> {
        &self.inner.endpoint.name
    }

    /// What stands in the path where the endpoint has `{name}`.
    pub fn parameters(&self) -> &HashMap<String, String> {
        &self.inner.visit.parameters
    }

    /// The rooms it is in.
    pub fn rooms(&self) -> Vec<Arc<str>> {
        self.inner.endpoint.here().members.rooms_of(self.inner.key)
    }

    /// Sends a frame `{type, data}` to this browser alone.
    pub fn send(&self, kind: &str, data: &Value) {
        self.inner.queue.push(text_frame(&frame(kind, data)));
    }

    /// Asks this browser and waits for what it answers.
    ///
    /// # Errors
    ///
    /// `NO_REPLY` after `within`, `CONNECTION_LOST` when the socket closes, or what the browser says.
    pub async fn request(&self, data: &Value, within: Duration) -> Result<Value, RequestError> {
        let send = |id| self.inner.queue.push(text_frame(&RequestId::add(frame("request", data), Some(&id))));
        self.inner.requests.ask(within, send).await
    }

    /// Tells everybody on the endpoint, on every instance.
    pub fn broadcast(&self, data: Value) {
        self.post(Target::Broadcast, data, None);
    }

    /// Tells every socket of a user, by its id or the one others see.
    pub fn send_to_user(&self, user_id: &str, data: Value) {
        self.post(Target::User(user_id.into()), data, None);
    }

    /// Tells everybody in a room.
    pub fn send_to_room(&self, room: &str, data: Value) {
        self.post(Target::Room(room.into()), data, None);
    }

    /// Joins a room; on success everything sent to it from now on arrives. How many sockets are in it.
    ///
    /// # Errors
    ///
    /// When the socket is in as many rooms as it may be.
    pub async fn join(&self, room: &Arc<str>) -> Result<usize, RequestError> {
        let Inner { endpoints, endpoint, key, .. } = &*self.inner;
        let joined = endpoint.here().join(*key, room);
        let is_new =
            joined.map_err(|_| RequestError::new(Code::TooManyRooms, "the socket is in as many rooms as it may be"))?;
        if is_new {
            endpoints.hear(&[Target::Room(Arc::clone(room))], &endpoint.name).await;
        }
        Ok(endpoints.in_room(endpoint, room))
    }

    /// Leaves a room; how many sockets are in it.
    pub async fn leave(&self, room: &Arc<str>) -> usize {
        let Inner { endpoints, endpoint, key, .. } = &*self.inner;
        let was_in = endpoint.here().exit(*key, room);
        if was_in {
            endpoints.ignore(&[Target::Room(Arc::clone(room))], &endpoint.name).await;
        }
        endpoints.in_room(endpoint, room)
    }

    pub(super) fn post(&self, target: Target, data: Value, omit: Option<Arc<str>>) {
        let Inner { endpoints, endpoint, present, .. } = &*self.inner;
        let timestamp = clock::now_milliseconds();
        endpoints.send(endpoint, &Post { target, from: present.clone(), data, omit, timestamp });
    }

    /// What it hears from its first moment to its last.
    pub(super) fn topics(&self) -> [Target; 3] {
        let Inner { user, present, .. } = &*self.inner;
        [Target::Broadcast, Target::User(Arc::clone(user)), Target::User(Arc::clone(&present.id))]
    }
}

/// Names a user in keys and topics. A tab chooses its own name, so a guest's must never be an account's.
fn user_id(visit: &Visit) -> Arc<str> {
    match &visit.owner {
        Some(owner) => owner.user_id.as_str().into(),
        None => format!("guest:{}", visit.client_id).into(),
    }
}

/// What others see instead of a user's id.
fn public_id(endpoint: &str, user: &str) -> Arc<str> {
    let digest = Sha256::digest(format!("{endpoint}:{user}"));
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>().into()
}
