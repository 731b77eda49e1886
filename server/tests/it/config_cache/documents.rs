//! The documents, the same in both stores.

use std::{future::Future, sync::Arc};

use futures_util::future::join_all;
use serde_json::json;
use server::store::{ConfigDocuments, ConfigName, Store, WriteError};

use crate::kit::mongod::{Mongod, fresh_database};

type Documents = Arc<dyn ConfigDocuments>;

/// Every promise of the documents, kept by each store.
macro_rules! contract {
    ($($test:ident),* $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::with_embedded(super::$test).await;
            })*
        }

        mod mongo {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::with_mongo(super::$test).await;
            })*
        }
    };
}

contract!(
    a_document_is_read_as_written_with_the_next_version,
    an_expected_version_must_be_the_one_it_has,
    writes_at_once_get_a_version_each,
    a_removed_document_is_gone_and_comes_back_newer,
    a_collection_is_listed_by_key,
);

async fn with_embedded<F: Future<Output = ()>>(test: impl FnOnce(Documents) -> F) {
    let data = tempfile::tempdir().unwrap();
    test(Store::embedded(data.path()).await.unwrap().config()).await;
}

async fn with_mongo<F: Future<Output = ()>>(test: impl FnOnce(Documents) -> F) {
    let mongod = Mongod::shared();
    test(Store::mongo(&mongod.uri(&fresh_database())).await.unwrap().config()).await;
}

fn name(key: &str) -> ConfigName {
    ConfigName::parse("features", key).unwrap()
}

async fn a_document_is_read_as_written_with_the_next_version(documents: Documents) {
    let key = name("feature:new_ui");
    assert_eq!(documents.get(&key).await.unwrap(), None);
    let mut last = 0;
    let values = [json!({ "enabled": true, "metadata": { "since": "2025", "$x": [1, null] } }), json!(1.5), json!("ü")];
    for (version, value) in (1..).zip(values) {
        let written = documents.put(&key, &value, None).await.unwrap();
        assert_eq!((&written.value, written.version, written.key.as_str()), (&value, version, "feature:new_ui"));
        assert!(written.updated_at > last);
        last = written.updated_at;
        assert_eq!(documents.get(&key).await.unwrap(), Some(written));
    }
    let elsewhere = ConfigName::parse("config", "feature:new_ui").unwrap();
    assert_eq!(documents.get(&elsewhere).await.unwrap(), None);
}

async fn an_expected_version_must_be_the_one_it_has(documents: Documents) {
    let key = name("a");
    assert!(matches!(documents.put(&key, &json!(1), Some(1)).await, Err(WriteError::Conflict(0))));
    documents.put(&key, &json!(1), Some(0)).await.unwrap();
    assert!(matches!(documents.put(&key, &json!(2), Some(0)).await, Err(WriteError::Conflict(1))));
    assert_eq!(documents.put(&key, &json!(2), Some(1)).await.unwrap().version, 2);
}

async fn writes_at_once_get_a_version_each(documents: Documents) {
    let key = name("a");
    let written = join_all((0..20).map(|number| {
        let (documents, key) = (Arc::clone(&documents), key.clone());
        async move { documents.put(&key, &json!(number), None).await.unwrap() }
    }))
    .await;
    let mut versions: Vec<u64> = written.iter().map(|document| document.version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=20).collect::<Vec<_>>());
    let last = written.into_iter().max_by_key(|document| document.version);
    assert_eq!(documents.get(&key).await.unwrap(), last);
}

async fn a_removed_document_is_gone_and_comes_back_newer(documents: Documents) {
    let key = name("a");
    let before = documents.put(&key, &json!(1), None).await.unwrap();
    assert!(documents.remove(&key).await.unwrap());
    assert!(!documents.remove(&key).await.unwrap());
    assert_eq!(documents.get(&key).await.unwrap(), None);
    let after = documents.put(&key, &json!(2), None).await.unwrap();
    assert!(after.updated_at >= before.updated_at);
}

async fn a_collection_is_listed_by_key(documents: Documents) {
    for key in ["b", "a", "c"] {
        documents.put(&name(key), &json!(key), None).await.unwrap();
    }
    documents.put(&ConfigName::parse("config", "x").unwrap(), &json!(1), None).await.unwrap();
    let keys = |documents: Vec<server::store::ConfigDocument>| {
        documents.into_iter().map(|document| document.key).collect::<Vec<_>>()
    };
    assert_eq!(keys(documents.list("features", 10).await.unwrap()), ["a", "b", "c"]);
    assert_eq!(keys(documents.list("features", 2).await.unwrap()), ["a", "b"]);
    assert!(documents.list("other", 10).await.unwrap().is_empty());
}
