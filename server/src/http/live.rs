//! What changes, as it changes: server-sent events with the change log's cursor as their id, so
//! that a reader who was away goes on where it stopped.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, Sse};
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tidewaiter_people::role::Permission;

use super::alert::AlertJson;
use super::problem::Problem;
use crate::people::Actor;
use crate::state::AppState;
use crate::store::{Change, ChangeKind, StoreError};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LiveQuery {
    after: Option<i64>,
}

/// `event: alert|inspection|station|bundle`, `id: CURSOR`, `data: {at, reference, …}`; an alert
/// comes with the alert as it stands. A `ping` comes every 15 s.
pub(super) async fn live(
    State(state): State<AppState>,
    actor: Actor,
    headers: HeaderMap,
    query: Result<Query<LiveQuery>, QueryRejection>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let Query(query) = query?;
    let last_seen = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    let after = match last_seen.or(query.after) {
        Some(cursor) => cursor,
        None => state.store().change_cursor().await?,
    };
    let stop = state.stop().clone().cancelled_owned();
    let first = stream::once(async { Ok(Event::default().comment("tidewaiter")) });
    Ok(Sse::new(first.chain(changes(state, actor, after)).take_until(stop)))
}

/// Changes after a cursor and pings between them, for ever.
fn changes(
    state: AppState,
    actor: Actor,
    after: i64,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let start = (state, actor, after, tokio::time::Instant::now() + PING);
    stream::unfold(start, |(state, actor, after, ping_at)| async move {
        let next = tokio::select! {
            changes = state.next_changes(after) => changes,
            () = tokio::time::sleep_until(ping_at) => {
                let events = vec![Ok(Event::default().event("ping").data("{}"))];
                let state = (state, actor, after, tokio::time::Instant::now() + PING);
                return Some((stream::iter(events), state));
            }
        };
        // Who signed out, or whose rights were taken, hears no more.
        if !matches!(state.people().is_still_in(&actor).await, Ok(true)) {
            return None;
        }
        let changes = match next {
            Ok(changes) if changes.is_empty() => return None,
            Ok(changes) => changes,
            Err(error) => {
                tracing::error!(%error, "live changes cannot be read");
                return None;
            }
        };
        let after = changes.last().map_or(after, |change| change.cursor);
        let mut events = Vec::with_capacity(changes.len());
        for change in changes {
            match event(&state, &actor, &change).await {
                Ok(event) => events.extend(event.map(Ok)),
                Err(error) => {
                    tracing::error!(%error, "a live change cannot be read");
                    return None;
                }
            }
        }
        Some((stream::iter(events), (state, actor, after, ping_at)))
    })
    .flatten()
}

/// A change as this person may see it; none of a site that is not theirs.
async fn event(
    state: &AppState,
    actor: &Actor,
    change: &Change,
) -> Result<Option<Event>, StoreError> {
    let mut data = json!({"at": change.at, "kind": change.kind, "reference": change.reference});
    match change.kind {
        ChangeKind::Alert => {
            if let Some(row) = state.store().alert(&change.reference).await? {
                if !actor.account.may_at(Permission::AlertRead, row.alert.station.site()) {
                    return Ok(None);
                }
                let alert = serde_json::to_value(AlertJson::from(row)).unwrap_or(Value::Null);
                if let Some(object) = data.as_object_mut() {
                    object.insert("alert".to_owned(), alert);
                }
            }
        }
        ChangeKind::Inspection | ChangeKind::Station => {
            let site = change.reference.split('/').next().unwrap_or_default();
            if !actor.account.may_at(Permission::StationRead, site) {
                return Ok(None);
            }
        }
        // That the desk's own things changed says nothing of a case.
        ChangeKind::Desk => {}
        ChangeKind::Bundle => {
            if actor.reach(Permission::BundleRead).is_nothing() {
                return Ok(None);
            }
        }
    }
    let event = Event::default()
        .id(change.cursor.to_string())
        .event(change.kind.as_str())
        .data(data.to_string());
    Ok(Some(event))
}

const PING: Duration = Duration::from_secs(15);
