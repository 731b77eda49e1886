//! A TCP proxy that stands between two programs and spoils what passes, as a network does.
//!
//! What it does is set while it runs: [`Proxy::set`] says how bytes travel from now on, the other
//! methods do something to the connections there are now. Everything ends with the value.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep_until},
};

/// Bytes of one piece on its way.
const PIECE_BYTES: usize = 16 * 1024;
/// Pieces on their way in one direction of one connection; with more, the sender is not read.
const PIECES: usize = 64;

/// How bytes travel in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// At once.
    #[default]
    Forward,
    /// Each so much later, in order.
    Delay(Duration),
    /// Taken, and never delivered. A connection that lost bytes so is reset when the way changes: what
    /// came behind the loss would be nonsense.
    Swallow,
}

/// How the proxy treats what passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// From the client to the server.
    pub to_server: Way,
    /// From the server to the client.
    pub to_client: Way,
    /// New connections are closed at once, as if the server were gone.
    pub refuses: bool,
}

impl Rule {
    /// Bytes travel the same way in both directions.
    pub fn both(way: Way) -> Self {
        Self { to_server: way, to_client: way, refuses: false }
    }

    /// No new connection.
    pub fn refuse() -> Self {
        Self { refuses: true, ..Self::default() }
    }
}

/// A direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What the client says.
    ToServer,
    /// What the server says.
    ToClient,
}

/// What is done once to all connections of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Cut,
    Reset,
    HalfClose(Direction),
}

/// Listens on a free port of its own and connects to one server.
pub struct Proxy {
    address: SocketAddr,
    rule: watch::Sender<Rule>,
    /// Counts orders, so that each connection sees the latest once; two given in one breath are one.
    order: watch::Sender<(u64, Order)>,
    connections: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Proxy {
    /// Starts one that forwards to `server`, which need not be there yet.
    ///
    /// # Errors
    ///
    /// When there is no free port.
    pub async fn start(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let rule = watch::Sender::new(Rule::default());
        let order = watch::Sender::new((0, Order::Cut));
        let connections = Arc::new(AtomicUsize::new(0));
        let shared =
            Shared { server, rule: rule.subscribe(), order: order.subscribe(), open: Arc::clone(&connections) };
        let serving = tokio::spawn(serve(listener, shared));
        Ok(Self { address, rule, order, connections, serving })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections open now.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// From now on, for the connections there are and those to come.
    pub fn set(&self, rule: Rule) {
        self.rule.send_replace(rule);
    }

    /// Ends the connections there are, politely on both sides.
    pub fn cut(&self) {
        self.order(Order::Cut);
    }

    /// Ends the connections there are with a reset on both sides: what was on its way is gone.
    pub fn reset(&self) {
        self.order(Order::Reset);
    }

    /// Tells the receiver of one direction that no more will come; the other direction lives.
    pub fn half_close(&self, direction: Direction) {
        self.order(Order::HalfClose(direction));
    }

    fn order(&self, order: Order) {
        self.order.send_modify(|(count, latest)| {
            *count += 1;
            *latest = order;
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[derive(Clone)]
struct Shared {
    server: SocketAddr,
    rule: watch::Receiver<Rule>,
    order: watch::Receiver<(u64, Order)>,
    open: Arc<AtomicUsize>,
}

/// Accepts until it is aborted; the connections end with it.
async fn serve(listener: TcpListener, shared: Shared) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted && !shared.rule.borrow().refuses {
                    let mut shared = shared.clone();
                    shared.order.mark_unchanged();
                    connections.spawn(carry(client, shared));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Counted while it lives.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn carry(mut client: TcpStream, shared: Shared) {
    let Shared { server, rule, order, open } = shared;
    open.fetch_add(1, Ordering::Relaxed);
    let _counted = Counted(open);
    let Ok(mut server) = TcpStream::connect(server).await else {
        // Nobody is there: that is what the client is to feel.
        let _ = client.set_zero_linger();
        return;
    };
    // Small pieces are wanted as they come; without it they come late, no more.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let is_clean = {
        let ((client_read, client_write), (server_read, server_write)) = (client.split(), server.split());
        let up = pump(client_read, server_write, Direction::ToServer, rule.clone(), order.clone());
        let down = pump(server_read, client_write, Direction::ToClient, rule, order.clone());
        tokio::select! {
            carried = async { tokio::try_join!(up, down) } => carried.is_ok(),
            is_clean = ended(order) => is_clean,
        }
    };
    if !is_clean {
        // Dropped like this, a socket says RST.
        let _ = (client.set_zero_linger(), server.set_zero_linger());
    }
}

/// Waits for an order that ends the connection; whether politely.
async fn ended(mut order: watch::Receiver<(u64, Order)>) -> bool {
    while order.changed().await.is_ok() {
        match order.borrow_and_update().1 {
            Order::Cut => return true,
            Order::Reset => return false,
            Order::HalfClose(_) => {}
        }
    }
    true
}

/// Carries one direction until the sender has said all or the direction is closed by order.
///
/// # Errors
///
/// When a side is gone, or bytes were swallowed that are missed from now on.
async fn pump(
    from: ReadHalf<'_>,
    to: WriteHalf<'_>,
    direction: Direction,
    rule: watch::Receiver<Rule>,
    order: watch::Receiver<(u64, Order)>,
) -> io::Result<()> {
    let (pieces, due) = mpsc::channel(PIECES);
    let taking = async {
        tokio::select! {
            taken = take(from, pieces, direction, rule) => taken,
            () = closed(order, direction) => Ok(()),
        }
    };
    tokio::try_join!(taking, give(to, due)).map(|_| ())
}

/// Reads, and puts pieces on their way. Dropped or done, it tells the writer that there are no more.
async fn take(
    mut from: ReadHalf<'_>,
    pieces: mpsc::Sender<(Instant, Vec<u8>)>,
    direction: Direction,
    mut rule: watch::Receiver<Rule>,
) -> io::Result<()> {
    let mut has_swallowed = false;
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        let way = way(&rule.borrow_and_update(), direction);
        if has_swallowed && way != Way::Swallow {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let count = tokio::select! {
            count = from.read(&mut buffer) => count?,
            Ok(()) = rule.changed() => continue,
        };
        let pause = match way {
            Way::Forward => Duration::ZERO,
            Way::Delay(pause) => pause,
            Way::Swallow => {
                if count == 0 {
                    // Not even the end gets through.
                    while way_now(&rule, direction) == Way::Swallow && rule.changed().await.is_ok() {}
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
                has_swallowed = true;
                continue;
            }
        };
        if count == 0 || pieces.send((Instant::now() + pause, buffer[..count].to_vec())).await.is_err() {
            return Ok(());
        }
    }
}

/// Writes each piece when its time has come, then the end.
async fn give(mut to: WriteHalf<'_>, mut due: mpsc::Receiver<(Instant, Vec<u8>)>) -> io::Result<()> {
    while let Some((moment, piece)) = due.recv().await {
        sleep_until(moment).await;
        to.write_all(&piece).await?;
    }
    to.shutdown().await
}

/// Waits for an order that closes this direction.
async fn closed(mut order: watch::Receiver<(u64, Order)>, direction: Direction) {
    while order.changed().await.is_ok() {
        if order.borrow_and_update().1 == Order::HalfClose(direction) {
            return;
        }
    }
    // The proxy has ended, and so will this.
    std::future::pending::<()>().await;
}

fn way(rule: &Rule, direction: Direction) -> Way {
    match direction {
        Direction::ToServer => rule.to_server,
        Direction::ToClient => rule.to_client,
    }
}

fn way_now(rule: &watch::Receiver<Rule>, direction: Direction) -> Way {
    way(&rule.borrow(), direction)
}
