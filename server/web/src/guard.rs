//! What stands around every page and interface, of station, server and headquarters alike: headers
//! that keep a page to itself, refusing what other sites post, how often an address may ask, and
//! which bodies are taken at all.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http_body_util::Limited;

mod rate;

pub use rate::Rate;

/// How often an address may ask, and how its address is known.
#[derive(Clone, Debug)]
pub struct Door {
    all: Rate,
    sign_in: Rate,
    /// Whether something in front speaks TLS and says who asks.
    behind_proxy: bool,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            all: Rate::new(2000, Duration::from_millis(5)),
            sign_in: Rate::new(60, Duration::from_secs(6)),
            behind_proxy: false,
        }
    }
}

impl Door {
    /// A door behind something that speaks TLS: the address is the last that it added to
    /// `X-Forwarded-For`, believed from this machine only.
    pub fn behind_proxy(behind_proxy: bool) -> Self {
        Self { behind_proxy, ..Self::default() }
    }

    /// The same with another limit on sign-in.
    #[must_use]
    pub fn with_sign_in(self, sign_in: Rate) -> Self {
        Self { sign_in, ..self }
    }

    fn address(&self, request: &Request) -> Option<IpAddr> {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>()?.0.ip();
        if !self.behind_proxy || !peer.is_loopback() {
            return Some(peer);
        }
        let said = request.headers().get_all("x-forwarded-for").iter().next_back();
        let last =
            said.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        Some(last.unwrap_or(peer))
    }
}

/// From where somebody asks, for the handlers.
#[derive(Clone, Copy, Debug)]
pub struct Address(pub IpAddr);

/// Puts the guard around a router.
pub fn protect<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    protect_with(router, Door::default())
}

/// The same with a door of its own.
pub fn protect_with<S: Clone + Send + Sync + 'static>(router: Router<S>, door: Door) -> Router<S> {
    router
        .layer(DefaultBodyLimit::max(UPLOAD_BYTES_MAX))
        .layer(middleware::from_fn_with_state(door, let_through))
        .layer(middleware::map_response(add_headers))
}

/// The largest body that a page or interface takes: forms and JSON. What is neither is refused
/// before it is read.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// The largest upload. Files are taken at paths that end in `/attachments` and nowhere else; who
/// keeps one looks at its content, not at its name, and serves it by [`crate::answer::file`].
pub const UPLOAD_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What a page may load: its own files, nothing inline, nothing from elsewhere.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; \
frame-ancestors 'none'";

async fn add_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

const HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=()",
    ),
    // Means nothing over plain HTTP; behind TLS it keeps a browser there.
    ("strict-transport-security", "max-age=31536000"),
];

async fn let_through(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let interface = request.uri().path().starts_with("/api/");
    let refuse = |status, why: &str| refusal(interface, status, why);
    if let Some(address) = door.address(&request) {
        let path = request.uri().path();
        let signs_in = request.method() == Method::POST && SIGN_IN.contains(&path);
        let (rate, now) = (if signs_in { &door.sign_in } else { &door.all }, Instant::now());
        if let Err(wait) = rate.take(address, now) {
            let mut response = refuse(StatusCode::TOO_MANY_REQUESTS, "this address asks too often");
            let seconds = wait.as_secs().saturating_add(1);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            return response;
        }
        request.extensions_mut().insert(Address(address));
    }
    if is_safe(request.method()) {
        return next.run(request).await;
    }
    if is_foreign(request.headers()) {
        return refuse(StatusCode::FORBIDDEN, "this request comes from another site");
    }
    let uploads = request.uri().path().ends_with("/attachments");
    if !is_taken(request.headers(), uploads) {
        let why = "a body is a form (application/x-www-form-urlencoded) or application/json";
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, why);
    }
    let most = if uploads { UPLOAD_BYTES_MAX } else { BODY_BYTES_MAX };
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > most) {
        let why = format!("a body has {most} bytes at most");
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, &why);
    }
    // A body that does not say how long it is ends there too.
    next.run(request.map(|body| Body::new(Limited::new(body, most)))).await
}

/// A refusal before any handler: a problem document (RFC 9457) for a program, a line for a browser.
pub(crate) fn refusal(interface: bool, status: StatusCode, why: &str) -> Response {
    if !interface {
        return (status, format!("{why}\n")).into_response();
    }
    let title = status.canonical_reason().unwrap_or("refused");
    let problem = serde_json::json!({
        "type": "about:blank", "title": title, "status": status.as_u16(), "detail": why,
    });
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, kind, problem.to_string()).into_response()
}

pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether an unsafe request comes from another site's page.
///
/// `Sec-Fetch-Site` decides where the browser sends it; else `Origin` must be the host asked. A
/// request with neither comes from no browser, and carries no reader's rights that could be used.
fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return site != "same-origin" && site != "none";
    }
    match (text(header::ORIGIN), text(header::HOST)) {
        (None, _) => false,
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_none_or(|(_, authority)| authority != host)
        }
        (Some(_), None) => true,
    }
}

/// Whether a body of this kind is taken: forms and JSON, and files where there are uploads; none at
/// all where none is said.
fn is_taken(headers: &HeaderMap, uploads: bool) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return true };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let json = kind.eq_ignore_ascii_case("application/json")
        || (kind.len() > 5 && kind.to_ascii_lowercase().ends_with("+json"));
    // A page of elsewhere cannot send plain bytes without being asked first, unlike a form's file.
    let file = kind.eq_ignore_ascii_case(MULTIPART) || kind.eq_ignore_ascii_case(BYTES);
    json || kind.eq_ignore_ascii_case(FORM) || (uploads && file)
}

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
/// A file as a program sends it.
pub(crate) const BYTES: &str = "application/octet-stream";
pub(crate) const MULTIPART: &str = "multipart/form-data";
/// Where secrets are tried: an address may do that less often.
const SIGN_IN: &[&str] = &["/sign-in", "/setup", "/api/v1/session"];

#[cfg(test)]
mod tests {
    use super::{Door, Rate, is_foreign, protect, protect_with};
    use axum::Router;
    use axum::body::Body;
    use axum::extract::ConnectInfo;
    use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
    use axum::routing::post;
    use std::net::SocketAddr;
    use std::time::Duration;
    use tower::ServiceExt;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn only_this_sites_own_pages_may_post() {
        let host = ("host", "127.0.0.1:8081");
        let cases = [
            (headers(&[host, ("sec-fetch-site", "same-origin")]), false),
            (headers(&[host, ("sec-fetch-site", "none")]), false),
            (headers(&[host, ("sec-fetch-site", "cross-site")]), true),
            (headers(&[host, ("sec-fetch-site", "same-site")]), true),
            (headers(&[host, ("origin", "http://127.0.0.1:8081")]), false),
            (headers(&[host, ("origin", "http://127.0.0.1:8080")]), true),
            (headers(&[host, ("origin", "null")]), true),
            (headers(&[host]), false),
        ];
        for (headers, foreign) in cases {
            assert_eq!(is_foreign(&headers), foreign, "{headers:?}");
        }
    }

    #[tokio::test]
    async fn every_answer_carries_the_policy_even_a_refusal() {
        let router: Router = protect(Router::new().route("/x", post(|| async { "done" })));
        for (site, status) in
            [("same-origin", StatusCode::OK), ("cross-site", StatusCode::FORBIDDEN)]
        {
            let request = Request::post("/x").header("sec-fetch-site", site);
            let response =
                router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(response.status(), status);
            let policy = response.headers()["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
        }
    }

    #[tokio::test]
    async fn nothing_but_forms_and_json_is_taken_and_no_more_than_fits() {
        let take = |body: String| async move { body.len().to_string() };
        let take_file = |body: axum::body::Bytes| async move { body.len().to_string() };
        let router = Router::new().route("/api/v1/x", post(take));
        let router: Router = protect(router.route("/api/v1/attachments", post(take_file)));
        for (length, status) in
            [(3 << 20, StatusCode::OK), (9 << 20, StatusCode::PAYLOAD_TOO_LARGE)]
        {
            let request = Request::post("/api/v1/attachments");
            let request = request.header("content-type", "multipart/form-data; boundary=x");
            let request = request.body(Body::from(vec![b'x'; length])).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{length}");
        }
        let request = Request::post("/api/v1/attachments");
        let request = request.header("content-type", "application/octet-stream");
        let request = request.body(Body::from("%PDF-")).unwrap();
        assert_eq!(router.clone().oneshot(request).await.unwrap().status(), StatusCode::OK);
        let cases = [
            ("application/octet-stream", 10, StatusCode::UNSUPPORTED_MEDIA_TYPE),
            ("application/json", 10, StatusCode::OK),
            ("application/x-www-form-urlencoded; charset=utf-8", 10, StatusCode::OK),
            ("multipart/form-data; boundary=x", 10, StatusCode::UNSUPPORTED_MEDIA_TYPE),
            ("text/plain", 10, StatusCode::UNSUPPORTED_MEDIA_TYPE),
            ("image/svg+xml", 10, StatusCode::UNSUPPORTED_MEDIA_TYPE),
            ("application/json", 300_000, StatusCode::PAYLOAD_TOO_LARGE),
        ];
        for (kind, length, status) in cases {
            let request = Request::post("/api/v1/x").header("content-type", kind);
            let request = request.body(Body::from("x".repeat(length))).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{kind} {length}");
            if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
                assert_eq!(response.headers()["content-type"], "application/problem+json");
            }
        }
    }

    #[tokio::test]
    async fn an_address_that_asks_too_often_waits_and_others_do_not() {
        let door = Door::behind_proxy(true).with_sign_in(Rate::new(2, Duration::from_mins(1)));
        let router: Router =
            protect_with(Router::new().route("/sign-in", post(|| async { "in" })), door);
        let ask = async |through: &str| {
            let request = Request::post("/sign-in").header("x-forwarded-for", through);
            let mut request = request.body(Body::empty()).unwrap();
            let peer: SocketAddr = "127.0.0.1:9".parse().unwrap();
            request.extensions_mut().insert(ConnectInfo(peer));
            let response = router.clone().oneshot(request).await.unwrap();
            let wait = response.headers().get("retry-after").is_some();
            (response.status(), wait)
        };
        // Only the last address is the proxy's own word.
        assert_eq!(ask("192.0.2.7, 198.51.100.1").await, (StatusCode::OK, false));
        assert_eq!(ask("192.0.2.8, 198.51.100.1").await, (StatusCode::OK, false));
        let refused = (StatusCode::TOO_MANY_REQUESTS, true);
        assert_eq!(ask("192.0.2.9, 198.51.100.1").await, refused);
        assert_eq!(ask("192.0.2.9, 198.51.100.2").await, (StatusCode::OK, false));
    }
}
