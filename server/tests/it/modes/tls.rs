//! Encrypted connections, and who may make them.

use std::{path::Path, process::Command};

use super::{
    super::kit::{free_port, redis::Redis},
    BACK_WITHIN, NEWS, instance, pair, publish, wait_until_linked,
};

/// Makes an authority, and a certificate of it for this host, in `folder`.
fn make_certificates(folder: &Path) {
    std::fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n").unwrap();
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let authority = ["-x509", "-days", "2", "-subj", "/CN=it authority", "-keyout", "ca.key", "-out", "ca.crt"];
    openssl(folder, &[&["req"], &key[..], &authority].concat());
    openssl(
        folder,
        &[&["req"], &key[..], &["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"]].concat(),
    );
    let signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
    openssl(folder, &[&["x509", "-req", "-in", "server.csr", "-out", "server.crt"], &signed[..]].concat());
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().expect("openssl is on PATH");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A Redis that takes encrypted connections on a second port, from user `site` only.
fn start(folder: &Path, tls_port: u16) -> Redis {
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let redis = Redis::start_with(&[
        "--tls-port",
        &tls_port.to_string(),
        "--tls-cert-file",
        &file("server.crt"),
        "--tls-key-file",
        &file("server.key"),
        "--tls-ca-cert-file",
        &file("ca.crt"),
        "--tls-auth-clients",
        "no",
        "--requirepass",
        "operator-secret",
    ]);
    assert!(redis.command("ACL SETUSER site on >site-secret ~jpulse:* &jpulse:* +@all -@admin").starts_with("+OK"));
    redis
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_talk_over_encrypted_connections_as_a_user_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    make_certificates(folder.path());
    let tls_port = free_port();
    let redis = start(folder.path(), tls_port);
    let mut config = redis.config();
    config.single.port = tls_port;
    config.username = "site".into();
    config.password = "site-secret".into();
    config.tls = true;
    config.ca_file = folder.path().join("ca.crt");
    for host in ["127.0.0.1", "localhost"] {
        config.single.host = host.into();
        let both = pair(&config).await;
        let [left, right] = &both;
        let mut browser = right.open_browser().await;
        browser.subscribe(NEWS).await;
        // Which this user of Redis may not hear: it must cost nobody the link.
        browser.subscribe("view:it:*").await;
        let receipt = publish(left, 1).await;
        assert!(receipt.get("fallback").is_none(), "{receipt}");
        assert_eq!(browser.next_data().await["number"], 1);
        redis.command("CLIENT KILL TYPE pubsub");
        wait_until_linked(&both, BACK_WITHIN).await;
    }
    // Who is not trusted gets nothing: neither a server of an unknown authority, nor a wrong password.
    let strangers = tempfile::tempdir().unwrap();
    make_certificates(strangers.path());
    let mut untrusting = config.clone();
    untrusting.ca_file = strangers.path().join("ca.crt");
    let mut wrong = config.clone();
    wrong.password = "wrong".into();
    let mut plain = config;
    plain.tls = false;
    plain.ca_file = Path::new("").into();
    for (number, config) in [("2", untrusting), ("3", wrong), ("4", plain)] {
        let alone = instance(config, number).await;
        assert_eq!(publish(&alone, 2).await["fallback"], true, "{number}");
    }
}
