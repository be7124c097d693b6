//! A WebSocket, over TCP or TLS: the connections of a simulated service.
//!
//! This file owns connections and their faults; what is answered is the service's.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::PlayError;
use super::knobs::{Knobs, Line};

/// What a service with a certificate shows, as PEM files.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Its certificate, and those up to its authority.
    pub chain: PathBuf,
    /// The certificate's key.
    pub key: PathBuf,
}

/// What is answered.
pub(super) trait Service: Send + 'static {
    /// Answers a message; a command that waits is left in `awaiting`.
    fn command(&mut self, text: &str, awaiting: &mut Option<i64>) -> Vec<String>;

    /// Answers the command that waits, if it is time.
    fn ready(&mut self, request: i64) -> Option<Vec<String>>;

    /// Says what nobody asked for, once.
    fn unasked(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// A service and its connections, which end with it.
#[derive(Debug)]
pub(super) struct Served<S> {
    address: SocketAddr,
    shared: Arc<Shared<S>>,
    runtime: Option<tokio::runtime::Runtime>,
}

#[derive(Debug)]
struct Shared<S> {
    service: Mutex<S>,
    knobs: Mutex<Knobs>,
    /// Something happened at the device.
    happened: Notify,
    /// The cable was pulled, and how often.
    unplugged: Notify,
    pulls: AtomicU64,
    /// It is not back yet.
    pulled: AtomicBool,
}

impl<S: Service> Served<S> {
    /// Serves at `address`, port 0 takes a free one; `service` is told where.
    pub(super) fn listen(
        address: SocketAddr,
        certificate: Option<&Certificate>,
        service: impl FnOnce(SocketAddr) -> S,
    ) -> io::Result<Self> {
        let acceptor = certificate.map(acceptor).transpose()?;
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        // Its own threads, so that it lives beside whatever runs it.
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let shared = Arc::new(Shared {
            service: Mutex::new(service(address)),
            knobs: Mutex::default(),
            happened: Notify::new(),
            unplugged: Notify::new(),
            pulls: AtomicU64::new(0),
            pulled: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        let entered = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        drop(entered);
        runtime.spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                // Counted before the host can know that it is connected: a pull right after is seen.
                let pulls = accepting.pulls.load(Ordering::SeqCst);
                if accepting.pulled.load(Ordering::SeqCst) {
                    continue;
                }
                tokio::spawn(welcome(stream, acceptor.clone(), Arc::clone(&accepting), pulls));
            }
        });
        Ok(Self { address, shared, runtime: Some(runtime) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The service, to tell it what happens; its connections look again afterwards.
    pub(super) fn happens<T>(&self, what: impl FnOnce(&mut S) -> T) -> T {
        let told = what(&mut locked(&self.shared.service));
        self.shared.happened.notify_waiters();
        told
    }
}

impl<S> Line for Served<S> {
    fn turn(&self, command: &Value) -> Result<bool, PlayError> {
        locked(&self.shared.knobs).turn(command)
    }

    fn unplug(&self, pause: Duration) -> Result<(), PlayError> {
        self.shared.pulled.store(true, Ordering::SeqCst);
        self.shared.pulls.fetch_add(1, Ordering::SeqCst);
        self.shared.unplugged.notify_waiters();
        std::thread::sleep(pause);
        self.shared.pulled.store(false, Ordering::SeqCst);
        Ok(())
    }
}

impl<S> Drop for Served<S> {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not waited for: this may run inside another runtime.
            runtime.shutdown_background();
        }
    }
}

async fn welcome<S: Service>(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    shared: Arc<Shared<S>>,
    pulls: u64,
) {
    match acceptor {
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await
                && let Ok(socket) = accept_async(stream).await
            {
                converse(socket, shared, pulls).await;
            }
        }
        None => {
            if let Ok(socket) = accept_async(stream).await {
                converse(socket, shared, pulls).await;
            }
        }
    }
}

/// One connection of a host, taken when the cable had been pulled so often.
async fn converse<S: Service>(
    mut socket: WebSocketStream<impl AsyncRead + AsyncWrite + Unpin>,
    shared: Arc<Shared<S>>,
    pulls: u64,
) {
    // The command that waits on this connection.
    let mut awaiting = None;
    loop {
        let mut happened = std::pin::pin!(shared.happened.notified());
        let mut unplugged = std::pin::pin!(shared.unplugged.notified());
        // Registered before looking: nothing that happens meanwhile is missed.
        happened.as_mut().enable();
        unplugged.as_mut().enable();
        if shared.pulls.load(Ordering::SeqCst) != pulls {
            return;
        }
        let mut answers = locked(&shared.service).unasked();
        let ready = awaiting.and_then(|request| locked(&shared.service).ready(request));
        if let Some(ready) = ready {
            awaiting = None;
            answers.extend(ready);
        }
        if answers.is_empty() {
            tokio::select! {
                () = unplugged => return,
                () = happened => continue,
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => {
                        let echo = locked(&shared.knobs).echo(text.as_bytes()).to_vec();
                        if !echo.is_empty() && socket.send(Message::text(text.clone())).await.is_err() {
                            return;
                        }
                        answers = locked(&shared.service).command(&text, &mut awaiting);
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => continue,
                }
            }
        }
        for answer in answers {
            if say(&mut socket, &shared, &answer).await.is_err() {
                return;
            }
        }
    }
}

/// Sends one message, as far as the knobs let it through.
async fn say<S>(
    socket: &mut WebSocketStream<impl AsyncRead + AsyncWrite + Unpin>,
    shared: &Shared<S>,
    text: &str,
) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    let delay = locked(&shared.knobs).delay();
    sleep(delay).await;
    let (bytes, length) = {
        let bytes = locked(&shared.knobs).through(text.as_bytes());
        let length = text.len().max(1);
        (bytes, length)
    };
    // Said twice, it is two messages.
    for part in bytes.chunks(length) {
        socket.send(Message::text(String::from_utf8_lossy(part).into_owned())).await?;
    }
    Ok(())
}

fn acceptor(certificate: &Certificate) -> io::Result<TlsAcceptor> {
    let unusable = |file: &PathBuf, why: &dyn std::fmt::Display| {
        io::Error::other(format!("{} cannot be used: {why}", file.display()))
    };
    let chain = CertificateDer::pem_file_iter(&certificate.chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(&certificate.chain, &error))?;
    let key = PrivateKeyDer::from_pem_file(&certificate.key)
        .map_err(|error| unusable(&certificate.key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let configuration = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| unusable(&certificate.chain, &error))?;
    Ok(TlsAcceptor::from(Arc::new(configuration)))
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
