//! A listening socket handed over as standard input, as systemd does.

use std::{
    net::{TcpListener, TcpStream},
    os::fd::OwnedFd,
    process::{Command, Stdio},
};

use super::{answers, until};

fn program(folder: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
    command
        .env_clear()
        .current_dir(folder)
        .env("LEPTOS_SITE_ROOT", folder)
        .env("JPULSE_DATA_DIR", folder.join("data"))
        .env("JPULSE__SERVER__LISTEN", "stdin")
        .stderr(Stdio::null());
    command
}

#[tokio::test]
async fn who_connects_before_the_program_starts_is_served_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asking = tokio::spawn(answers(address));
    let mut child = program(folder.path()).stdin(OwnedFd::from(listener)).spawn().unwrap();
    assert!(asking.await.unwrap());
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    until("it ends", async || child.try_wait().unwrap().is_some()).await;
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(TcpStream::connect(address).is_err(), "nobody has the socket any more");
}

#[test]
fn a_standard_input_that_is_no_socket_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let output = program(folder.path()).stdin(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(line.contains("server.listen") && line.trim_end().lines().count() == 1, "{line}");
}
