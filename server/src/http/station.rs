//! Stations and what is on disk of each; and how much each movement was inspected.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidewaiter_people::role::Permission;
use tidewaiter_proto::chain::Head;
use tidewaiter_proto::presence::Presence;
use tidewaiter_proto::station::StationId;

use super::alert::limit_of;
use super::problem::Problem;
use crate::people::Actor;
use crate::state::{AppState, StationView, sites};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListQuery {
    cursor: String,
    limit: Option<i64>,
}

#[derive(Debug, Serialize)]
struct StationJson {
    station: StationId,
    enrolled_at: Timestamp,
    revoked_at: Option<Timestamp>,
    online: bool,
    seen_at: Option<Timestamp>,
    presence: Option<Presence>,
    epoch: Option<u64>,
    ranges: Vec<(u64, u64)>,
    branches: usize,
    verified: Option<Head>,
    held: u64,
    missing: u64,
}

impl From<StationView> for StationJson {
    fn from(view: StationView) -> Self {
        let standing = view.standing.as_ref();
        Self {
            station: view.row.station,
            enrolled_at: view.row.enrolled_at,
            revoked_at: view.row.revoked_at,
            online: view.row.online,
            seen_at: view.row.seen_at,
            presence: view.row.presence,
            epoch: standing.map(|standing| standing.epoch),
            ranges: standing.map_or_else(Vec::new, |s| s.ranges().as_slice().to_vec()),
            branches: standing.map_or(0, |standing| standing.kept.len()),
            verified: standing.map(|standing| standing.verified),
            held: view.held,
            missing: view.missing,
        }
    }
}

pub(super) async fn list(
    State(state): State<AppState>,
    actor: Actor,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query?;
    let limit = limit_of(query.limit)?;
    let views = state.stations(&actor, &query.cursor, limit).await?;
    let full = i64::try_from(views.len()).is_ok_and(|rows| rows == limit);
    let items: Vec<StationJson> = views.into_iter().map(StationJson::from).collect();
    let next = items.last().filter(|_| full).map(|last| last.station.clone());
    Ok(Json(json!({"items": items, "next": next})))
}

pub(super) async fn coverage(
    State(state): State<AppState>,
    actor: Actor,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query?;
    let limit = limit_of(query.limit)?;
    let sites = sites(&actor, Permission::StationRead);
    let rows = state.store().movements(&sites, &query.cursor, limit).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|number| number == limit);
    let next = rows.last().filter(|_| full).map(crate::store::MovementRow::cursor);
    let items: Vec<Value> = rows
        .into_iter()
        .map(|row| {
            json!({
                "designator": row.designator, "from": row.origin, "to": row.destination,
                "inspections": row.inspections, "decided": row.decided, "last_at": row.last_at,
            })
        })
        .collect();
    Ok(Json(json!({"items": items, "next": next})))
}
