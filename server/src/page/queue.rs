//! The queue: what all stations raise, gravest first, together by inspection, traveller or rule;
//! above it what is due.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use tidewaiter_people::role::Permission;
use tidewaiter_proto::alert::{AlertCode, AlertState, Severity};
use tidewaiter_proto::station::StationId;
use tidewaiter_web::answer::{page, page_with};
use tidewaiter_web::form::Fields;
use tidewaiter_web::frame::Frame;
use tidewaiter_web::text::Text;
use tidewaiter_web::visit::{Visit, is_officer_id, local_path, remember_officer};

use super::failure;
use crate::people::Actor;
use crate::state::{Act, AlertCounts, AppState, BULK_MAX, filter_from, sites};
use crate::store::{
    Action, AlertFilter, AlertRow, Aside, CLOSING_REASONS, DueRow, InspectionRow, StoreError,
    state_name,
};

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
    pub(super) sites: Vec<String>,
    pub(super) together: Vec<Choice>,
    pub(super) lanes: Vec<Lane>,
    pub(super) due: Vec<Due>,
    pub(super) views: Vec<View>,
    pub(super) silences: Vec<Quiet>,
    pub(super) mentions: i64,
    pub(super) wrong: Option<&'static str>,
    pub(super) reasons: Vec<(&'static str, String)>,
    pub(super) query: String,
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

/// A lane of the queue: alerts in one state, by an address of their own.
pub(super) struct Lane {
    pub(super) href: String,
    pub(super) words: String,
    pub(super) count: i64,
    pub(super) here: bool,
}

/// What has to be done by when.
pub(super) struct Due {
    pub(super) href: String,
    pub(super) words: String,
    pub(super) station: StationId,
    pub(super) basis: String,
    pub(super) at: Timestamp,
    pub(super) left: String,
    pub(super) shape: &'static str,
}

/// A filter that somebody keeps.
pub(super) struct View {
    pub(super) name: String,
    pub(super) href: String,
    pub(super) own: bool,
    pub(super) owner: String,
}

/// What is kept out of the queue for a time.
pub(super) struct Quiet {
    pub(super) id: String,
    pub(super) words: String,
    pub(super) place: String,
    pub(super) reason: String,
    pub(super) author: String,
    pub(super) ends_at: Timestamp,
}

/// Alerts that stand together.
pub(super) struct Group {
    pub(super) station: StationId,
    pub(super) inspection: Option<String>,
    /// The head of a group that is not one inspection's.
    pub(super) head: Option<String>,
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
    /// Until the movement leaves, while it has not.
    pub(super) leaves: Option<String>,
    pub(super) snoozed_until: Option<Timestamp>,
    pub(super) merged: bool,
}

#[derive(Template)]
#[template(path = "desk/outcome.html")]
struct BulkOutcome {
    frame: Frame,
    done: usize,
    /// Those that were not done, each with its alert and why.
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
    let now = state.clock().now();
    let (filter, wrong) = match filter_of(&fields, now, actor.id()) {
        Ok(filter) => (filter, None),
        Err(why) => (filter_of(&Fields::default(), now, actor.id()).unwrap_or_default(), Some(why)),
    };
    let after = fields.get("after").to_owned();
    let from = Some(after.as_str()).filter(|after| !after.is_empty());
    let list = state.alerts(actor, &filter, from, PAGE_ROWS).await?;
    let together = Together::read(fields.get("together"));
    let mut groups = Vec::new();
    for (station, key, rows) in together.groups(list.rows) {
        let inspection = key.filter(|_| together == Together::Inspection);
        let row = match &inspection {
            Some(inspection) => state.store().inspection(&station, inspection).await?,
            None => None,
        };
        groups.push(Group {
            way: row.as_ref().and_then(way),
            who: row.as_ref().map(|row| who(text, row)).unwrap_or_default(),
            head: together.head(text, &rows),
            items: rows.iter().map(|row| item(text, row, now)).collect(),
            station,
            inspection,
        });
    }
    let first_page = after.is_empty();
    let due = if first_page { state.due(actor, DUE_ROWS).await? } else { Vec::new() };
    let seen = sites(actor, Permission::StationRead);
    let stations = state.store().stations(&seen, "", 500).await?;
    let stations: Vec<String> = stations.into_iter().map(|row| row.station.to_string()).collect();
    let mut sites_shown: Vec<String> =
        stations.iter().filter_map(|name| Some(name.split_once('/')?.0.to_owned())).collect();
    sites_shown.dedup();
    let mut frame = super::frame(visit, state.demonstration(), &text.say("desk-queue"), "/");
    frame.refresh_seconds = 15;
    let unfiltered = filter_of(&Fields::default(), now, actor.id()).unwrap_or_default();
    Ok(QueuePage {
        groups,
        severities: severities(text, &filter),
        states: states(text, &filter, &list.counts),
        codes: codes(text, &filter),
        together: together.choices(text),
        lanes: lanes(text, &fields, &filter, &list.counts),
        due: due.into_iter().map(|row| due_of(text, row, now)).collect(),
        views: views(state, actor).await?,
        silences: silences(text, state, actor).await?,
        mentions: state.store().mentions(actor.id()).await?,
        wrong,
        reasons: closing_reasons(text),
        query: kept_query(&fields),
        stations,
        sites: sites_shown,
        next: list.next.map(|cursor| next_address(&fields, &cursor)),
        first_page,
        filtered: filter != unfiltered,
        filter: fields,
        frame,
    })
}

/// The words of the reasons for closing.
pub(super) fn closing_reasons(text: Text) -> Vec<(&'static str, String)> {
    CLOSING_REASONS.iter().map(|code| (*code, text.code("closing", code).into_owned())).collect()
}

async fn views(state: &AppState, actor: &Actor) -> Result<Vec<View>, StoreError> {
    let views = state.views(actor).await?.into_iter().map(|view| View {
        href: format!("/?{}", view.query),
        own: view.owner == actor.id(),
        name: view.name,
        owner: view.owner,
    });
    Ok(views.collect())
}

async fn silences(text: Text, state: &AppState, actor: &Actor) -> Result<Vec<Quiet>, StoreError> {
    let rows = state.silences(actor).await?.into_iter().map(|row| Quiet {
        words: text.code("alert", &row.code).into_owned(),
        place: if row.station.is_empty() { short(&row.subject) } else { row.station },
        id: row.id,
        reason: row.reason,
        author: row.author,
        ends_at: row.ends_at,
    });
    Ok(rows.collect())
}

/// The beginning of a token: enough to tell travellers apart on a page.
pub(super) fn short(token: &str) -> String {
    token.chars().take(8).collect()
}

/// A clock as the page shows it.
pub(super) fn due_of(text: Text, row: DueRow, now: Timestamp) -> Due {
    let seconds = row.clock.due_at.as_second().saturating_sub(now.as_second());
    Due {
        href: format!("/inspections/{}/{}", row.station, super::encode(&row.inspection)),
        words: text.code("clock", row.clock.kind.as_str()).into_owned(),
        basis: row.clock.basis,
        at: row.clock.due_at,
        left: left(text, seconds),
        shape: match seconds {
            ..=0 => "critical",
            1..=259_200 => "high",
            _ => "info",
        },
        station: row.station,
    }
}

/// How long is left, in the largest unit that says enough; that it is over where it is.
pub(super) fn left(text: Text, seconds: i64) -> String {
    let words = match seconds {
        ..=0 => text.say("left-over"),
        1..7200 => text.say1("left-minutes", "count", seconds / 60),
        7200..172_800 => text.say1("left-hours", "count", seconds / 3600),
        _ => text.say1("left-days", "count", seconds / 86_400),
    };
    words.into_owned()
}

/// By what alerts stand together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Together {
    Inspection,
    Subject,
    Rule,
}

impl Together {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Inspection, "inspection"), (Self::Subject, "subject"), (Self::Rule, "rule")];

    fn read(text: &str) -> Self {
        let known = Self::ALL.into_iter().find(|(_, name)| *name == text);
        known.map_or(Self::Inspection, |(by, _)| by)
    }

    fn choices(self, text: Text) -> Vec<Choice> {
        let choice = |(by, name): (Self, &'static str)| Choice {
            value: name,
            words: text.code("together", name).into_owned(),
            chosen: by == self,
            count: None,
        };
        Self::ALL.into_iter().map(choice).collect()
    }

    fn key(self, row: &AlertRow) -> Option<String> {
        match self {
            Self::Inspection => row.alert.inspection.clone(),
            Self::Subject => row.alert.subject.clone(),
            Self::Rule => row.alert.reasons.first().map(|reason| reason.rule.clone()),
        }
    }

    /// Alerts of one key together, where the first of them stands.
    fn groups(self, rows: Vec<AlertRow>) -> Grouped {
        let mut groups: Grouped = Vec::new();
        let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
        for row in rows {
            let station = row.alert.station.clone();
            let Some(key) = self.key(&row) else {
                groups.push((station, None, vec![row]));
                continue;
            };
            let place = if self == Self::Inspection { station.to_string() } else { String::new() };
            let name = (place, key.clone());
            if let Some(group) = places.get(&name).and_then(|place| groups.get_mut(*place)) {
                group.2.push(row);
            } else {
                places.insert(name, groups.len());
                groups.push((station, Some(key), vec![row]));
            }
        }
        groups
    }

    fn head(self, text: Text, rows: &[AlertRow]) -> Option<String> {
        let key = rows.first().and_then(|row| self.key(row))?;
        match self {
            Self::Inspection => None,
            Self::Subject => Some(text.say1("together-traveller", "token", short(&key)).into()),
            Self::Rule => Some(key),
        }
    }
}

/// The filter of an address. Without a state, all that is not closed and does not lie aside.
pub(super) fn filter_of(
    fields: &Fields,
    now: Timestamp,
    me: &str,
) -> Result<AlertFilter, &'static str> {
    filter_from(
        |name| {
            let joined = fields.all(name).join(",");
            match (name, joined.is_empty()) {
                ("state", true) => OPEN_STATES.join(","),
                ("aside", true) => "hidden".to_owned(),
                _ => joined,
            }
        },
        now,
        me,
    )
}

type Grouped = Vec<(StationId, Option<String>, Vec<AlertRow>)>;

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
        leaves: row
            .departs_at
            .map(|at| at.as_second().saturating_sub(now.as_second()))
            .filter(|seconds| (1..DEPARTURE_NEAR).contains(seconds))
            .map(|seconds| left(text, seconds)),
        snoozed_until: row.snoozed_until.filter(|until| *until > now),
        merged: row.merged_into.is_some(),
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

/// The query of an address without its page, to be kept.
fn kept_query(fields: &Fields) -> String {
    let parts: Vec<String> = fields
        .pairs()
        .iter()
        .filter(|(name, value)| name != "after" && !value.is_empty())
        .map(|(name, value)| format!("{}={}", super::encode(name), super::encode(value)))
        .collect();
    parts.join("&")
}

fn next_address(fields: &Fields, cursor: &str) -> String {
    let kept = kept_query(fields);
    let joined = if kept.is_empty() { "" } else { "&" };
    format!("/?{kept}{joined}after={}", super::encode(cursor))
}

/// The lanes by state, and what lies aside, each keeping the rest of the filter.
fn lanes(text: Text, fields: &Fields, filter: &AlertFilter, counts: &AlertCounts) -> Vec<Lane> {
    let mut rest = fields.clone();
    for name in ["state", "aside", "after"] {
        rest.remove(name);
    }
    let lane = |state: &'static str, count: i64| {
        let mut own = rest.clone();
        own.set("state", state);
        Lane {
            href: format!("/?{}", kept_query(&own)),
            words: text.code("state", state).into_owned(),
            count,
            here: filter.state == state && filter.aside == Aside::Hidden,
        }
    };
    vec![
        lane("new", counts.new),
        lane("claimed", counts.claimed),
        lane("waiting", counts.waiting),
        lane("escalated", counts.escalated),
        lane("closed", counts.closed),
    ]
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
        let until = hours_from(state.clock().now(), fields.get("hours"));
        match fields.get("action").parse::<Action>() {
            Ok(action) => {
                for pick in picked {
                    let act = Act {
                        action,
                        officer: officer.clone(),
                        version: 0,
                        reason: fields.get("reason").to_owned(),
                        text: fields.get("text").to_owned(),
                        to: fields.get("to").to_owned(),
                        until,
                    };
                    match act_on(&state, &actor, pick, act).await {
                        Ok(()) => done += 1,
                        Err(problem) => problems.push(problem),
                    }
                }
            }
            Err(_) if fields.get("action") == "merge" => {
                (done, problems) = merge(&state, &actor, &officer, &picked).await;
            }
            Err(_) => problems.push(text.say("desk-unknown-action").into_owned()),
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

async fn act_on(state: &AppState, actor: &Actor, pick: &str, act: Act) -> Result<(), String> {
    let (version, id) = pick
        .split_once('@')
        .and_then(|(version, id)| Some((version.parse().ok()?, id)))
        .ok_or_else(|| format!("{pick:?}"))?;
    let act = Act { version, ..act };
    let done = state.act(actor, id, &act).await;
    done.map(drop).map_err(|error| format!("{id}: {error}"))
}

/// Lets the first picked alert speak for the others.
async fn merge(
    state: &AppState,
    actor: &Actor,
    officer: &str,
    picked: &[&str],
) -> (usize, Vec<String>) {
    let mut ids = picked.iter().filter_map(|pick| Some(pick.split_once('@')?.1.to_owned()));
    let Some(into) = ids.next() else { return (0, Vec::new()) };
    let ids: Vec<String> = ids.collect();
    match state.merge(actor, officer, &into, &ids).await {
        Ok(merged) => {
            let done = merged.iter().filter(|(_, done)| done.is_ok()).count();
            let problems = merged.into_iter().filter_map(|(_, done)| Some(done.err()?.to_string()));
            (done, problems.collect())
        }
        Err(error) => (0, vec![error.to_string()]),
    }
}

/// So many hours from now; none where that is no number of hours.
pub(super) fn hours_from(now: Timestamp, hours: &str) -> Option<Timestamp> {
    let hours: i64 = hours.parse().ok().filter(|hours| (1..=8760).contains(hours))?;
    now.checked_add(jiff::SignedDuration::from_hours(hours)).ok()
}

const PAGE_ROWS: i64 = 50;
const PICKED_MAX: usize = BULK_MAX;
const DUE_ROWS: i64 = 8;
/// A movement that leaves within a day is counted down to.
const DEPARTURE_NEAR: i64 = 86_400;
const OPEN_STATES: [&str; 4] = ["new", "claimed", "waiting", "escalated"];
