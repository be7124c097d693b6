//! What pages and the programming interface ask: one place that knows store, clock and keys.
//!
//! Plain questions in, plain views out. No HTTP here, no HTML, and nothing that decides.

use std::sync::Arc;

use jiff::Timestamp;
use tidewaiter_people::account::Reach;
use tidewaiter_people::role::Permission;
use tidewaiter_proto::alert::AlertState;
use tidewaiter_proto::receipt::Standing;
use tidewaiter_proto::station::StationId;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::inspection::{OpenedRecord, Opener};
use crate::law::Law;
use crate::law::force::Force;
use crate::people::{Actor, People, PeopleError};
pub use crate::store::Act;
use crate::store::{
    ActError, Action, AlertFilter, AlertRow, AttachmentRow, BundleRow, CaseRow, Change, ClockRow,
    Decision, InspectionPage, InspectionRow, Note, OrderRow, StationRow, Store, StoreError,
};

mod case;
mod desk;
mod figures;
mod filter;
mod find;
mod links;
mod policy;
mod second;

pub use case::{CaseView, ExportError};
pub use desk::{
    ATTACHED_BYTES_MAX, BULK_MAX, DeskError, OrderAsk, Present, Quieting, kind_of_content,
};
pub(crate) use figures::by_way;
pub use figures::{Cell, Figure, FigureName, Figures};
pub use filter::filter_from;
pub use find::{Found, FoundWhy, Question};
pub use links::LinksError;
pub use policy::{Changes, PolicyView, Proposal, ProposeError, Proposed, RuleChange, RuleView};
use second::takes_two;
pub use second::{AnswerError, AskError, Asking, GLASS_ROLES, Matters};

/// The server as its pages see it. Clones share everything.
#[derive(Clone, Debug)]
pub struct AppState {
    inner: Arc<Parts>,
    /// Who looks at which alert.
    present: Arc<Present>,
}

/// What a running server's pages and interface work with.
#[derive(Debug)]
pub struct Parts {
    /// What is on disk.
    pub store: Store,
    /// The time of records and alerts.
    pub clock: Clock,
    /// Who may do what.
    pub people: People,
    /// Opens records.
    pub opener: Opener,
    /// Makes the night's bundle.
    pub night: crate::bundle::Night,
    /// The law in force.
    pub force: Force,
    /// Ends open event streams.
    pub stop: CancellationToken,
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
    /// Alerts for which it speaks.
    pub merged: Vec<AlertRow>,
    /// What the desk asked of the station.
    pub orders: Vec<OrderRow>,
    /// Files beside it.
    pub attachments: Vec<AttachmentRow>,
    /// Case files that it is in.
    pub cases: Vec<CaseRow>,
    /// What has to be done by when about its inspection.
    pub clocks: Vec<ClockRow>,
    /// The traveller's other inspections, at the sites that this person may see.
    pub history: Vec<InspectionRow>,
    /// Others who look at it now.
    pub others: Vec<String>,
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
    /// The state of a running server.
    pub fn new(parts: Parts) -> Self {
        Self { inner: Arc::new(parts), present: Arc::new(Present::default()) }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The people of this server.
    pub fn people(&self) -> &People {
        &self.inner.people
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The policy and the lists in force now.
    pub fn law(&self) -> Arc<Law> {
        self.inner.force.law()
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

    /// A page of the alerts that this person may see.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn alerts(
        &self,
        actor: &Actor,
        filter: &AlertFilter,
        after: Option<&str>,
        limit: i64,
    ) -> Result<AlertList, StoreError> {
        let sites = sites(actor, Permission::AlertRead);
        let now = self.clock().now();
        let filter = AlertFilter { sites: sites.clone(), now, ..filter.clone() };
        let page = self.store().alerts(&filter, after, limit.clamp(1, PAGE_MAX)).await?;
        let counts = self.store().alert_counts(&sites).await?;
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

    /// One alert with its history and the records of its inspection; that it was read is kept.
    /// What a person may not see is not there for them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn alert(&self, actor: &Actor, id: &str) -> Result<Option<AlertDetail>, StoreError> {
        let Some(row) = self.store().alert(id).await? else { return Ok(None) };
        if !actor.account.may_at(Permission::AlertRead, row.alert.station.site()) {
            return Ok(None);
        }
        self.noted(actor, "alert_read", id.to_owned()).await?;
        let decisions = self.store().decisions(id).await?;
        let inspection = match &row.alert.inspection {
            Some(inspection) => self.opened(&row.alert.station, inspection).await?,
            None => None,
        };
        let mut group = Vec::new();
        for member in row.alert.group.iter().take(GROUP_MAX) {
            group.extend(self.store().inspections_named(member).await?);
        }
        let actions = possible_actions(&row);
        let mut clocks = Vec::new();
        let mut history = Vec::new();
        if let Some(detail) = &inspection {
            let InspectionRow { station, inspection, subject, .. } = &detail.row;
            clocks = self.store().clocks_of(station, inspection).await?;
            if let Some(subject) = subject {
                let sites = sites(actor, Permission::InspectionRead);
                history = self.store().inspections_of_subject(&sites, subject, HISTORY).await?;
                history.retain(|row| (&row.station, &row.inspection) != (station, inspection));
            }
        }
        self.store().seen(actor.id(), id, self.clock().now()).await?;
        Ok(Some(AlertDetail {
            merged: self.store().merged(id).await?,
            orders: self.store().orders_of(id).await?,
            attachments: self.store().attachments(id).await?,
            cases: self.store().cases_of(id).await?,
            others: self.present.look(id, actor.id()),
            row,
            decisions,
            inspection,
            group,
            actions,
            clocks,
            history,
        }))
    }

    /// Does what a person decided about an alert, if it still is at the version the person saw.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn act(&self, actor: &Actor, id: &str, act: &Act) -> Result<AlertRow, ActError> {
        let row = self.store().alert(id).await?;
        let may =
            |row: &AlertRow| actor.account.may_at(Permission::AlertAct, row.alert.station.site());
        let Some(row) = row.filter(may) else { return Err(ActError::Unknown(id.to_owned())) };
        if act.action == Action::Close && takes_two(actor, &row) {
            return self.ask_to_close(actor, row, act).await;
        }
        self.store().act(id, act, None, self.clock().now()).await
    }

    /// A page of the inspections that this person may see, latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inspections(
        &self,
        actor: &Actor,
        station: &str,
        text: &str,
        after: Option<&str>,
        limit: i64,
    ) -> Result<InspectionPage, StoreError> {
        let sites = sites(actor, Permission::InspectionRead);
        self.store().inspections(&sites, station, text, after, limit.clamp(1, PAGE_MAX)).await
    }

    /// One inspection, opened; that it was read is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inspection(
        &self,
        actor: &Actor,
        station: &StationId,
        inspection: &str,
    ) -> Result<Option<InspectionDetail>, StoreError> {
        if !actor.account.may_at(Permission::InspectionRead, station.site()) {
            return Ok(None);
        }
        let detail = self.opened(station, inspection).await?;
        if detail.is_some() {
            self.noted(actor, "inspection_read", format!("{station} {inspection}")).await?;
        }
        Ok(detail)
    }

    /// Keeps that somebody read something; then it may be shown.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn noted(
        &self,
        actor: &Actor,
        action: &'static str,
        object: String,
    ) -> Result<(), StoreError> {
        let note = Note::done(actor.id(), action, object);
        self.people().note(note).await.map_err(|error| match error {
            PeopleError::Store(error) => error,
            _ => StoreError::Stopped,
        })
    }

    async fn opened(
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
    pub async fn stations(
        &self,
        actor: &Actor,
        after: &str,
        limit: i64,
    ) -> Result<Vec<StationView>, StoreError> {
        let mut views = Vec::new();
        let sites = sites(actor, Permission::StationRead);
        for row in self.store().stations(&sites, after, limit.clamp(1, PAGE_MAX)).await? {
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

/// The sites where somebody may do this, as the store's filters take them.
pub fn sites(actor: &Actor, permission: Permission) -> String {
    match actor.reach(permission) {
        Reach::Everywhere => String::new(),
        // No site is named so: the filter lets nothing through.
        Reach::Sites(sites) if sites.is_empty() => "-".to_owned(),
        Reach::Sites(sites) => sites.into_iter().collect::<Vec<_>>().join(","),
    }
}

/// What may be done with an alert in its state.
pub fn possible_actions(row: &AlertRow) -> Vec<Action> {
    if row.alert.state == AlertState::Closed {
        return vec![Action::Comment, Action::Reopen];
    }
    Action::ALL
        .iter()
        .copied()
        .filter(|action| *action != Action::Release || row.assignee.is_some())
        .filter(|action| *action != Action::Reopen)
        .collect()
}

/// The most rows of a page.
pub const PAGE_MAX: i64 = 500;
const GROUP_MAX: usize = 50;
/// So many of a traveller's other inspections are shown.
const HISTORY: i64 = 20;
const CHANGES_MAX: i64 = 500;
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_secs(1);
