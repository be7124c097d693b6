//! Who may ask what: each route is stated with what it needs, and stands behind that need. A route
//! cannot be added without one. One way in for the pages and interfaces of station, server and
//! headquarters; who somebody is and what they may do is each one's [`Gate`] to say.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use tidewaiter_people::role::Permission;
use tidewaiter_people::session::Token;

use crate::form::Fields;
use crate::guard::{FORM, MULTIPART, UPLOAD_BYTES_MAX, is_safe, refusal};
use crate::visit::{SignedIn, Visit, cookie};

mod token;

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: sign-in itself, files of the pages, and what tells whether the program runs. Nobody
    /// is looked up for these.
    Nothing,
    /// That somebody is signed in.
    SignIn,
    /// A right, at one site at least; the handler shows no more than the sites it holds for.
    Right(Permission),
}

/// A route as it is stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// Its method.
    pub method: Method,
    /// Its path, with `{…}` for what varies.
    pub path: &'static str,
    /// What it needs.
    pub need: Need,
}

/// What a gate has to know of a request. A request itself cannot be held while a store is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: String,
    /// Path and query.
    pub target: String,
    /// Its reader.
    pub visit: Visit,
    /// The token it carries.
    pub token: Option<String>,
    /// Whether a browser goes to a page with it, and does not fetch it for one; a program says
    /// nothing and counts as going.
    pub navigates: bool,
}

/// Says who asks, and whether they may.
pub trait Gate: Clone + Send + Sync + 'static {
    /// Who asks, as the handlers are told.
    type Who: Clone + Send + Sync + 'static;

    /// Who asks, when they have what the route needs; otherwise the answer they get.
    fn judge(
        &self,
        need: Need,
        asked: &Asked,
    ) -> impl Future<Output = Result<Self::Who, Box<Response>>> + Send;

    /// Who is signed in, for the frame of the pages; nobody in an open demonstration.
    fn signed_in(&self, who: &Self::Who) -> Option<SignedIn>;
}

/// Routes with what they need: the table and the router are made from one statement.
#[derive(Debug)]
pub struct Routes<S, G> {
    gate: G,
    router: Router<S>,
    stated: Vec<Stated>,
}

impl<S: Clone + Send + Sync + 'static, G: Gate> Routes<S, G> {
    /// No routes yet.
    pub fn new(gate: G) -> Self {
        Self { gate, router: Router::new(), stated: Vec::new() }
    }

    /// A route that reads.
    #[must_use]
    pub fn get<H, T>(self, path: &'static str, need: Need, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.stated(Method::GET, path, need, get(handler))
    }

    /// A route that does something.
    #[must_use]
    pub fn post<H, T>(self, path: &'static str, need: Need, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.stated(Method::POST, path, need, post(handler))
    }

    fn stated(
        mut self,
        method: Method,
        path: &'static str,
        need: Need,
        handler: MethodRouter<S>,
    ) -> Self {
        let guard = middleware::from_fn_with_state((self.gate.clone(), need), let_in::<G>);
        self.router = self.router.route(path, handler.route_layer(guard));
        self.stated.push(Stated { method, path, need });
        self
    }

    /// The router, and the table of what it needs.
    pub fn done(self) -> (Router<S>, Vec<Stated>) {
        (self.router, self.stated)
    }
}

/// Lets a request in when who asks has the right, and tells the handler who it is.
async fn let_in<G: Gate>(
    State((gate, need)): State<(G, Need)>,
    mut request: Request,
    next: Next,
) -> Response {
    if need == Need::Nothing {
        return next.run(request).await;
    }
    let target = request.uri().path_and_query().map_or("/", |whole| whole.as_str()).to_owned();
    let carried = token(request.headers());
    let asked = Asked {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        visit: Visit::read(request.headers(), &target),
        token: carried,
        navigates: navigates(request.headers()),
        target,
    };
    let who = match gate.judge(need, &asked).await {
        Ok(who) => who,
        Err(answer) => return *answer,
    };
    let signed_in = gate.signed_in(&who);
    // What a browser sends by itself is no proof that its person meant it: a form says so too.
    let form_token = cookie(request.headers(), SESSION_COOKIE)
        .filter(|_| signed_in.is_some())
        .map(|token| Token::form_token(&Token::digest_of(&token)));
    if let Some(expected) = &form_token
        && !is_safe(request.method())
        && !has_bearer(request.headers())
    {
        request = match token::checked(request, expected).await {
            Ok(request) => request,
            Err(why) => {
                return refusal(asked.is_interface(), StatusCode::FORBIDDEN, why);
            }
        };
    }
    if let Some(person) = signed_in {
        request.extensions_mut().insert(person);
    }
    request.extensions_mut().insert(who);
    let response = next.run(request).await;
    match form_token {
        Some(form_token) => token::woven(response, &form_token).await,
        None => response,
    }
}

impl Asked {
    /// Whether a program asks.
    pub fn is_interface(&self) -> bool {
        self.path.starts_with("/api/")
    }

    /// Whether somebody did something with it: a page that asks for itself again, and the page that
    /// is open all day, keep no session alive.
    pub fn is_use(&self) -> bool {
        !is_safe(&self.method) || (self.navigates && self.path != "/")
    }

    /// 401 for a program; for a browser the page where it goes on.
    pub fn elsewhere(&self, to: &str, why: &str) -> Response {
        if self.is_interface() {
            let mut response = refusal(true, StatusCode::UNAUTHORIZED, why);
            let scheme = HeaderValue::from_static("Bearer realm=\"tidewaiter\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            return response;
        }
        if self.method != Method::GET {
            return Redirect::to(to).into_response();
        }
        Redirect::to(&format!("{to}?back={}", encode(&self.target))).into_response()
    }
}

/// Percent-encodes all but unreserved characters (RFC 3986 §2.3).
pub fn encode(value: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _written = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn navigates(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-mode").is_none_or(|mode| mode == "navigate")
}

/// The token of a request: what a program carries, else the cookie of a browser.
pub fn token(headers: &HeaderMap) -> Option<String> {
    bearer(headers).or_else(|| cookie(headers, SESSION_COOKIE))
}

fn has_bearer(headers: &HeaderMap) -> bool {
    bearer(headers).is_some()
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(|token| token.trim().to_owned())
}

/// A response with the session's cookie: this host only, over TLS or to this machine itself, out
/// of reach of scripts.
pub fn with_session(response: Response, token: &Token) -> Response {
    set(response, &format!("{SESSION_COOKIE}={}; {ATTRIBUTES}", token.as_str()))
}

/// A response that ends a session in the browser: nothing of a signed-in person stays there (ASVS
/// v5.0.0-14.3.1).
pub fn without_session(response: Response) -> Response {
    let mut response = set(response, &format!("{SESSION_COOKIE}=; {ATTRIBUTES}; Max-Age=0"));
    let all = HeaderValue::from_static("\"cache\", \"storage\"");
    response.headers_mut().insert("clear-site-data", all);
    response
}

fn set(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// Reads a body again after a look at it.
async fn read(request: Request) -> Result<(Request, Vec<u8>), &'static str> {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, UPLOAD_BYTES_MAX).await.map_err(|_| "the body cannot be read")?;
    let again = Request::from_parts(parts, Body::from(bytes.clone()));
    Ok((again, bytes.to_vec()))
}

/// The cookie of a session.
pub const SESSION_COOKIE: &str = "__Host-sid";
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";
/// The field of every form of a signed-in person.
pub const FORM_TOKEN: &str = "form-token";

/// Whether a body is of this kind.
fn is_of(headers: &HeaderMap, kind: &str) -> bool {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    said.unwrap_or_default().split(';').next().is_some_and(|said| said.trim() == kind)
}

/// The token in a form's body.
fn token_in(body: &[u8], is_multipart: bool) -> String {
    if !is_multipart {
        return Fields::read(body).get(FORM_TOKEN).to_owned();
    }
    // It is the form's first field: woven in right behind its tag.
    let head = String::from_utf8_lossy(body.get(..1024).unwrap_or(body)).into_owned();
    let field = format!("name=\"{FORM_TOKEN}\"\r\n\r\n");
    let value = head.split(&field).nth(1).and_then(|rest| rest.split("\r\n").next());
    value.unwrap_or_default().to_owned()
}
