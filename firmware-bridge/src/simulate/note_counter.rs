//! A bulk note counter: an XFS4IoT service over WebSocket.
//!
//! This file owns the connections; what the counter answers is [`counter`]'s. One hopper: notes
//! told of while nobody counts stay in it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use super::{PlayError, Simulated};

mod counter;

use counter::Counter;

/// The counter; its connections end with it.
#[derive(Debug)]
pub struct NoteCounter {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<tokio::runtime::Runtime>,
}

#[derive(Debug, Default)]
struct Shared {
    counter: Mutex<Counter>,
    /// Notes were put in.
    fed: Notify,
    /// The cable was pulled.
    unplugged: Notify,
}

impl NoteCounter {
    /// Listens at `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be listened at.
    pub fn listen(address: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        // Its own threads, so that it lives beside whatever runs it.
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let url = format!("ws://{address}{SERVICE}");
        let counter = Mutex::new(Counter::at(url));
        let shared = Arc::new(Shared { counter, ..Shared::default() });
        let accepting = Arc::clone(&shared);
        let entered = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        drop(entered);
        runtime.spawn(async move {
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(converse(stream, Arc::clone(&accepting)));
                }
            }
        });
        Ok(Self { address, shared, runtime: Some(runtime) })
    }

    /// Breaks all connections; the counter itself stays as it is.
    pub fn unplug(&mut self) {
        self.shared.unplugged.notify_waiters();
    }
}

impl Drop for NoteCounter {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not waited for: this may run inside another runtime.
            runtime.shutdown_background();
        }
    }
}

impl Simulated for NoteCounter {
    fn address(&self) -> String {
        format!("ws://{}{SERVICE}", self.address)
    }

    fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        lock(&self.shared).put_in(command)?;
        self.shared.fed.notify_waiters();
        Ok(())
    }
}

/// One connection of a host.
async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    let Ok(mut socket) = accept_async(stream).await else { return };
    // The command that waits for notes on this connection.
    let mut awaiting = None;
    loop {
        let mut fed = std::pin::pin!(shared.fed.notified());
        // Registered before looking into the hopper: nothing put in meanwhile is missed.
        fed.as_mut().enable();
        let counted = awaiting.and_then(|request| lock(&shared).count(request));
        let answers = if let Some(answers) = counted {
            awaiting = None;
            answers
        } else {
            tokio::select! {
                () = shared.unplugged.notified() => return,
                () = fed => continue,
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => {
                        lock(&shared).command(&text, &mut awaiting)
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => continue,
                }
            }
        };
        for answer in answers {
            if socket.send(Message::text(answer)).await.is_err() {
                return;
            }
        }
    }
}

const SERVICE: &str = "/xfs4iot/v1.0/CashAcceptor";

fn lock(shared: &Shared) -> MutexGuard<'_, Counter> {
    shared.counter.lock().unwrap_or_else(PoisonError::into_inner)
}
