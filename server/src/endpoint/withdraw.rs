//! Takes back what this instance said in Redis of users who went and of endpoints that were removed.
//!
//! What Redis does not take is tried again every time changes are told: nobody who is gone is online when it is back.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
};

use futures_util::{StreamExt, stream};

use super::{Endpoint, Endpoints, ONLINE, exchange::report_key, online_key};
use crate::hub::Keys;

/// Users that are to be taken back at most; what is said of more expires by itself.
const USERS: usize = 10_000;
/// Commands under way at once.
const TOGETHER: usize = 64;

/// What is still to be taken back. The numbers tell whether it was asked for again while Redis was at it.
#[derive(Default)]
pub(super) struct Withdrawals {
    /// Users by endpoint and id.
    users: HashMap<(Arc<str>, Arc<str>), u64>,
    /// Endpoints that were removed.
    endpoints: HashMap<Arc<str>, u64>,
    asked: u64,
}

impl Withdrawals {
    fn add_user(&mut self, endpoint: &Arc<str>, user: Arc<str>) {
        self.asked += 1;
        if self.users.len() < USERS {
            self.users.insert((Arc::clone(endpoint), user), self.asked);
        }
    }

    fn add_endpoint(&mut self, endpoint: &Arc<str>) {
        self.asked += 1;
        self.endpoints.insert(Arc::clone(endpoint), self.asked);
    }
}

impl Endpoints {
    /// These users are not on the endpoint here any more.
    pub(super) fn withdraw_users(&self, endpoint: &Arc<str>, users: impl IntoIterator<Item = Arc<str>>) {
        if self.shared.keys.is_some() {
            let mut withdrawals = self.withdrawals();
            users.into_iter().for_each(|user| withdrawals.add_user(endpoint, user));
        }
    }

    /// The endpoint is removed, with everybody who was on it.
    pub(super) fn withdraw_endpoint(&self, endpoint: &Endpoint) {
        let users: Vec<Arc<str>> = endpoint.here().roster.users().map(|(user, _)| Arc::clone(user)).collect();
        self.withdraw_users(&endpoint.name, users);
        self.peers().forget(&endpoint.name);
        if self.shared.keys.is_some() {
            self.withdrawals().add_endpoint(&endpoint.name);
        }
    }

    /// Closes the sockets of an endpoint that was removed while they were opened, and takes back what was said of them.
    pub(super) fn end_if_removed(&self, endpoint: &Arc<Endpoint>) {
        if !self.get(&endpoint.name).is_some_and(|live| Arc::ptr_eq(&live, endpoint)) {
            endpoint.end(|_| true);
            self.withdraw_endpoint(endpoint);
        }
    }

    /// Takes back what a process of the same id said that was killed. Looks through all of Redis: once, after the start.
    pub(super) async fn withdraw_leftovers(&self) {
        let Some(keys) = self.shared.keys.as_ref().filter(|keys| keys.is_up()) else { return };
        let Ok(found) = keys.scan(ONLINE, USERS).await else { return };
        let mut withdrawals = self.withdrawals();
        for (endpoint, user) in found.iter().filter_map(|key| key.strip_prefix(ONLINE)?.split_once(':')) {
            withdrawals.add_user(&endpoint.into(), user.into());
        }
    }

    /// Takes back what is due; whether an endpoint was among it.
    pub(super) async fn settle_withdrawals(&self) -> bool {
        let Some(keys) = self.shared.keys.as_ref().filter(|keys| keys.is_up()) else { return false };
        let (users, endpoints) = {
            let withdrawals = self.withdrawals();
            (withdrawals.users.clone(), withdrawals.endpoints.clone())
        };
        let has_endpoints = !endpoints.is_empty();
        let taking = users.into_iter().map(|(user, asked)| self.take_back_user(keys, user, asked));
        stream::iter(taking).buffer_unordered(TOGETHER).collect::<Vec<()>>().await;
        for (endpoint, asked) in endpoints {
            // One that was made again reports for itself.
            let is_live = self.get(&endpoint).is_some();
            if is_live || keys.remove(&report_key(&endpoint, self.instance_id())).await.is_ok() {
                self.withdrawals().endpoints.retain(|name, latest| *name != endpoint || *latest != asked);
            }
        }
        has_endpoints
    }

    async fn take_back_user(&self, keys: &Keys, (endpoint, user): (Arc<str>, Arc<str>), asked: u64) {
        let own = [self.instance_id().to_string()];
        if keys.remove_members(&online_key(&endpoint, &user), &own).await.is_err() {
            return;
        }
        // Back since.
        if self.get(&endpoint).is_some_and(|live| live.here().roster.has(&user)) {
            self.set_online(&endpoint, &user).await;
        }
        let key = (endpoint, user);
        let mut withdrawals = self.withdrawals();
        if withdrawals.users.get(&key) == Some(&asked) {
            withdrawals.users.remove(&key);
        }
    }

    fn withdrawals(&self) -> std::sync::MutexGuard<'_, Withdrawals> {
        self.shared.withdrawals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
