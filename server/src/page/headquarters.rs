//! Headquarters' page: the bundles received, each check, and what they hold.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use tidewaiter_people::role::Permission;
use tidewaiter_web::answer::page;
use tidewaiter_web::frame::Frame;
use tidewaiter_web::text::Text;
use tidewaiter_web::visit::Visit;

use super::{failure, link};
use crate::bundle::manifest::Manifest;
use crate::bundle::receipt::{BundleReceipt, Check, SignedReceipt};
use crate::clock::Clock;
use crate::http::guard::{Need, Routes};
use crate::people::People;
use crate::people::reception::{NavigationPage, Reception};
use crate::store::{IncomingRow, Store};

/// What headquarters' page asks.
#[derive(Clone, Debug)]
pub struct HeadquartersView {
    /// Headquarters' own store.
    pub store: Store,
    /// Its clock.
    pub clock: Clock,
    /// Its name.
    pub name: String,
    /// Who may do what here: accounts of its own.
    pub people: People,
}

/// The navigation of headquarters.
pub(crate) const PAGES: &[NavigationPage] = &[
    link("/", "desk-bundles", Permission::BundleRead, true),
    link("/people", "people-people", Permission::AccountManage, false),
    link("/audit", "people-audit", Permission::AuditRead, true),
];

/// Headquarters' pages, each with what it needs.
pub(crate) fn routes(routes: Routes<HeadquartersView>) -> Routes<HeadquartersView> {
    super::people_routes(routes.get("/", Need::Right(Permission::BundleRead), show))
}

#[derive(Template)]
#[template(path = "headquarters/bundles.html")]
pub(super) struct HeadquartersPage {
    pub(super) frame: Frame,
    pub(super) bundles: Vec<Bundle>,
    pub(super) accepted: usize,
    pub(super) refused: usize,
}

/// One bundle as the page shows it.
pub(super) struct Bundle {
    pub(super) server: String,
    pub(super) name: String,
    pub(super) received_at: Timestamp,
    pub(super) accepted: bool,
    pub(super) checks: Vec<CheckLine>,
    pub(super) records_sent: Option<u64>,
    pub(super) records_taken: Option<u64>,
    pub(super) stations: Vec<Covered>,
    pub(super) totals: Vec<Totals>,
    pub(super) sealed: u64,
    pub(super) manifest_sha256: String,
}

/// One check in words.
pub(super) struct CheckLine {
    pub(super) words: String,
    pub(super) passed: bool,
    pub(super) detail: String,
}

/// What a bundle holds of one station.
pub(super) struct Covered {
    pub(super) station: String,
    pub(super) epoch: u64,
    pub(super) records: u64,
    pub(super) ranges: String,
    pub(super) gaps: String,
}

/// Declared and counted in one currency.
pub(super) struct Totals {
    pub(super) currency: String,
    pub(super) declared: String,
    pub(super) counted: String,
}

async fn show(
    State(view): State<HeadquartersView>,
    State(reception): State<Reception>,
    visit: Visit,
) -> Response {
    let rows = match view.store.incoming(BUNDLES_MAX).await {
        Ok(rows) => rows,
        Err(error) => return failure::failed(&visit, &error),
    };
    let text = visit.text;
    let mut frame = reception.frame(&visit, text.say("hq-title"), "/");
    frame.name.clone_from(&view.name);
    frame.refresh_seconds = 5;
    page(&build(frame, rows))
}

/// The page of bundles, from the rows of the store.
pub(super) fn build(frame: Frame, rows: Vec<IncomingRow>) -> HeadquartersPage {
    let bundles: Vec<Bundle> = rows.into_iter().map(|row| bundle(frame.text, row)).collect();
    let accepted = bundles.iter().filter(|bundle| bundle.accepted).count();
    HeadquartersPage { refused: bundles.len() - accepted, accepted, bundles, frame }
}

/// A manifest or receipt that cannot be read leaves its part of the page empty; the checks say why.
fn bundle(text: Text, row: IncomingRow) -> Bundle {
    let manifest: Option<Manifest> = serde_json::from_str(&row.manifest).ok();
    let receipt: Option<BundleReceipt> = serde_json::from_str::<SignedReceipt>(&row.receipt)
        .ok()
        .and_then(|signed| serde_json::from_str(&signed.signed).ok());
    let checks: Vec<Check> = serde_json::from_str(&row.checks).unwrap_or_default();
    let sum = |manifest: &Manifest| manifest.stations.iter().map(|entry| entry.records).sum();
    Bundle {
        server: row.server,
        name: row.name,
        received_at: row.received_at,
        accepted: row.accepted,
        checks: checks
            .into_iter()
            .map(|check| CheckLine {
                words: text.code("hq-check", &check.name).into_owned(),
                passed: check.passed,
                detail: check.detail,
            })
            .collect(),
        records_sent: manifest.as_ref().map(sum),
        records_taken: receipt.map(|receipt| receipt.records),
        stations: manifest.iter().flat_map(|manifest| &manifest.stations).map(covered).collect(),
        totals: manifest
            .iter()
            .flat_map(|manifest| &manifest.totals)
            .map(|(currency, total)| Totals {
                currency: currency.to_string(),
                declared: text.number(total.declared),
                counted: text.number(total.counted),
            })
            .collect(),
        sealed: manifest.as_ref().map_or(0, |manifest| manifest.sealed_records),
        manifest_sha256: row.manifest_sha256,
    }
}

fn covered(entry: &crate::bundle::manifest::StationEntry) -> Covered {
    Covered {
        station: entry.station.to_string(),
        epoch: entry.epoch,
        records: entry.records,
        ranges: spans(&entry.ranges),
        gaps: spans(&entry.gaps),
    }
}

/// `1–40, 43–51`
fn spans(ranges: &[(u64, u64)]) -> String {
    let spans: Vec<String> = ranges
        .iter()
        .map(
            |(first, last)| {
                if first == last { first.to_string() } else { format!("{first}–{last}") }
            },
        )
        .collect();
    spans.join(", ")
}

impl Bundle {
    fn counts_equal(&self) -> bool {
        self.records_sent.is_some() && self.records_sent == self.records_taken
    }
}

const BUNDLES_MAX: i64 = 60;
