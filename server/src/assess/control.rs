//! Whether the control itself held: high-risk movements with too few inspections, lists that were
//! old when a station decided, and old records that a changed law sees with other eyes.

use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _};
use tidewaiter_people::account::AccountId;
use tidewaiter_people::matter::Matter;
use tidewaiter_proto::alert::AlertCode;
use tidewaiter_proto::body::Body;
use tidewaiter_proto::movement::Movement;
use tidewaiter_proto::record::Record;
use tidewaiter_proto::station::StationId;

use super::Assessor;
use super::judge::Judged;
use super::watch::{KEPT_HOURS, movement_of};
use crate::inspection::MOVEMENT_SEEN;
use crate::store::{Activation, AlertRow, ApprovalRow, InspectionRow, StoreError};

impl Assessor {
    /// Judges by the law in force from now on, where that is another.
    pub(super) async fn take_law(&mut self) -> Result<(), StoreError> {
        let law = self.force.law();
        if Arc::ptr_eq(&law, &self.law) {
            return Ok(());
        }
        self.judge.take_law(&law);
        self.law = law;
        self.law_changed().await
    }

    /// Notes which law is in force and who agreed to it; where it is another than before,
    /// everything known is to be assessed again.
    pub(super) async fn law_changed(&self) -> Result<(), StoreError> {
        let versions = self.judge.versions().clone();
        let before = self.store.activations(1).await?.pop();
        if before.as_ref().is_some_and(|before| before.versions == versions) {
            return Ok(());
        }
        // Asked before it is noted: a program that ends in between asks twice, not never.
        if before.is_some() {
            let inspections = self.store.ask_again().await?;
            tracing::info!(inspections, "policy or lists have changed: all is assessed again");
        }
        let agreed = self.store.agreed_approvals(Matter::ActivatePolicy).await?;
        let of_policy = |row: &ApprovalRow| versions.get(POLICY) == Some(&row.object);
        let approval = agreed.into_iter().rfind(of_policy);
        let by = |id: &AccountId| id.as_str().to_owned();
        let activation = Activation {
            at: self.clock.now(),
            versions,
            proposed_by: approval.as_ref().map(|row| by(&row.asked_by)),
            confirmed_by: approval.as_ref().and_then(|row| row.agreed_by.as_ref().map(by)),
        };
        self.store.activate(activation, approval).await
    }

    /// Takes up the movements that were seen before the program started.
    pub(super) async fn watch_again(&mut self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let since = now.checked_sub((2 * KEPT_HOURS).hours()).unwrap_or(now);
        // A movement may be announced for a later day.
        for (station, key) in self.store.keys_of_type(MOVEMENT_SEEN, "", since, now).await? {
            let opened = self.opener.open(&station, &key).await?;
            for opened in opened.records {
                self.watch_movement(&opened.record);
            }
        }
        Ok(())
    }

    /// Takes note of what belongs to no inspection.
    pub(super) fn take_loose(&mut self, station: &StationId, record: &Record) {
        self.watch_movement(record);
        let applied = matches!(record.body, Body::PolicyApplied(_));
        if let Some(known) = self.applied.get_mut(station).filter(|_| applied)
            && !known.iter().any(|own| (own.epoch, own.seq) == (record.epoch, record.seq))
        {
            known.push(record.clone());
        }
    }

    fn watch_movement(&mut self, record: &Record) {
        if let Some(left) = self.judge.high_risk_departure(record) {
            self.watch.take(record.clone(), left, self.judge.wait_hours());
        }
    }

    /// What the station had applied last at an instant.
    pub(super) async fn applied_at(
        &mut self,
        station: &StationId,
        at: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        if !self.applied.contains_key(station) {
            let mut records = Vec::new();
            let (since, until) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
            let place = station.as_str();
            for (_, key) in self.store.keys_of_type(POLICY_APPLIED, place, since, until).await? {
                let opened = self.opener.open(station, &key).await?;
                let loose = opened.records.into_iter().map(|opened| opened.record);
                records.extend(loose.filter(|r| matches!(r.body, Body::PolicyApplied(_))));
            }
            self.applied.insert(station.clone(), records);
        }
        let known = self.applied.get(station).map(Vec::as_slice).unwrap_or_default();
        let before = known.iter().filter(|record| record.at <= at);
        Ok(before.max_by_key(|record| (record.at, record.epoch, record.seq)).cloned())
    }

    /// Looks at the movements that are due.
    pub(super) async fn look_at_movements(&mut self) -> Result<(), StoreError> {
        let now = self.clock.now();
        for record in self.watch.due(now) {
            let Some(movement) = movement_of(&record) else { continue };
            let mut records = vec![record.clone()];
            for row in self.inspections_of(record.station.site(), record.at, movement).await? {
                let opened = self.opener.open(&row.station, &row.key_id).await?;
                records.extend(opened.records.into_iter().map(|opened| opened.record));
            }
            let found = self.judge.coverage(&record.station, now, &records);
            let gone: Vec<AlertRow> = self
                .store
                .standing_at(record.station.site(), AlertCode::CoverageGap)
                .await?
                .into_iter()
                .filter(|row| row.alert.station == record.station)
                .filter(|row| row.alert.reasons.iter().any(|r| r.records == [record.seq]))
                .filter(|row| found.iter().all(|alert| alert.id != row.alert.id))
                .collect();
            if !found.is_empty() || !gone.is_empty() {
                self.store.put_alerts(found, gone, now).await?;
            }
        }
        Ok(())
    }

    /// Inspections of a site that may be of a movement.
    async fn inspections_of(
        &self,
        site: &str,
        at: Timestamp,
        movement: &Movement,
    ) -> Result<Vec<InspectionRow>, StoreError> {
        let around = movement.scheduled.unwrap_or(at);
        let since = around.checked_sub(AROUND_HOURS.hours()).unwrap_or(around);
        let until = around.checked_add(AROUND_HOURS.hours()).unwrap_or(around);
        let first = (Timestamp::MIN, "", "");
        let rows = self
            .store
            .inspections_between(Some(site), since, until, first, INSPECTIONS_MAX)
            .await?;
        let vessel = movement.vessel.as_ref().map(|vessel| vessel.name.clone());
        let names: Vec<String> = movement.designator().into_iter().chain(vessel).collect();
        // What tells them apart may be the tail alone, which a row does not have.
        let may_be = |row: &InspectionRow| {
            let named = row.designator.as_ref();
            movement.tail.is_some()
                || named.is_none_or(|own| names.iter().any(|name| name.eq_ignore_ascii_case(own)))
        };
        Ok(rows.into_iter().filter(may_be).collect())
    }

    /// Adds to what was found of an inspection that a changed list sees it with other eyes.
    pub(super) async fn look_back(
        &self,
        row: &InspectionRow,
        judged: &mut Judged,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(before) = self.store.inspection(&row.station, &row.inspection).await? else {
            return Ok(());
        };
        let matched = judged.alerts.iter().any(|alert| alert.code == AlertCode::ListMatch);
        if !matched {
            return Ok(());
        }
        let stored = self.store.alerts_of_inspection(&row.station, &row.inspection).await?;
        let unchanged = before.records == row.records;
        let more = self.judge.looking_back(&judged.alerts, &stored, unchanged, now);
        judged.alerts.extend(more);
        Ok(())
    }
}

/// The policy's name among the versions in force.
const POLICY: &str = "policy";
const POLICY_APPLIED: &str = "policy_applied";
/// An inspection may be so long before or after its movement's time.
const AROUND_HOURS: i64 = 48;
const INSPECTIONS_MAX: i64 = 5000;
