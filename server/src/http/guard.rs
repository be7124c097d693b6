//! The gate of server and headquarters: who holds a session, and whether they may. Routes and the
//! way in are [`tidewaiter_web::entry`]'s, the same as the station's.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use tidewaiter_people::audit::Outcome;
use tidewaiter_people::role::Permission;
pub use tidewaiter_web::entry::{Asked, Gate, Need, SESSION_COOKIE, Stated};
use tidewaiter_web::visit::SignedIn;

use super::problem::Problem;
use crate::people::Actor;
use crate::people::reception::Reception;
use crate::store::Note;

/// Routes behind this gate.
pub type Routes<S> = tidewaiter_web::entry::Routes<S, Reception>;

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let actor = parts.extensions.get::<Self>().cloned();
        actor.ok_or_else(|| {
            Problem::new(StatusCode::UNAUTHORIZED, "sign in first", "nobody is signed in")
        })
    }
}

impl Gate for Reception {
    type Who = Actor;

    async fn judge(&self, need: Need, asked: &Asked) -> Result<Actor, Box<Response>> {
        let actor = match self.people().actor_of(asked.token.as_deref(), asked.is_use()).await {
            Ok(Some(actor)) => actor,
            Ok(None) => {
                return Err(Box::new(match self.people().is_new().await {
                    Ok(true) => asked.elsewhere("/setup", "this server is not set up"),
                    Ok(false) => asked.elsewhere("/sign-in", "nobody is signed in"),
                    Err(error) => Problem::from(error).into_response(),
                }));
            }
            Err(error) => return Err(Box::new(Problem::from(error).into_response())),
        };
        if actor.must_change && asked.path != PASSWORD_PATH && asked.path != SIGN_OUT_PATH {
            let why = "a password of your own comes first";
            return Err(Box::new(asked.elsewhere(PASSWORD_PATH, why)));
        }
        match need {
            Need::Right(permission) if actor.reach(permission).is_nothing() => {
                Err(Box::new(self.no_right(&actor, asked, permission).await))
            }
            _ => Ok(actor),
        }
    }

    fn signed_in(&self, actor: &Actor) -> Option<SignedIn> {
        actor.session.is_some().then(|| SignedIn {
            id: actor.id().to_owned(),
            name: actor.account.name.clone(),
            pages: self.pages_of(actor),
        })
    }
}

impl Reception {
    /// 403, and a line in the audit.
    async fn no_right(&self, actor: &Actor, asked: &Asked, permission: Permission) -> Response {
        // Where everybody arrives is not refused: they go on to what is theirs.
        if asked.path == "/" {
            let pages = self.pages_of(actor);
            return Redirect::to(pages.first().copied().unwrap_or("/account")).into_response();
        }
        let need = format!("{permission:?}");
        let object: String = asked.path.chars().take(200).collect();
        let note = Note::done(actor.id(), "refused", object).ended(Outcome::Denied);
        if let Err(error) = self.people().note(note.with("need", need.clone())).await {
            return Problem::from(error).into_response();
        }
        if asked.is_interface() {
            let why = format!("{} has no right to this: it needs {need}", actor.id());
            return Problem::new(StatusCode::FORBIDDEN, "no right to this", why).into_response();
        }
        crate::page::no_right(&asked.visit)
    }
}

pub(crate) const PASSWORD_PATH: &str = "/account/password";
pub(crate) const SIGN_OUT_PATH: &str = "/sign-out";
