//! Response headers that keep a page to itself, and refusing posts that come from other sites.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

/// Puts the guard around a router: headers on every answer, and 403 for a foreign post.
pub fn protect<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.layer(middleware::from_fn(refuse_foreign)).layer(middleware::map_response(add_headers))
}

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
];

async fn refuse_foreign(request: Request, next: Next) -> Response {
    if is_foreign(request.method(), request.headers()) {
        return (StatusCode::FORBIDDEN, "this request comes from another site\n").into_response();
    }
    next.run(request).await
}

/// Whether an unsafe request comes from another site's page.
///
/// `Sec-Fetch-Site` decides where the browser sends it; else `Origin` must be the host asked. A
/// request with neither comes from no browser, and carries no reader's rights that could be used.
fn is_foreign(method: &Method, headers: &HeaderMap) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return false;
    }
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

#[cfg(test)]
mod tests {
    use super::{is_foreign, protect};
    use axum::Router;
    use axum::body::Body;
    use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
    use axum::routing::post;
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
            assert_eq!(is_foreign(&Method::POST, &headers), foreign, "{headers:?}");
            assert!(!is_foreign(&Method::GET, &headers));
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
}
