//! The queue: what all stations raise, gravest first, grouped by inspection.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use tidewaiter_proto::alert::{AlertCode, AlertState, Severity};
use tidewaiter_proto::station::StationId;
use tidewaiter_web::answer::{page, page_with};
use tidewaiter_web::form::Fields;
use tidewaiter_web::frame::Frame;
use tidewaiter_web::text::Text;
use tidewaiter_web::visit::{Visit, is_officer_id, local_path, remember_officer};

use super::failure;
use crate::people::Actor;
use crate::state::{Act, AlertCounts, AppState};
use crate::store::{Action, AlertFilter, AlertRow, InspectionRow, StoreError, state_name};

#[derive(Template)]
#[template(path = "desk/queue.html")]
pub(super) struct QueuePage {
    pub(super) frame: Frame,
    pub(super) groups: Vec<Group>,
    pub(super) filter: Fields,
    pub(super) filtered: bool,
    pub(super) severities: Vec<Choice>,
    pub(super) states: Vec<Choice>,
    pub(super) codes: Vec<Choice>,
    pub(super) stations: Vec<String>,
    pub(super) next: Option<String>,
    pub(super) first_page: bool,
}

/// One value of a filter.
pub(super) struct Choice {
    pub(super) value: &'static str,
    pub(super) words: String,
    pub(super) chosen: bool,
    pub(super) count: Option<i64>,
}

/// Alerts of one inspection.
pub(super) struct Group {
    pub(super) station: StationId,
    pub(super) inspection: Option<String>,
    pub(super) way: Option<String>,
    pub(super) who: String,
    pub(super) items: Vec<Item>,
}

/// One alert in the queue.
pub(super) struct Item {
    pub(super) id: String,
    pub(super) version: i64,
    pub(super) severity: &'static str,
    pub(super) title: String,
    pub(super) sentence: String,
    pub(super) amount: Option<String>,
    pub(super) state: &'static str,
    pub(super) assignee: Option<String>,
    pub(super) raised_at: Timestamp,
    pub(super) ago: String,
    pub(super) standing: bool,
}

#[derive(Template)]
#[template(path = "desk/outcome.html")]
struct BulkOutcome {
    frame: Frame,
    done: usize,
    problems: Vec<String>,
    back: String,
}

pub(super) async fn show(
    State(state): State<AppState>,
    actor: Actor,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Response {
    match build(&state, &actor, &visit, &query.unwrap_or_default()).await {
        Ok(template) => page(&template),
        Err(error) => failure::failed(&visit, &error),
    }
}

async fn build(
    state: &AppState,
    actor: &Actor,
    visit: &Visit,
    query: &str,
) -> Result<QueuePage, StoreError> {
    let text = visit.text;
    let fields = Fields::read(query.as_bytes());
    let filter = filter_of(&fields);
    let after = fields.get("after").to_owned();
    let from = Some(after.as_str()).filter(|after| !after.is_empty());
    let list = state.alerts(actor, &filter, from, PAGE_ROWS).await?;
    let now = state.clock().now();
    let mut groups = Vec::new();
    for (station, inspection, rows) in grouped(list.rows) {
        let row = match &inspection {
            Some(inspection) => state.store().inspection(&station, inspection).await?,
            None => None,
        };
        groups.push(Group {
            way: row.as_ref().and_then(way),
            who: row.as_ref().map(|row| who(text, row)).unwrap_or_default(),
            items: rows.iter().map(|row| item(text, row, now)).collect(),
            station,
            inspection,
        });
    }
    let stations = state.stations(actor, "", 500).await?;
    let mut frame = super::frame(visit, state.demonstration(), &text.say("desk-queue"), "/");
    frame.refresh_seconds = 15;
    Ok(QueuePage {
        groups,
        severities: severities(text, &filter),
        states: states(text, &filter, &list.counts),
        codes: codes(text, &filter),
        stations: stations.into_iter().map(|view| view.row.station.to_string()).collect(),
        next: list.next.map(|cursor| next_address(&fields, &cursor)),
        first_page: after.is_empty(),
        filtered: filter != filter_of(&Fields::default()),
        filter: fields,
        frame,
    })
}

/// The filter of an address. Without a state, all that is not closed.
pub(super) fn filter_of(fields: &Fields) -> AlertFilter {
    let joined = |name: &str| fields.all(name).join(",");
    let state = joined("state");
    AlertFilter {
        state: if state.is_empty() { OPEN_STATES.join(",") } else { state },
        severity: joined("severity"),
        code: joined("code"),
        station: fields.get("station").to_owned(),
        site: fields.get("site").to_owned(),
        inspection: fields.get("inspection").to_owned(),
        assignee: fields.get("assignee").to_owned(),
        text: fields.get("text").to_owned(),
        sites: String::new(),
    }
}

type Grouped = Vec<(StationId, Option<String>, Vec<AlertRow>)>;

/// Alerts of one inspection together, where the first of them stands.
fn grouped(rows: Vec<AlertRow>) -> Grouped {
    let mut groups: Grouped = Vec::new();
    let mut places: BTreeMap<(StationId, String), usize> = BTreeMap::new();
    for row in rows {
        let station = row.alert.station.clone();
        let Some(inspection) = row.alert.inspection.clone() else {
            groups.push((station, None, vec![row]));
            continue;
        };
        let key = (station.clone(), inspection.clone());
        if let Some(group) = places.get(&key).and_then(|place| groups.get_mut(*place)) {
            group.2.push(row);
        } else {
            places.insert(key, groups.len());
            groups.push((station, Some(inspection), vec![row]));
        }
    }
    groups
}

pub(super) fn item(text: Text, row: &AlertRow, now: Timestamp) -> Item {
    let alert = &row.alert;
    Item {
        id: alert.id.clone(),
        version: row.version,
        severity: alert.severity.as_str(),
        title: text.code("alert", alert.code.as_str()).into_owned(),
        sentence: alert.sentence().to_owned(),
        amount: alert.amount.as_ref().map(|amount| text.amount(amount)),
        state: state_name(alert.state),
        assignee: row.assignee.clone(),
        raised_at: alert.raised_at,
        ago: text.ago(alert.raised_at, now).into_owned(),
        standing: row.standing,
    }
}

/// `JS272 VVO → FNJ`
pub(super) fn way(row: &InspectionRow) -> Option<String> {
    let (origin, destination) = (row.origin.as_deref()?, row.destination.as_deref()?);
    let designator = row.designator.as_deref().unwrap_or_default();
    Some(format!("{designator} {origin} → {destination}").trim().to_owned())
}

/// `Leaving · Passenger`
pub(super) fn who(text: Text, row: &InspectionRow) -> String {
    let direction = row.direction.as_deref().map(|code| text.code("direction", code));
    let role = row.role.as_deref().map(|code| text.code("role", code));
    let parts: Vec<_> = [direction, role].into_iter().flatten().collect();
    parts.join(" · ")
}

fn severities(text: Text, filter: &AlertFilter) -> Vec<Choice> {
    [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info]
        .into_iter()
        .map(|severity| Choice {
            value: severity.as_str(),
            words: text.code("severity", severity.as_str()).into_owned(),
            chosen: has(&filter.severity, severity.as_str()),
            count: None,
        })
        .collect()
}

fn states(text: Text, filter: &AlertFilter, counts: &AlertCounts) -> Vec<Choice> {
    [
        (AlertState::New, counts.new),
        (AlertState::Claimed, counts.claimed),
        (AlertState::Waiting, counts.waiting),
        (AlertState::Escalated, counts.escalated),
        (AlertState::Closed, counts.closed),
    ]
    .into_iter()
    .map(|(state, count)| Choice {
        value: state_name(state),
        words: text.code("state", state_name(state)).into_owned(),
        chosen: has(&filter.state, state_name(state)),
        count: Some(count),
    })
    .collect()
}

fn codes(text: Text, filter: &AlertFilter) -> Vec<Choice> {
    let mut codes: Vec<Choice> = AlertCode::ALL
        .iter()
        .map(|code| Choice {
            value: code.as_str(),
            words: text.code("alert", code.as_str()).into_owned(),
            chosen: has(&filter.code, code.as_str()),
            count: None,
        })
        .collect();
    codes.sort_by(|a, b| a.words.cmp(&b.words));
    codes
}

fn has(joined: &str, value: &str) -> bool {
    joined.split(',').any(|part| part == value)
}

fn next_address(fields: &Fields, cursor: &str) -> String {
    let mut parts: Vec<String> = fields
        .pairs()
        .iter()
        .filter(|(name, value)| name != "after" && !value.is_empty())
        .map(|(name, value)| format!("{}={}", super::encode(name), super::encode(value)))
        .collect();
    parts.push(format!("after={}", super::encode(cursor)));
    format!("/?{}", parts.join("&"))
}

/// Does one thing with all picked alerts. Each is answered for itself; some may fail.
pub(super) async fn act(
    State(state): State<AppState>,
    actor: Actor,
    visit: Visit,
    fields: Fields,
) -> Response {
    let text = visit.text;
    let back = local_path(fields.get("back")).to_owned();
    let officer = super::actor(&visit, &fields).to_owned();
    let picked: Vec<&str> = fields.all("pick").into_iter().take(PICKED_MAX).collect();
    let mut problems = Vec::new();
    let mut done = 0;
    if !is_officer_id(&officer) {
        problems.push(text.say("desk-needs-officer").into_owned());
    } else if picked.is_empty() {
        problems.push(text.say("desk-nothing-picked").into_owned());
    } else {
        match fields.get("action").parse::<Action>() {
            Ok(action @ (Action::Claim | Action::Release | Action::Wait | Action::Escalate)) => {
                for pick in picked {
                    match act_on(&state, &actor, pick, action, &officer).await {
                        Ok(()) => done += 1,
                        Err(problem) => problems.push(problem),
                    }
                }
            }
            Ok(Action::Close | Action::Comment) | Err(_) => {
                problems.push(text.say("desk-unknown-action").into_owned());
            }
        }
    }
    let response = if problems.is_empty() {
        Redirect::to(&back).into_response()
    } else {
        let heading = text.say("failed-title").into_owned();
        let mut frame = super::frame(&visit, state.demonstration(), &heading, "");
        frame.live = None;
        page_with(StatusCode::CONFLICT, &BulkOutcome { frame, done, problems, back })
    };
    remember_officer(response, &officer)
}

async fn act_on(
    state: &AppState,
    actor: &Actor,
    pick: &str,
    action: Action,
    officer: &str,
) -> Result<(), String> {
    let (version, id) = pick
        .split_once('@')
        .and_then(|(version, id)| Some((version.parse().ok()?, id)))
        .ok_or_else(|| format!("{pick:?}"))?;
    let act = Act {
        action,
        officer: officer.to_owned(),
        version,
        reason: String::new(),
        text: String::new(),
    };
    state.act(actor, id, &act).await.map(drop).map_err(|error| error.to_string())
}

const PAGE_ROWS: i64 = 50;
const PICKED_MAX: usize = 500;
const OPEN_STATES: [&str; 4] = ["new", "claimed", "waiting", "escalated"];
