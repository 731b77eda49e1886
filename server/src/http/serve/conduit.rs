//! The bytes of one connection, with an eye on what passes.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

use super::{
    heads::Heads,
    refusal::{FirstLine, instead_of},
    slots::{Guest, Slot},
};

/// How long a client may take nothing of what is written to it. Longer than a socket may leave a ping
/// unanswered: a browser that is slow with messages is told so before.
const TAKEN_WITHIN: Duration = Duration::from_secs(75);

/// A connection that notices ambiguous heads and gives up on a client that takes nothing.
pub(super) struct Conduit {
    stream: TcpStream,
    heads: Heads,
    /// Set for good when a head was ambiguous.
    is_ambiguous: Arc<AtomicBool>,
    /// Until the first answer: what it may have to be replaced by.
    first: Option<Box<FirstAnswer>>,
    /// Runs while the client takes nothing.
    patience: Option<Pin<Box<Sleep>>>,
    /// Given back when the connection ends, also one that became a socket.
    _slot: Slot,
}

/// The first answer of a connection, which may be hyper's own.
struct FirstAnswer {
    guest: Guest,
    line: FirstLine,
    /// What is written in place of it, and how much of that was.
    replacement: Option<(Vec<u8>, usize)>,
}

impl Conduit {
    pub(super) fn new(stream: TcpStream, slot: Slot, head_bytes: usize) -> Self {
        let heads = Heads::new(head_bytes);
        let first = FirstAnswer { guest: slot.guest(), line: FirstLine::default(), replacement: None };
        let first = Some(Box::new(first));
        Self { stream, heads, is_ambiguous: Arc::default(), first, patience: None, _slot: slot }
    }

    /// Writes what replaces the first answer, if anything does; `None` when it is to be written as it is.
    fn poll_replaced(&mut self, context: &mut Context<'_>, answer: &[u8]) -> Option<Poll<io::Result<usize>>> {
        let first = self.first.as_deref_mut()?;
        if first.replacement.is_none() && !first.guest.was_served() {
            first.replacement = instead_of(answer, &first.line).map(|text| (text, 0));
        }
        let Some((text, written)) = &mut first.replacement else {
            self.first = None;
            return None;
        };
        while *written < text.len() {
            match Pin::new(&mut self.stream).poll_write(context, &text[*written..]) {
                Poll::Ready(Ok(0)) => return Some(Poll::Ready(Err(io::ErrorKind::WriteZero.into()))),
                Poll::Ready(Ok(count)) => *written += count,
                other => return Some(other),
            }
        }
        self.first = None;
        Some(Poll::Ready(Ok(answer.len())))
    }

    /// Whether a head of this connection could be read in two ways.
    pub(super) fn ambiguity(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_ambiguous)
    }

    /// Hands on what became of a write, unless nothing was taken for too long.
    fn patiently<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.patience = None;
            return written;
        }
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(TAKEN_WITHIN)));
        ready!(patience.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Conduit {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let came = &buffer.filled()[before..];
        if let Some(first) = &mut self.first {
            first.line.note(came);
        }
        if self.heads.are_ambiguous(came) {
            self.is_ambiguous.store(true, Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Conduit {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let replaced = self.poll_replaced(context, bytes);
        let written = replaced.unwrap_or_else(|| Pin::new(&mut self.stream).poll_write(context, bytes));
        self.patiently(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = slices.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| slice);
        let replaced = self.poll_replaced(context, first);
        let written = replaced.unwrap_or_else(|| Pin::new(&mut self.stream).poll_write_vectored(context, slices));
        self.patiently(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
