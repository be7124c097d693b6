//! What pages and the programming interface ask: one place that knows store, clock and keys.
//!
//! Plain questions in, plain views out. No HTTP here, no HTML, and nothing that decides.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tidewaiter_proto::alert::AlertState;
use tidewaiter_proto::receipt::Standing;
use tidewaiter_proto::station::StationId;
use tidewaiter_risk::screening::Index;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::inspection::{OpenedRecord, Opener};
pub use crate::store::Act;
use crate::store::{
    ActError, Action, AlertFilter, AlertRow, BundleRow, Change, Decision, InspectionPage,
    InspectionRow, StationRow, Store, StoreError,
};

/// The server as its pages see it. Clones share everything.
#[derive(Clone, Debug)]
pub struct AppState {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Clock,
    opener: Opener,
    night: crate::bundle::Night,
    versions: BTreeMap<String, String>,
    lists: Index,
    stop: CancellationToken,
}

/// A page of alerts with what its head shows.
#[derive(Clone, Debug)]
pub struct AlertList {
    /// The alerts, gravest first, then latest.
    pub rows: Vec<AlertRow>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
    /// How many alerts are in each state, whatever the filter.
    pub counts: AlertCounts,
}

/// How many alerts are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct AlertCounts {
    /// Nobody has them.
    pub new: i64,
    /// Somebody has them.
    pub claimed: i64,
    /// Waiting for something.
    pub waiting: i64,
    /// Passed up.
    pub escalated: i64,
    /// Decided.
    pub closed: i64,
}

/// One alert with all that stands behind it.
#[derive(Clone, Debug)]
pub struct AlertDetail {
    /// The alert.
    pub row: AlertRow,
    /// Its history, oldest first.
    pub decisions: Vec<Decision>,
    /// The inspection it is about, opened.
    pub inspection: Option<InspectionDetail>,
    /// The other inspections of its group, as far as they are here.
    pub group: Vec<InspectionRow>,
    /// What a person may do with it now.
    pub actions: Vec<Action>,
}

/// One inspection, opened.
#[derive(Clone, Debug)]
pub struct InspectionDetail {
    /// Its row in the list.
    pub row: InspectionRow,
    /// Its records, in the order of the ledger.
    pub records: Vec<OpenedRecord>,
    /// How many of its records do not open: erased, or the key never came.
    pub sealed: usize,
    /// Alerts about it, gravest first.
    pub alerts: Vec<AlertRow>,
}

/// One station with what is on disk of it.
#[derive(Clone, Debug)]
pub struct StationView {
    /// Its registration and last presence.
    pub row: StationRow,
    /// What is on disk of its latest epoch; `None` before its first record.
    pub standing: Option<Standing>,
    /// How many records of that epoch are on disk.
    pub held: u64,
    /// How many are missing within it, or known to the station and not here.
    pub missing: u64,
}

impl AppState {
    /// The state of a running server. `stop` ends open event streams.
    pub fn new(
        store: Store,
        clock: Clock,
        opener: Opener,
        night: crate::bundle::Night,
        versions: BTreeMap<String, String>,
        lists: Index,
        stop: CancellationToken,
    ) -> Self {
        Self { inner: Arc::new(Inner { store, clock, opener, night, versions, lists, stop }) }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Versions of policy and lists in force, by name.
    pub fn versions(&self) -> &BTreeMap<String, String> {
        &self.inner.versions
    }

    /// The lists in force.
    pub fn lists(&self) -> &Index {
        &self.inner.lists
    }

    /// Cancelled when the server stops: every open stream ends with it.
    pub fn stop(&self) -> &CancellationToken {
        &self.inner.stop
    }

    /// The time on the demonstration clock; `None` outside demonstrations. Pages that get one say
    /// plainly that all is invented.
    pub fn demonstration(&self) -> Option<Timestamp> {
        self.inner.clock.is_demonstration().then(|| self.inner.clock.now())
    }

    /// A page of alerts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn alerts(
        &self,
        filter: &AlertFilter,
        after: Option<&str>,
        limit: i64,
    ) -> Result<AlertList, StoreError> {
        let page = self.store().alerts(filter, after, limit.clamp(1, PAGE_MAX)).await?;
        let counts = self.store().alert_counts().await?;
        let count = |state: &str| counts.get(state).copied().unwrap_or(0);
        let counts = AlertCounts {
            new: count("new"),
            claimed: count("claimed"),
            waiting: count("waiting"),
            escalated: count("escalated"),
            closed: count("closed"),
        };
        Ok(AlertList { rows: page.rows, next: page.next, counts })
    }

    /// One alert with its history and the records of its inspection.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn alert(&self, id: &str) -> Result<Option<AlertDetail>, StoreError> {
        let Some(row) = self.store().alert(id).await? else { return Ok(None) };
        let decisions = self.store().decisions(id).await?;
        let inspection = match &row.alert.inspection {
            Some(inspection) => self.inspection(&row.alert.station, inspection).await?,
            None => None,
        };
        let mut group = Vec::new();
        for member in row.alert.group.iter().take(GROUP_MAX) {
            group.extend(self.store().inspections_named(member).await?);
        }
        let actions = possible_actions(&row);
        Ok(Some(AlertDetail { row, decisions, inspection, group, actions }))
    }

    /// Does what a person decided about an alert, if it still is at the version the person saw.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn act(&self, id: &str, act: &Act) -> Result<AlertRow, ActError> {
        self.store().act(id, act, self.clock().now()).await
    }

    /// A page of inspections, latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inspections(
        &self,
        station: &str,
        text: &str,
        after: Option<&str>,
        limit: i64,
    ) -> Result<InspectionPage, StoreError> {
        self.store().inspections(station, text, after, limit.clamp(1, PAGE_MAX)).await
    }

    /// One inspection, opened.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inspection(
        &self,
        station: &StationId,
        inspection: &str,
    ) -> Result<Option<InspectionDetail>, StoreError> {
        let Some(row) = self.store().inspection(station, inspection).await? else {
            return Ok(None);
        };
        let opened = self.inner.opener.open(station, &row.key_id).await?;
        let mut records = opened.records;
        records.retain(|opened| opened.record.inspection.as_deref() == Some(inspection));
        let alerts = self.store().alerts_of_inspection(station, inspection).await?;
        Ok(Some(InspectionDetail { row, records, sealed: opened.sealed.len(), alerts }))
    }

    /// Stations in the order of their names, after a name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stations(&self, after: &str, limit: i64) -> Result<Vec<StationView>, StoreError> {
        let mut views = Vec::new();
        for row in self.store().stations(after, limit.clamp(1, PAGE_MAX)).await? {
            views.push(self.station_view(row).await?);
        }
        Ok(views)
    }

    async fn station_view(&self, row: StationRow) -> Result<StationView, StoreError> {
        let Some(epoch) = self.store().epochs(&row.station).await?.last().copied() else {
            return Ok(StationView { row, standing: None, held: 0, missing: 0 });
        };
        let standing = self.store().standing(&row.station, epoch).await?;
        let held = standing.ranges().count();
        let said = row.presence.as_ref().filter(|presence| presence.epoch == epoch);
        let known = said.map_or(0, |presence| presence.seq).max(standing.last());
        let missing = known.saturating_sub(held);
        Ok(StationView { row, standing: Some(standing), held, missing })
    }

    /// Bundles before a number, latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bundles(&self, before: i64, limit: i64) -> Result<Vec<BundleRow>, StoreError> {
        self.store().bundles(before, limit.clamp(1, PAGE_MAX)).await
    }

    /// Makes the night's bundle now; `None` when nothing has arrived since the last.
    ///
    /// # Errors
    /// [`crate::bundle::BundleError`].
    pub async fn night_now(&self) -> Result<Option<BundleRow>, crate::bundle::BundleError> {
        self.inner.night.run().await
    }

    /// Changes after a cursor: waits until there are any. Empty when the server stops.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next_changes(&self, after: i64) -> Result<Vec<Change>, StoreError> {
        let mut commits = self.store().commits();
        loop {
            commits.mark_unchanged();
            let changes = self.store().changes(after, CHANGES_MAX).await?;
            if !changes.is_empty() {
                return Ok(changes);
            }
            // The signal is a hint; another process may have written too.
            tokio::select! {
                () = self.inner.stop.cancelled() => return Ok(Vec::new()),
                changed = commits.changed() => {
                    if changed.is_err() {
                        return Ok(Vec::new());
                    }
                }
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }
}

/// What may be done with an alert in its state.
pub fn possible_actions(row: &AlertRow) -> Vec<Action> {
    if row.alert.state == AlertState::Closed {
        return vec![Action::Comment];
    }
    Action::ALL
        .iter()
        .copied()
        .filter(|action| *action != Action::Release || row.assignee.is_some())
        .collect()
}

/// The most rows of a page.
pub const PAGE_MAX: i64 = 500;
const GROUP_MAX: usize = 50;
const CHANGES_MAX: i64 = 500;
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_secs(1);
