//! The contract over a real MongoDB, and what happens without one.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use app::ports::StoreError;
use server::store::{OpenError, Store};

use super::{all, contract, silent, title};
use crate::kit::mongod::{Mongod, fresh_database};

contract!(with_mongo);

/// Runs `test` on a fresh database.
async fn with_mongo<F: Future<Output = ()>>(test: impl FnOnce(Store) -> F) {
    let mongod = Mongod::shared();
    test(Store::mongo(&mongod.uri(&fresh_database())).await.unwrap()).await;
}

/// The same where there are transactions.
mod replica_set {
    use super::*;

    contract!(with_replica_set);

    async fn with_replica_set<F: Future<Output = ()>>(test: impl FnOnce(Store) -> F) {
        let mongod = Mongod::shared_replica_set();
        test(Store::mongo(&mongod.uri(&fresh_database())).await.unwrap()).await;
    }
}

#[tokio::test]
async fn documents_survive_the_instance() {
    let mongod = Mongod::start();
    let first = Store::mongo(&mongod.uri("kept")).await.unwrap();
    let made = first.todos().create(&title("stays"), "guest", silent()).await.unwrap();
    first.close().await;
    let second = Store::mongo(&mongod.uri("kept")).await.unwrap();
    assert_eq!(all(&*second.todos(), 20).await, [made]);
}

#[tokio::test]
async fn an_absent_mongodb_stops_no_start_and_is_used_when_it_comes() {
    let port = Mongod::start().port();
    let store = Store::mongo(&format!("mongodb://127.0.0.1:{port}/late")).await.unwrap();
    let asked = Instant::now();
    assert!(matches!(store.todos().list(1, None).await, Err(StoreError::Unavailable(_))));
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    let _mongod = Mongod::start_on(port);
    store.todos().create(&title("at last"), "guest", silent()).await.unwrap();
    assert_eq!(store.mode(), "mongodb");
}

#[tokio::test]
async fn a_hanging_mongodb_hangs_no_request() {
    let mongod = Mongod::start();
    let store = Store::mongo(&mongod.uri("stuck")).await.unwrap();
    store.ping().await.unwrap();
    mongod.signal("STOP");
    let asked = Instant::now();
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    assert!(asked.elapsed() < Duration::from_secs(7), "{:?}", asked.elapsed());
    mongod.signal("CONT");
    store.todos().create(&title("on we go"), "guest", silent()).await.unwrap();
}

#[tokio::test]
async fn a_malformed_address_is_refused_in_one_line_without_the_password() {
    for uri in ["", "localhost", "http://localhost", "mongodb://", "mongodb://u:secret@h:port/x", "mongodb+srv://a.b.c"]
    {
        let error = Store::mongo(uri).await.err().expect(uri);
        assert!(matches!(error, OpenError::Address { .. }), "{uri}: {error}");
        let line = error.to_string();
        assert!(line.starts_with("MONGODB_URI: ") && !line.contains('\n') && !line.contains("secret"), "{line}");
    }
}
