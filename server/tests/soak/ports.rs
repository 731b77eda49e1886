//! Ports for servers that come back to where they were.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

/// Below those the operating system gives to clients: a port is free while its server is being restarted,
/// and must not become the end of somebody's connection meanwhile.
///
/// Source: `net.ipv4.ip_local_port_range` begins with 32,768 on Linux.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// A port nobody listens on now, and that was not given out before.
pub fn free() -> io::Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Several runs on one machine begin at different places.
    let begin = u16::try_from(std::process::id() % u32::from(RANGE.end - RANGE.start)).unwrap_or_default();
    for _ in RANGE {
        let step = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % (RANGE.end - RANGE.start);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, RANGE.start + step)).is_ok() {
            return Ok(RANGE.start + step);
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}
