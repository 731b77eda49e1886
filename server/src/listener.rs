//! The socket an instance takes connections from: opened here, or handed over by whoever started the process.
//!
//! A socket that is handed over stays open while processes come and go: who connects meanwhile waits in the
//! system's queue for the next one, and is refused by none.

use std::{
    fs::File,
    io,
    net::{SocketAddr, TcpListener as StdListener},
    os::fd::AsFd,
};

use thiserror::Error;
use tokio::net::TcpListener;

use crate::config::{Listen, ServerConfig};

/// Why there is no socket; one line with the cure.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}; set PORT to a free port")]
    Address {
        /// What was tried.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// Nobody handed one over.
    #[error(
        "configuration: server.listen is \"stdin\": allowed is that when standard input is a listening socket ({0})"
    )]
    Inherited(#[source] io::Error),
}

/// The socket of this configuration.
///
/// # Errors
///
/// When the address cannot be had, or standard input is not what it should be.
pub async fn open(config: &ServerConfig) -> Result<TcpListener, ListenError> {
    match config.listen {
        Listen::Port => bind(SocketAddr::new(config.host, config.port)).await,
        Listen::Stdin => inherit().map_err(ListenError::Inherited),
    }
}

/// Opens a socket at an address.
///
/// # Errors
///
/// When it is taken or not ours.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| ListenError::Address { address, source })
}

/// Takes what stands behind standard input, and nothing stays behind there: once this process closes the socket,
/// it holds none.
fn inherit() -> io::Result<TcpListener> {
    let listener = StdListener::from(io::stdin().as_fd().try_clone_to_owned()?);
    listener.local_addr()?;
    listener.set_nonblocking(true)?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    TcpListener::from_std(listener)
}
