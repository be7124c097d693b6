//! The audit: who did and read what, and whether its chain holds.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use tidewaiter_people::audit::{Entry, Outcome};
use tidewaiter_web::answer::page;
use tidewaiter_web::form::Fields;
use tidewaiter_web::frame::Frame;
use tidewaiter_web::visit::Visit;

use super::failure;
use crate::people::reception::Reception;

use crate::store::StoreError;

#[derive(Template)]
#[template(path = "desk/audit.html")]
struct AuditPage {
    frame: Frame,
    rows: Vec<Entry>,
    actor: String,
    object: String,
    next: Option<String>,
    /// Whether the chain holds, and what to say of it.
    whole: bool,
    verdict: String,
}

pub(super) async fn list(
    State(state): State<Reception>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Response {
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    match build(&state, &visit, &fields).await {
        Ok(template) => page(&template),
        Err(error) => failure::failed(&visit, &error),
    }
}

async fn build(state: &Reception, visit: &Visit, fields: &Fields) -> Result<AuditPage, StoreError> {
    let text = visit.text;
    let (actor, object) = (fields.get("actor").to_owned(), fields.get("object").to_owned());
    let before = fields.get("before").parse().unwrap_or(i64::MAX);
    let rows = state.store().audit(&actor, &object, before, ROWS).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|number| number == ROWS);
    let next = rows.last().filter(|_| full).map(|entry| {
        let (actor, object) = (super::encode(&actor), super::encode(&object));
        format!("/audit?actor={actor}&object={object}&before={}", entry.number)
    });
    let (whole, verdict) = match state.people().check_audit(fields.has("check", "all")).await? {
        Ok((entries, looked)) if entries == looked => {
            (true, text.say1("people-audit-whole", "count", entries).into_owned())
        }
        Ok((_, looked)) => (true, text.say1("people-audit-new", "count", looked).into_owned()),
        Err(broken) => (false, broken.to_string()),
    };
    let title = text.say("people-audit");
    let frame = state.frame(visit, title, "/audit");
    Ok(AuditPage { frame, rows, actor, object, next, whole, verdict })
}

const ROWS: i64 = 100;
