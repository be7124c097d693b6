//! Assessment: what waits in the store becomes alerts, as soon as it is committed.
//!
//! Opens the touched inspection, has it judged, keeps what was found in one transaction with the
//! work's end; several share a commit, so that a backlog is not held up by the disk. The judging is [`judge`]'s and reads no clock; the time comes from here.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use tidewaiter_proto::alert::Alert;
use tidewaiter_proto::body::Body;
use tidewaiter_proto::record::Record;
use tidewaiter_proto::station::StationId;
use tokio_util::sync::CancellationToken;

use crate::authority::Authority;
use crate::clock::Clock;
use crate::facts::facts;
use crate::inspection::{OpenedRecord, Opener, summary};
use crate::law::Law;
use crate::law::force::Force;
use crate::store::{InspectionRow, LedgerFinding, Pending, PendingWork, Store, StoreError};

mod control;
pub mod judge;
mod ledger;
pub(crate) mod together;
mod watch;

use judge::{Judge, Judged};
use together::Together;
use watch::Watch;

/// Turns waiting work into alerts.
#[derive(Debug)]
pub struct Assessor {
    store: Store,
    opener: Opener,
    force: Force,
    /// What the judge judges by.
    law: Arc<Law>,
    judge: Judge,
    clock: Clock,
    watch: Watch,
    done: Vec<Done>,
    /// What each station had applied when, as far as somebody asked.
    applied: HashMap<StationId, Vec<Record>>,
}

/// What was judged and is not on disk yet.
#[derive(Debug)]
struct Done {
    pending: Pending,
    rows: Vec<InspectionRow>,
    alerts: Vec<Alert>,
    now: Timestamp,
}

impl Assessor {
    /// An assessor over a store, by the law in force; without a jurisdiction by that of each
    /// station.
    pub fn new(
        store: Store,
        opener: Opener,
        force: Force,
        jurisdiction: Option<String>,
        authority: &Authority,
        clock: Clock,
    ) -> Self {
        let law = force.law();
        let judge = Judge::by(&law, jurisdiction, authority);
        let (watch, done, applied) = (Watch::default(), Vec::new(), HashMap::new());
        Self { store, opener, force, law, judge, clock, watch, done, applied }
    }

    /// Assesses what waits and what comes, until `stop`.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails: nothing is assessed any more then.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), StoreError> {
        self.remember().await?;
        self.law_changed().await?;
        self.watch_again().await?;
        let mut commits = self.store.commits();
        loop {
            commits.mark_unchanged();
            while self.work().await? > 0 {
                if stop.is_cancelled() {
                    return Ok(());
                }
            }
            self.look_at_movements().await?;
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                changed = commits.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                }
                // Another process may have asked.
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    /// Does what waits now; gives how much it was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn work(&mut self) -> Result<usize, StoreError> {
        self.take_law().await?;
        let waiting = self.store.pending(AT_ONCE).await?;
        let count = waiting.len();
        for pending in waiting {
            self.one(pending).await?;
        }
        self.keep().await?;
        Ok(count)
    }

    /// Keeps what was judged, in as few commits as may be.
    async fn keep(&mut self) -> Result<(), StoreError> {
        let done = std::mem::take(&mut self.done);
        let keeping = done.into_iter().map(|Done { pending, rows, alerts, now }| {
            self.store.put_assessment(pending, rows, alerts, now)
        });
        join_all(keeping).await.into_iter().collect()
    }

    /// Brings what earlier inspections say back to mind.
    async fn remember(&mut self) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let page = self.store.digests(&after, DIGESTS_AT_ONCE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after.clone_from(last);
            for (_, digest) in &page {
                self.judge.remember(digest);
            }
        }
    }

    async fn one(&mut self, pending: Pending) -> Result<(), StoreError> {
        match pending.work.clone() {
            PendingWork::Ledger(station, finding) => {
                let now = self.clock.now();
                let alert = ledger::alert(&station, &finding, now);
                self.store.put_ledger_alert(pending, alert, now).await?;
                Ok(())
            }
            PendingWork::Inspection(station, key) => self.inspections(pending, station, key).await,
        }
    }

    async fn inspections(
        &mut self,
        pending: Pending,
        station: StationId,
        key: [u8; 16],
    ) -> Result<(), StoreError> {
        let opened = self.opener.open(&station, &key).await?;
        if !opened.sealed.is_empty() && opened.records.is_empty() {
            let finding = LedgerFinding::Unreadable { key: hex::encode(key) };
            self.store.ask(PendingWork::Ledger(station, finding)).await?;
            return self.store.drop_pending(pending).await;
        }
        for opened in opened.records.iter().filter(|opened| opened.record.inspection.is_none()) {
            self.take_loose(&station, &opened.record);
        }
        let mut cases = Vec::new();
        for (inspection, records) in by_inspection(opened.records) {
            let Some(row) = summary(&station, &inspection, key, &records) else { continue };
            let mut together = Together { rows: vec![row], records: Vec::new() };
            together.records.extend(records.into_iter().map(|opened| opened.record));
            if together.records.iter().any(|r| matches!(r.body, Body::InspectionLinked(_))) {
                // The other one may have been judged just now.
                self.keep().await?;
            }
            together.follow_links(&self.store, &self.opener).await?;
            cases.push(together);
        }
        let now = self.clock.now();
        let (mut rows, mut alerts) = (Vec::new(), Vec::new());
        for mut case in cases {
            let mut judged = self.judged(&station, now, &mut case).await?;
            if let Some(row) = case.rows.first() {
                self.look_back(row, &mut judged, now).await?;
                if self.judge.has_shadow() {
                    let name = (row.station.clone(), row.inspection.clone());
                    let hits = judged.shadow_of(&name.1);
                    self.store.put_shadow(name, hits, now).await?;
                }
            }
            for row in &mut case.rows {
                row.digest = judged.digest_of(&row.station, &row.inspection);
            }
            if let Some(row) = case.rows.first_mut() {
                let own = |record: &&Record| {
                    record.station == row.station
                        && record.inspection.as_deref() == Some(row.inspection.as_str())
                };
                let own: Vec<Record> = case.records.iter().filter(own).cloned().collect();
                let calendar = self.judge.calendar(&row.station, now);
                row.facts = facts(&self.opener, &own, &judged.alerts, &calendar);
            }
            for row in case.rows.iter().filter_map(|row| row.digest.as_deref()) {
                self.judge.remember(row);
            }
            rows.append(&mut case.rows);
            alerts.extend(judged.alerts);
        }
        self.done.push(Done { pending, rows, alerts, now });
        Ok(())
    }

    /// Judges a case with what its station had applied when it was decided.
    async fn judged(
        &mut self,
        station: &StationId,
        now: Timestamp,
        case: &mut Together,
    ) -> Result<Judged, StoreError> {
        for record in &case.records {
            if let Body::InspectionOpened(opened) = &record.body {
                self.watch.touch(record.station.site(), &opened.movement);
            }
        }
        if let Some(decided) = case.records.iter().map(|record| record.at).max() {
            let applied = self.applied_at(station, decided).await?;
            case.records.extend(applied);
        }
        Ok(self.judge.judge(station, now, &case.records))
    }
}

/// Records by their inspection; what belongs to none is about the station and not judged here.
fn by_inspection(records: Vec<OpenedRecord>) -> BTreeMap<String, Vec<OpenedRecord>> {
    let mut groups: BTreeMap<String, Vec<OpenedRecord>> = BTreeMap::new();
    for opened in records {
        if let Some(inspection) = opened.record.inspection.clone() {
            groups.entry(inspection).or_default().push(opened);
        }
    }
    groups
}

/// So many that a commit is worth it, so few that a new alarm does not wait long for their end.
const AT_ONCE: i64 = 32;
const DIGESTS_AT_ONCE: i64 = 1000;
const LOOK_AGAIN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
