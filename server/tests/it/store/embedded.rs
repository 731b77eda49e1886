//! The contract over the embedded store, and what becomes of its file.

use std::{
    fs,
    future::Future,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use app::ports::StoreError;
use server::store::{OpenError, Store};
use tempfile::TempDir;

use super::{all, contract, silent, stats, title};

contract!(with_embedded);

/// Runs `test` on a fresh file.
async fn with_embedded<F: Future<Output = ()>>(test: impl FnOnce(Store) -> F) {
    let data = TempDir::new().unwrap();
    test(Store::embedded(&data.path().join("made/when/missing")).await.unwrap()).await;
}

#[tokio::test]
async fn documents_survive_a_restart() {
    let data = TempDir::new().unwrap();
    let store = Store::embedded(data.path()).await.unwrap();
    let made = store.todos().create(&title("stays"), "guest", silent()).await.unwrap();
    store.close().await;
    let store = Store::embedded(data.path()).await.unwrap();
    assert_eq!(all(&*store.todos(), 20).await, [made]);
    assert_eq!(stats(&*store.todos()).await, (1, 0, 1));
}

#[tokio::test]
async fn whatever_was_answered_survives_a_kill() {
    let data = TempDir::new().unwrap();
    let (mut writer, mut answers) = start_writer(data.path(), "");
    let mut answered = Vec::new();
    let mut line = String::new();
    while answered.len() < 25 {
        line.clear();
        assert!(answers.read_line(&mut line).unwrap() > 0, "the writer ended: {answered:?}");
        answered.extend(line.strip_prefix("created ").map(|id| id.trim().to_owned()));
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    let store = Store::embedded(data.path()).await.unwrap();
    let kept = all(&*store.todos(), 100).await;
    for id in &answered {
        assert!(kept.iter().any(|todo| todo.id == *id), "{id} was answered and is lost");
    }
    let total = u64::try_from(kept.len()).unwrap();
    assert_eq!(stats(&*store.todos()).await, (total, 0, total));
}

#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing_and_recovers() {
    let data = TempDir::new().unwrap();
    // A limit on the size of files stands in for the disk: the system refuses to write in the same way.
    let (mut writer, mut answers) = start_writer(data.path(), "trap '' XFSZ; ulimit -S -f 4096;");
    let (mut created, mut line) = (0, String::new());
    let refused = loop {
        line.clear();
        assert!(answers.read_line(&mut line).unwrap() > 0, "the writer ended");
        match line.split_once(' ') {
            Some(("created", _)) => created += 1,
            Some(("refused", why)) => break why.trim().to_owned(),
            _ => {}
        }
    };
    assert!(refused.contains("jpulse.redb") && refused.contains("free some space"), "{refused}");
    assert!(refused.ends_with(&format!("still {created} to read")), "{refused} after {created}");
    let pid = writer.id().to_string();
    assert!(Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited:"]).status().unwrap().success());
    while !line.starts_with("created ") {
        line.clear();
        assert!(answers.read_line(&mut line).unwrap() > 0, "the writer ended");
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    let store = Store::embedded(data.path()).await.unwrap();
    let kept = all(&*store.todos(), 100).await;
    assert!(kept.len() > created, "{} of {created} and one more are there", kept.len());
}

#[tokio::test]
async fn a_second_opener_is_told_who_has_the_file_and_what_to_do() {
    let data = TempDir::new().unwrap();
    let first = Store::embedded(data.path()).await.unwrap();
    let error = refused(data.path()).await;
    assert!(matches!(error, OpenError::Locked { .. }), "{error:?}");
    assert_clear(&error, &["jpulse.redb", "another process", "JPULSE_DATA_DIR"]);
    first.todos().create(&title("undisturbed"), "guest", silent()).await.unwrap();
    first.close().await;
    Store::embedded(data.path()).await.unwrap();
}

#[tokio::test]
async fn an_unusable_directory_is_named_with_its_cure() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("a-file");
    fs::write(&file, "not a directory").unwrap();
    assert_clear(&refused(&file.join("data")).await, &["a-file/data", "JPULSE_DATA_DIR"]);
    fs::create_dir(data.path().join("jpulse.redb")).unwrap();
    assert_clear(&refused(data.path()).await, &["jpulse.redb"]);
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_left_as_it_is() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("jpulse.redb");
    let store = Store::embedded(data.path()).await.unwrap();
    for n in 0..200 {
        store.todos().create(&title(&format!("{n}")), "guest", silent()).await.unwrap();
    }
    store.close().await;
    let whole = fs::read(&file).unwrap();
    let page = |n: usize| n * 4096..(n + 1) * 4096;
    let damaged = [
        b"this is a letter, not a store".to_vec(),
        whole[..whole.len() / 3].to_vec(),
        [&vec![0xff; 4096], &whole[4096..]].concat(),
    ];
    for bytes in damaged {
        fs::write(&file, &bytes).unwrap();
        let error = refused(data.path()).await;
        assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
        assert_clear(&error, &["jpulse.redb", "backup"]);
        assert_eq!(fs::read(&file).unwrap(), bytes, "a refused file is not touched");
    }
    // Any single page, used or free: refused, or every document is there.
    for n in 0..(whole.len() / 4096).min(96) {
        let mut bytes = whole.clone();
        bytes[page(n)].fill(0x5a);
        fs::write(&file, &bytes).unwrap();
        match Store::embedded(data.path()).await {
            Ok(store) => {
                assert_eq!(all(&*store.todos(), 100).await.len(), 200, "page {n}");
                store.close().await;
            }
            Err(error) => assert_clear(&error, &["jpulse.redb"]),
        }
    }
}

#[tokio::test]
async fn a_change_goes_through_though_nobody_waits_for_it() {
    let data = TempDir::new().unwrap();
    let store = Store::embedded(data.path()).await.unwrap();
    let todos = store.todos();
    let asking = tokio::spawn(async move { todos.create(&title("asked and left"), "guest", silent()).await });
    // Behind it in the queue, so that it is done when this one is.
    tokio::task::yield_now().await;
    asking.abort();
    store.todos().create(&title("stayed"), "guest", silent()).await.unwrap();
    let (total, ..) = stats(&*store.todos()).await;
    assert!((1..=2).contains(&total), "whole or not at all: {total}");
    assert!(matches!(store.todos().toggle("0123456789abcdef01234567", silent()).await, Err(StoreError::NotFound)));
}

async fn refused(data_dir: &Path) -> OpenError {
    Store::embedded(data_dir).await.err().expect("opening must be refused")
}

#[track_caller]
fn assert_clear(error: &OpenError, words: &[&str]) {
    let line = error.to_string();
    assert!(!line.contains('\n') && words.iter().all(|word| line.contains(word)), "{line}");
}

/// Starts this very program as a process that writes until it is killed: see [`write_for_ever`].
fn start_writer(data_dir: &Path, shell: &str) -> (Child, BufReader<ChildStdout>) {
    let mut writer = Command::new("bash")
        .args(["-c", &format!("{shell} exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "store::embedded::write_for_ever", "--nocapture"])
        .env("JPULSE_TEST_WRITE_TO", data_dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("bash");
    let answers = BufReader::new(writer.stdout.take().unwrap());
    (writer, answers)
}

/// Not a test: what [`start_writer`] runs.
#[tokio::test]
#[ignore = "runs until killed, for the tests that kill it"]
async fn write_for_ever() {
    let Some(data_dir) = std::env::var_os("JPULSE_TEST_WRITE_TO") else { return };
    let store = Store::embedded(data_dir.as_ref()).await.unwrap();
    let text = "x".repeat(200);
    loop {
        match store.todos().create(&title(&text), &text.repeat(40), silent()).await {
            Ok(todo) => println!("created {}", todo.id),
            Err(error) => {
                let readable = store.todos().list(1, None).await.unwrap().stats.total;
                println!("refused {error}; still {readable} to read");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}
