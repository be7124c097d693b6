//! Who may ask what: each route is stated with what it needs, and stands behind that need. A route
//! cannot be added without one.

use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use tidewaiter_people::audit::Outcome;
use tidewaiter_people::role::Permission;
use tidewaiter_web::visit::{SignedIn, Visit};

use super::problem::Problem;
use crate::people::Actor;
use crate::state::AppState;
use crate::store::Note;

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: sign-in itself, files of the pages, and what tells whether the program runs.
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

/// Routes with what they need: the table and the router are made from one statement.
pub struct Routes {
    state: AppState,
    router: Router<AppState>,
    stated: Vec<Stated>,
}

impl Routes {
    /// No routes yet.
    pub fn new(state: AppState) -> Self {
        Self { state, router: Router::new(), stated: Vec::new() }
    }

    /// A route that reads.
    #[must_use]
    pub fn get<H, T>(self, path: &'static str, need: Need, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.stated(Method::GET, path, need, get(handler))
    }

    /// A route that does something.
    #[must_use]
    pub fn post<H, T>(self, path: &'static str, need: Need, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.stated(Method::POST, path, need, post(handler))
    }

    fn stated(
        mut self,
        method: Method,
        path: &'static str,
        need: Need,
        handler: MethodRouter<AppState>,
    ) -> Self {
        let guard = middleware::from_fn_with_state((self.state.clone(), need), let_in);
        self.router = self.router.route(path, handler.route_layer(guard));
        self.stated.push(Stated { method, path, need });
        self
    }

    /// The router, and the table of what it needs.
    pub fn done(self) -> (Router<AppState>, Vec<Stated>) {
        (self.router, self.stated)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let actor = parts.extensions.get::<Self>().cloned();
        actor.ok_or_else(|| {
            Problem::new(StatusCode::UNAUTHORIZED, "sign in first", "nobody is signed in")
        })
    }
}

/// What the guard has to know of a request. A request itself cannot be held while the store is
/// asked.
struct Asked {
    method: Method,
    path: String,
    target: String,
    visit: Visit,
}

/// Lets a request in when who asks has the right, and tells the handler who it is.
async fn let_in(
    State((state, need)): State<(AppState, Need)>,
    mut request: Request,
    next: Next,
) -> Response {
    let token = token(request.headers());
    let target = request.uri().path_and_query().map_or("/", |whole| whole.as_str()).to_owned();
    let asked = Asked {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        visit: Visit::read(request.headers(), &target),
        target,
    };
    let actor = match state.people().actor(token.as_deref()).await {
        Ok(actor) => actor,
        Err(error) => return Problem::from(error).into_response(),
    };
    if need != Need::Nothing
        && let Err(answer) = check(&state, need, actor.as_ref(), &asked).await
    {
        return *answer;
    }
    if let Some(actor) = actor {
        if actor.session.is_some() {
            request.extensions_mut().insert(SignedIn {
                id: actor.id().to_owned(),
                name: actor.account.name.clone(),
                pages: crate::page::pages_of(&actor),
            });
        }
        request.extensions_mut().insert(actor);
    }
    next.run(request).await
}

/// Whether who asks has what the route needs; otherwise the answer they get.
async fn check(
    state: &AppState,
    need: Need,
    actor: Option<&Actor>,
    asked: &Asked,
) -> Result<(), Box<Response>> {
    let Some(actor) = actor else {
        return Err(Box::new(match state.people().is_new().await {
            Ok(true) => asked.elsewhere("/setup", "this server is not set up"),
            Ok(false) => asked.elsewhere("/sign-in", "nobody is signed in"),
            Err(error) => Problem::from(error).into_response(),
        }));
    };
    if actor.must_change && asked.path != PASSWORD_PATH && asked.path != SIGN_OUT_PATH {
        return Err(Box::new(asked.elsewhere(PASSWORD_PATH, "a password of your own comes first")));
    }
    match need {
        // Where everybody arrives is not refused: they go on to what is theirs.
        Need::Right(permission) if asked.path == "/" && actor.reach(permission).is_nothing() => {
            let pages = crate::page::pages_of(actor);
            let own = pages.first().copied().unwrap_or("/account");
            Err(Box::new(Redirect::to(own).into_response()))
        }
        Need::Right(permission) if actor.reach(permission).is_nothing() => {
            Err(Box::new(refused(state, actor, asked, permission).await))
        }
        _ => Ok(()),
    }
}

/// 403, and a line in the audit.
async fn refused(
    state: &AppState,
    actor: &Actor,
    asked: &Asked,
    permission: Permission,
) -> Response {
    let need = format!("{permission:?}");
    let object: String = asked.path.chars().take(200).collect();
    let note = Note::done(actor.id(), "refused", object).ended(Outcome::Denied);
    if let Err(error) = state.people().note(note.with("need", need.clone())).await {
        return Problem::from(error).into_response();
    }
    if asked.is_interface() {
        let why = format!("{} has no right to this: it needs {need}", actor.id());
        return Problem::new(StatusCode::FORBIDDEN, "no right to this", why).into_response();
    }
    crate::page::no_right(&asked.visit)
}

impl Asked {
    fn is_interface(&self) -> bool {
        self.path.starts_with("/api/")
    }

    /// 401 for a program; for a browser the page where it goes on.
    fn elsewhere(&self, to: &str, why: &'static str) -> Response {
        if self.is_interface() {
            let problem = Problem::new(StatusCode::UNAUTHORIZED, "sign in first", why);
            let mut response = problem.into_response();
            let scheme = HeaderValue::from_static("Bearer realm=\"tidewaiter\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            return response;
        }
        if self.method != Method::GET {
            return Redirect::to(to).into_response();
        }
        Redirect::to(&format!("{to}?back={}", crate::page::encode(&self.target))).into_response()
    }
}

/// The token of a request: the cookie of a browser, or what a program carries.
pub(crate) fn token(headers: &HeaderMap) -> Option<String> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(|token| token.trim().to_owned());
    bearer.or_else(|| tidewaiter_web::visit::cookie(headers, SESSION_COOKIE))
}

/// The cookie of a session. `__Host-`: this host only, over TLS or to this machine itself.
pub(crate) const SESSION_COOKIE: &str = "__Host-sid";
pub(crate) const PASSWORD_PATH: &str = "/account/password";
pub(crate) const SIGN_OUT_PATH: &str = "/sign-out";
