//! Accounts: the same in both stores, and from the command line.

use std::{
    future::Future,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use app::account::PersonName;
use serde_json::json;
use server::{
    Instance,
    account::{AccountError, Accounts},
    config::{Config, RedisConfig},
    store::Store,
};

use super::{
    kit::{
        instance::Running,
        mongod::{Mongod, fresh_database},
        visitor::Visitor,
    },
    sessions::config,
};

/// Every promise of the accounts, kept by each store.
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
    an_account_is_found_whatever_the_case_of_its_name,
    a_name_is_given_once,
    malformed_parts_are_refused,
    a_replaced_password_is_the_only_one,
    a_first_and_a_last_name_stay_until_others_are_given,
    a_deleted_account_is_gone,
    the_admin_is_as_configured,
    the_first_admin_is_made_once,
);

async fn with_embedded<F: Future<Output = ()>>(test: impl FnOnce(Accounts) -> F) {
    let data = tempfile::tempdir().unwrap();
    test(Accounts::new(&Store::embedded(data.path()).await.unwrap())).await;
}

async fn with_mongo<F: Future<Output = ()>>(test: impl FnOnce(Accounts) -> F) {
    let mongod = Mongod::shared();
    test(Accounts::new(&Store::mongo(&mongod.uri(&fresh_database())).await.unwrap())).await;
}

async fn an_account_is_found_whatever_the_case_of_its_name(accounts: Accounts) {
    let made = accounts.create("Mona", "secret", &["editor".into()]).await.unwrap();
    assert!(made.password_hash.starts_with("$argon2id$"), "{}", made.password_hash);
    assert_eq!(accounts.check("mONA", "secret").await.unwrap(), made);
    assert!(accounts.check("Mona", "Secret").await.is_err());
    assert!(accounts.check("Otto", "secret").await.is_err());
}

async fn a_name_is_given_once(accounts: Accounts) {
    accounts.create("mona", "secret", &[]).await.unwrap();
    assert!(matches!(accounts.create("MONA", "other", &[]).await, Err(AccountError::Taken(_))));
    let at_once = (0..4).map(|_| accounts.create("otto", "secret", &[]));
    let made = futures_util::future::join_all(at_once).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    let names: Vec<String> = accounts.list().await.unwrap().into_iter().map(|user| user.username).collect();
    assert_eq!(names, ["mona", "otto"]);
}

async fn malformed_parts_are_refused(accounts: Accounts) {
    for name in ["", "a b", "mona@site.example", "ü", &"x".repeat(65), "$ne"] {
        assert!(matches!(accounts.create(name, "secret", &[]).await, Err(AccountError::Name(_))), "{name}");
    }
    assert!(matches!(accounts.create("a", "secret", &["x y".into()]).await, Err(AccountError::Role(_))));
    for password in [String::new(), "x".repeat(1_025)] {
        assert!(matches!(accounts.create("a", &password, &[]).await, Err(AccountError::Password)));
    }
}

async fn a_replaced_password_is_the_only_one(accounts: Accounts) {
    let before = accounts.create("mona", "old", &["editor".into()]).await.unwrap();
    let after = accounts.replace("mona", "new", &[]).await.unwrap();
    assert_eq!((&after.id, after.roles.len()), (&before.id, 0));
    assert!(after.sessions_from > before.sessions_from);
    assert!(accounts.check("mona", "old").await.is_err());
    assert_eq!(accounts.check("mona", "new").await.unwrap(), after);
}

async fn a_first_and_a_last_name_stay_until_others_are_given(accounts: Accounts) {
    let name = |first: &str, last: &str| PersonName { first_name: first.into(), last_name: last.into() };
    accounts.create_named("mona", name("Mona", "Lisa"), "secret", &[]).await.unwrap();
    assert_eq!(accounts.check("mona", "secret").await.unwrap().name, name("Mona", "Lisa"));
    accounts.replace("mona", "other", &[]).await.unwrap();
    assert_eq!(accounts.check("mona", "other").await.unwrap().name, name("Mona", "Lisa"));
    accounts.replace_named("mona", Some(name("Lisa", "")), "other", &[]).await.unwrap();
    assert_eq!(accounts.list().await.unwrap()[0].name, name("Lisa", ""));
    for wrong in [name(&"x".repeat(65), ""), name("", "two\nlines")] {
        let refused = accounts.create_named("otto", wrong, "secret", &[]).await;
        assert!(matches!(refused, Err(AccountError::PersonName)));
    }
}

async fn a_deleted_account_is_gone(accounts: Accounts) {
    let before = accounts.create("mona", "secret", &[]).await.unwrap();
    assert_eq!(accounts.delete("Mona").await.unwrap().id, before.id);
    assert!(matches!(accounts.delete("mona").await, Err(AccountError::Unknown(_))));
    assert!(accounts.check("mona", "secret").await.is_err());
    assert_ne!(accounts.create("mona", "secret", &[]).await.unwrap().id, before.id);
}

async fn the_admin_is_as_configured(accounts: Accounts) {
    accounts.set_admin("first").await.unwrap();
    let first = accounts.check("admin", "first").await.unwrap();
    assert_eq!(first.roles, ["admin"]);
    accounts.set_admin("first").await.unwrap();
    assert_eq!(accounts.check("admin", "first").await.unwrap(), first, "nobody is signed out");
    accounts.set_admin("second").await.unwrap();
    assert!(accounts.check("admin", "first").await.is_err());
    assert_eq!(accounts.check("admin", "second").await.unwrap().id, first.id);
}

async fn the_first_admin_is_made_once(accounts: Accounts) {
    let password = accounts.first_admin().await.unwrap().unwrap();
    assert!(password.len() >= 20, "{password}");
    assert_eq!(accounts.check("admin", &password).await.unwrap().roles, ["admin"]);
    assert_eq!(accounts.first_admin().await.unwrap(), None);
}

/// The program with nothing of this process's environment.
fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_server"))
        .env_clear()
        .current_dir(folder)
        .env("JPULSE_DATA_DIR", folder.join("data"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that does not read refuses before.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_made_before_the_first_start_signs_in_and_is_the_only_one() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["--first-name", "Mona", "--last-name", "Lisa"];
    let create =
        [&["create-user", "mona", "--password-stdin", "--role", "admin", "--role", "editor"], &names[..]].concat();
    let made = run(folder.path(), &create, "a password of hers\n");
    assert!(made.status.success(), "{made:?}");
    let again = run(folder.path(), &create, "another\n");
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    assert!(String::from_utf8_lossy(&again.stderr).contains("--replace"));
    let listed = run(folder.path(), &["list-users"], "");
    let line = String::from_utf8(listed.stdout).unwrap();
    assert!(line.starts_with("mona\tadmin,editor\t") && line.lines().count() == 1, "{line}");

    let store = Store::embedded(&folder.path().join("data")).await.unwrap();
    let [mona] = &Accounts::new(&store).list().await.unwrap()[..] else { panic!("one account") };
    assert_eq!(mona.name, PersonName { first_name: "Mona".into(), last_name: "Lisa".into() });
    store.close().await;
    drop(store);

    let mut config = Config::default();
    config.server.port = 0;
    config.server.data_dir = folder.path().join("data");
    config.server.site_root = folder.path().to_owned();
    let instance = Instance::bind(config.clone()).await.unwrap();
    assert_eq!(instance.first_password(), None, "there is somebody");
    let beside = run(folder.path(), &["list-users"], "");
    assert_eq!(beside.status.code(), Some(2), "the file is taken: {beside:?}");
    instance.run_until(async {}).await;

    let deleted = run(folder.path(), &["delete-user", "Mona"], "");
    assert!(deleted.status.success(), "{deleted:?}");
    assert_eq!(run(folder.path(), &["delete-user", "mona"], "").status.code(), Some(2));
    let instance = Instance::bind(config.clone()).await.unwrap();
    assert!(instance.first_password().is_some());
    instance.run_until(async {}).await;
    let instance = Instance::bind(config).await.unwrap();
    assert_eq!(instance.first_password(), None, "it is shown once");
    instance.run_until(async {}).await;
}

#[test]
fn a_password_is_read_from_standard_input_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let refused = run(folder.path(), &["create-user", "mona"], "");
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--password-stdin"));
    let empty = run(folder.path(), &["create-user", "mona", "--password-stdin"], "\n");
    assert_eq!(empty.status.code(), Some(2), "{empty:?}");
}

#[test]
fn a_secret_that_is_too_short_stops_the_start_and_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    for (variable, value, word) in [
        ("SESSION_SECRET", "short-and-bad", "32 or more"),
        ("SESSION_TTL", "0", "seconds"),
        ("JPULSE__SESSIONS__MODE", "hybrid", "mongodb.uri"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_server"))
            .env_clear()
            .current_dir(folder.path())
            .env("LEPTOS_SITE_ROOT", folder.path())
            .env(variable, value)
            .output()
            .unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), line.lines().count()), (Some(2), 1), "{line}");
        assert!(line.contains(word) && line.contains("sessions.") && !line.contains("short-and-bad"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_told_of_himself_and_of_others_the_name() {
    let instance = Running::start(config(RedisConfig::default(), "0")).await;
    let admin = Visitor::log_in_as_admin(&instance).await;
    let status = admin.request(&instance, reqwest::Method::GET, "/api/1/auth/status", None).await;
    let body: serde_json::Value = status.json().await.unwrap();
    assert_eq!((&body["user"]["username"], &body["user"]["roles"]), (&json!("admin"), &json!(["admin"])));
    assert_eq!(body["user"]["id"].as_str().map(str::len), Some(24), "{body}");
    assert!(!body.to_string().contains("argon2"));
}
