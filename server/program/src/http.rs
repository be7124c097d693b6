//! Serving HTTP until the program stops.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves a router until `stop`; what is still open then has a moment to end.
///
/// # Errors
/// Only when no connection can be accepted any more.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> std::io::Result<()> {
    // Who asks from where: the door counts by it.
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service)
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    let last_call = async {
        stop.cancelled().await;
        tokio::time::sleep(LAST_CALL).await;
    };
    tokio::select! {
        served = served => served,
        () = last_call => Ok(()),
    }
}

/// What the interface says is for the one who asked, now.
#[expect(clippy::unused_async, reason = "a layer of the router must be async")]
pub async fn no_store(mut response: Response) -> Response {
    let value = HeaderValue::from_static("no-store");
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(value);
    response
}

const LAST_CALL: Duration = Duration::from_millis(800);
