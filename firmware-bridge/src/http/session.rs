//! Sign-in for programs at the station: a kiosk, a tablet. They carry the token as
//! `Authorization: Bearer TOKEN`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use tidewaiter_program::problem::Problem;

use super::fault::Told;
use crate::officers::{NotIn, Officers, Present};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    /// Account, or number of a badge.
    account: String,
    pin: String,
}

pub(super) async fn sign_in(
    State(officers): State<Officers>,
    told: Told<Credentials>,
) -> Result<Json<Value>, Problem> {
    let Credentials { account, pin } = told.body;
    let token = officers.sign_in(&account, pin).await?;
    Ok(Json(json!({"token": token.as_str()})))
}

/// Who is signed in; nobody where sign-in is not asked for.
pub(super) async fn who(Extension(present): Extension<Present>) -> Json<Value> {
    let officer = present
        .officer
        .map(|officer| json!({"id": officer.id, "name": officer.name, "roles": officer.roles}));
    Json(json!({"account": officer}))
}

pub(super) async fn sign_out(
    State(officers): State<Officers>,
    Extension(present): Extension<Present>,
) -> StatusCode {
    officers.sign_out(&present).await;
    StatusCode::NO_CONTENT
}

impl From<NotIn> for Problem {
    fn from(error: NotIn) -> Self {
        let text = error.to_string();
        match error {
            NotIn::Wrong | NotIn::NoAccounts | NotIn::Over(_) => {
                Self::new(StatusCode::UNAUTHORIZED, "not signed in", text)
            }
            NotIn::Wait(seconds) => Self::not_now(text, u16::try_from(seconds).unwrap_or(u16::MAX)),
            NotIn::NotRecorded(_) | NotIn::NoRandomness => Self::not_now(text, 60),
        }
    }
}
