//! The shell in which a page's commands are run, and the servers they talk to.

use std::{
    fs,
    os::unix::fs::symlink,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

use super::{
    super::kit::{free_port, program::Program, redis::Redis},
    repository,
};

/// What pages may call besides the programs of every system, and how a line tells what it must say.
const PRELUDE: &str = include_str!("prelude.sh");
/// Of the user `admin`, wherever a page signs in.
const ADMIN_PASSWORD: &str = "of the documentation";
/// One for all instances.
const SECRET: &str = "a secret of the documentation, long enough";
/// How long the commands of one page may take.
const WITHIN_SECONDS: &str = "90";

/// Servers on free ports, where a page says 6379, 8080 and 8081. What the page starts itself is not there before.
pub struct Session {
    folder: TempDir,
    ports: Vec<(&'static str, String)>,
    redis_port: u16,
    _servers: (Option<Redis>, Vec<Program>),
}

impl Session {
    /// Everything a page with these commands needs.
    pub async fn start(commands: &str) -> Self {
        let redis = (!starts(commands, "redis-server")).then(Redis::start);
        let redis_port = redis.as_ref().map_or_else(free_port, |redis| redis.port);
        let redis_text = redis_port.to_string();
        let mut programs = Vec::new();
        let mut ports = vec![("6379", redis_text.clone())];
        for (port, instance) in [("8080", "0"), ("8081", "1")] {
            let taken = if starts(commands, "server") {
                free_port()
            } else {
                let program = Program::start(&[
                    ("JPULSE_INSTANCE", instance),
                    ("JPULSE_ADMIN_PASSWORD", ADMIN_PASSWORD),
                    ("SESSION_SECRET", SECRET),
                    ("REDIS_HOST", "127.0.0.1"),
                    ("REDIS_PORT", &redis_text),
                ])
                .await;
                let port = program.address.port();
                programs.push(program);
                port
            };
            ports.push((port, taken.to_string()));
        }
        let folder = tempfile::tempdir().unwrap();
        for name in ["bin", "site"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        symlink(env!("CARGO_BIN_EXE_server"), folder.path().join("bin/server")).unwrap();
        Self { folder, ports, redis_port, _servers: (redis, programs) }
    }

    /// Runs the commands; all they said.
    pub async fn run(&self, commands: &str) -> Output {
        // In two steps: a free port may hold the digits of another.
        let mut script = format!("{PRELUDE}\n{commands}");
        for (said, _) in &self.ports {
            script = script.replace(said, &format!("<{said}>"));
        }
        for (said, taken) in &self.ports {
            script = script.replace(&format!("<{said}>"), taken);
        }
        let folder = self.folder.path();
        fs::write(folder.join("commands.sh"), script).unwrap();
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=5", WITHIN_SECONDS, "bash", "commands.sh"])
            .env_clear()
            .current_dir(folder)
            .env("PATH", format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap()))
            .env("HOME", folder)
            .env("CHECKOUT", repository::root())
            .env("LEPTOS_SITE_ROOT", folder.join("site"))
            .env("OUR_REDIS_PORT", self.redis_port.to_string())
            .env("JPULSE_ADMIN_PASSWORD", ADMIN_PASSWORD)
            .env("SESSION_SECRET", SECRET)
            .stdin(Stdio::null());
        tokio::task::spawn_blocking(move || command.output().expect("bash")).await.unwrap()
    }
}

/// Whether a line begins with the program, behind variables, and without a word that makes it do something else
/// than to serve.
fn starts(commands: &str, program: &str) -> bool {
    commands.lines().any(|line| {
        let mut words = line.split_whitespace().skip_while(|word| word.contains('='));
        words.next() == Some(program) && line.trim_end().ends_with('&')
    })
}
