//! The way to a counter: WebSocket over TCP or TLS, at a known address or one that its service
//! publisher gives.
//!
//! Discovery (XFS4IoT, Service Publisher): each port of the standard is asked for its services,
//! each service for its capabilities; the first that accepts cash is the counter.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tidewaiter_codec::xfs4iot::{self, command};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::ANSWER;
use crate::configuration::DeviceConfig;
use crate::driver::session::Broken;

/// What a WebSocket runs over.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A connection to a counter.
pub(super) type Socket = WebSocketStream<Box<dyn Wire>>;

/// Connects to the device's counter.
pub(super) async fn connect(device: &DeviceConfig) -> Result<Socket, Broken> {
    match (&device.url, &device.discover) {
        (Some(url), _) => open(url, device, ANSWER).await,
        (_, Some(host)) => {
            let url = discover(host, device).await?;
            tracing::info!(device.id = device.id, url, "the counter was found");
            open(&url, device, ANSWER).await
        }
        _ => Err(Broken::Faulty("its configuration names no url".to_owned())),
    }
}

/// The address of the first service at a host that accepts cash.
async fn discover(host: &str, device: &DeviceConfig) -> Result<String, Broken> {
    let scheme = if device.ca.is_some() { "wss" } else { "ws" };
    let publishers: Vec<String> = match host.rsplit_once(':') {
        Some(_) => vec![format!("{scheme}://{host}{PUBLISHER}")],
        None => {
            PORTS.into_iter().map(|port| format!("{scheme}://{host}:{port}{PUBLISHER}")).collect()
        }
    };
    for publisher in publishers {
        let Ok(mut socket) = open(&publisher, device, GLANCE).await else { continue };
        let Some(told) = ask(&mut socket, "ServicePublisher.GetServices").await else { continue };
        let services = told.get("services").and_then(Value::as_array).into_iter().flatten();
        for service in services.filter_map(|service| service.get("serviceURI")?.as_str()) {
            let Ok(mut socket) = open(service, device, GLANCE).await else { continue };
            let capable = ask(&mut socket, "Common.Capabilities").await;
            if capable.is_some_and(|capable| accepts_cash(&capable)) {
                return Ok(service.to_owned());
            }
        }
    }
    Err(Broken::Gone(format!("no service at {host} accepts cash")))
}

/// By its list of interfaces, or by what it says of the interface itself.
fn accepts_cash(capable: &Value) -> bool {
    let interfaces = capable.get("interfaces").and_then(Value::as_array).into_iter().flatten();
    let named = interfaces.filter_map(|interface| interface.get("name")?.as_str());
    let mut named = named.chain(capable.get("cashAcceptor").map(|_| "CashAcceptor"));
    named.any(|name| name == "CashAcceptor")
}

/// The payload of a command's completion; `None` where it fails or takes too long.
async fn ask(socket: &mut Socket, name: &str) -> Option<Value> {
    let asked = Message::text(command(name, 1, &json!({})));
    timeout(GLANCE, async {
        socket.send(asked).await.ok()?;
        while let Some(Ok(message)) = socket.next().await {
            let Message::Text(text) = message else { continue };
            match xfs4iot::parse(&text) {
                Ok(xfs4iot::Message::Done { request: 1, payload, .. }) => return Some(payload),
                Ok(xfs4iot::Message::Failed { .. }) | Err(_) => return None,
                Ok(_) => {}
            }
        }
        None
    })
    .await
    .ok()
    .flatten()
}

/// Opens a WebSocket, through TLS where the address says so.
async fn open(url: &str, device: &DeviceConfig, patience: Duration) -> Result<Socket, Broken> {
    let unreachable =
        |why: &dyn std::fmt::Display| Broken::Gone(format!("{url} cannot be reached: {why}"));
    let request = url.into_client_request().map_err(|error| unreachable(&error))?;
    let (uri, secure) = (request.uri().clone(), request.uri().scheme_str() == Some("wss"));
    let host = uri.host().unwrap_or_default().to_owned();
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let limits =
        WebSocketConfig::default().max_message_size(Some(MESSAGE)).max_frame_size(Some(MESSAGE));
    let opened = timeout(patience, async {
        let stream =
            TcpStream::connect((host.as_str(), port)).await.map_err(|error| unreachable(&error))?;
        stream.set_nodelay(true).map_err(|error| unreachable(&error))?;
        let wire: Box<dyn Wire> = if secure {
            let name = ServerName::try_from(host.clone()).map_err(|error| unreachable(&error))?;
            let encrypted = tls(device)?.connect(name, stream).await;
            Box::new(encrypted.map_err(|error| unreachable(&error))?)
        } else {
            Box::new(stream)
        };
        let (socket, _) = client_async_with_config(request, wire, Some(limits))
            .await
            .map_err(|error| unreachable(&error))?;
        Ok(socket)
    });
    match opened.await {
        Ok(opened) => opened,
        Err(_) => Err(Broken::Gone(format!("{url} does not answer"))),
    }
}

/// Trusts the authority that the configuration names, and no other.
fn tls(device: &DeviceConfig) -> Result<TlsConnector, Broken> {
    let Some(file) = &device.ca else {
        return Err(Broken::Faulty("its configuration names no ca".to_owned()));
    };
    let unusable = |why: &dyn std::fmt::Display| {
        Broken::Faulty(format!("{} is no authority: {why}", file.display()))
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| unusable(&error))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let configuration = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(configuration)))
}

/// Ports of the standard's service publishers.
const PORTS: [u16; 13] =
    [80, 443, 5846, 5847, 5848, 5849, 5850, 5851, 5852, 5853, 5854, 5855, 5856];
const PUBLISHER: &str = "/xfs4iot/v1.0/";
/// Most ports of a host have nobody.
const GLANCE: Duration = Duration::from_secs(2);
/// A table of note types is a few tens of kilobytes.
const MESSAGE: usize = 1024 * 1024;
