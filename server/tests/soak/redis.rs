//! A Redis of the run's own, which can be killed with and without its memory.

use std::{
    cell::RefCell,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};
use wire::Message;

use super::{error::SoakError, ports, process::Process};

/// How long a server may take to get ready.
pub const READY_WITHIN: Duration = Duration::from_secs(30);

/// Where Redis keeps its file, in its folder.
const WRITTEN: &str = "appendonlydir";

/// Writes everything it does to a file before it tells anybody, so that a kill takes nothing that was
/// answered: what the operating system holds survives a process.
pub struct Redis {
    address: SocketAddr,
    folder: PathBuf,
    process: RefCell<Option<Process>>,
}

impl Redis {
    /// Starts one and waits until it answers.
    pub async fn start(folder: PathBuf) -> Result<Self, SoakError> {
        fs::create_dir_all(&folder)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()?));
        let redis = Self { address, folder, process: RefCell::default() };
        redis.run().await?;
        Ok(redis)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts it, with whatever it left when it was killed.
    pub async fn run(&self) -> Result<(), SoakError> {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.address.port().to_string(), "--save", ""])
            .args(["--appendonly", "yes", "--appendfsync", "no", "--auto-aof-rewrite-percentage", "0"])
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|source| SoakError::Start { program: "redis-server".into(), source })?;
        self.process.replace(Some(Process::new(child)));
        let answering = async {
            while !self.has_ended() {
                if self.answers().await.unwrap_or(false) {
                    return true;
                }
                sleep(Duration::from_millis(20)).await;
            }
            false
        };
        match timeout(READY_WITHIN, answering).await {
            Ok(true) => Ok(()),
            _ => Err(SoakError::NotReady("redis-server".into())),
        }
    }

    /// Kills it, as a crash would.
    pub fn kill(&self) {
        self.process.take();
    }

    /// Every message it ever logged, in the order it did, but for what [`Redis::empty`] took away: read
    /// from its file, which holds what its memory has long forgotten.
    pub fn logged(&self) -> Result<Vec<Message>, SoakError> {
        let mut files = Vec::new();
        for file in fs::read_dir(self.folder.join(WRITTEN))? {
            files.push(file?.path());
        }
        files.retain(|path| path.to_string_lossy().ends_with(".incr.aof"));
        files.sort();
        let mut messages = Vec::new();
        for file in files {
            // Commands and their arguments, each on a line of its own; a message is one of them.
            let bytes = fs::read(file)?;
            messages.extend(bytes.split(|byte| *byte == b'\n').filter_map(|line| Message::parse(line).ok()));
        }
        Ok(messages)
    }

    /// Takes away what a killed one left.
    pub fn empty(&self) -> Result<(), SoakError> {
        let written = self.folder.join(WRITTEN);
        if written.exists() {
            fs::remove_dir_all(written)?;
        }
        Ok(())
    }

    /// Lets it hang.
    pub fn pause(&self) -> Result<(), SoakError> {
        self.process.borrow_mut().as_mut().map_or(Ok(()), |process| Ok(process.pause()?))
    }

    /// Lets it go on.
    pub fn resume(&self) -> Result<(), SoakError> {
        self.process.borrow_mut().as_mut().map_or(Ok(()), |process| Ok(process.resume()?))
    }

    /// Sends one inline command; the answer, as it comes.
    pub async fn command(&self, line: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        let mut answer = vec![0; 64 * 1024];
        let length = timeout(READY_WITHIN, stream.read(&mut answer)).await.map_err(std::io::Error::other)??;
        Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
    }

    fn has_ended(&self) -> bool {
        self.process.borrow_mut().as_mut().is_none_or(Process::has_ended)
    }

    async fn answers(&self) -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(b"PING\r\n").await?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await?;
        Ok(&answer == b"+PONG")
    }
}
