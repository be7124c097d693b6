//! Case files: gathering alerts of one matter, and handing them over.

use tidewaiter_people::role::Permission;

use super::desk::id;
use super::{AppState, DeskError, InspectionDetail};
use crate::case::build::{CaseError, Taking, gather, sign};
use crate::people::Actor;
use crate::store::{AlertRow, CaseRow, Note, StoreError};

/// A case file as its page shows it.
#[derive(Clone, Debug)]
pub struct CaseView {
    /// The case.
    pub row: CaseRow,
    /// Its alerts, as far as this person may see them.
    pub alerts: Vec<AlertRow>,
    /// Their inspections, opened.
    pub inspections: Vec<InspectionDetail>,
}

/// Why a case was not handed over.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// No such case, or not all of it is for this person to see.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// It takes a second person.
    #[error("personal data leaves by two: ask for it, and fetch it once a second person agrees")]
    TakesTwo,
    /// It could not be made.
    #[error(transparent)]
    Case(#[from] CaseError),
}

impl AppState {
    /// Opens a case file with an alert, and with those of the same inspection and group.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn make_case(
        &self,
        actor: &Actor,
        title: &str,
        alerts: &[String],
    ) -> Result<CaseRow, DeskError> {
        let title = title.trim();
        if title.is_empty() || title.chars().count() > 200 {
            return Err(DeskError::NotValid("a case needs a title of 1 to 200 characters"));
        }
        let mut gathered: Vec<String> = Vec::new();
        for alert in alerts.iter().take(ALERTS_MAX) {
            for one in self.matter_of(actor, alert).await? {
                if !gathered.contains(&one) && gathered.len() < ALERTS_MAX {
                    gathered.push(one);
                }
            }
        }
        if gathered.is_empty() {
            return Err(DeskError::NotValid("a case begins with an alert"));
        }
        let case = CaseRow {
            id: id()?,
            title: title.to_owned(),
            made_by: actor.id().to_owned(),
            made_at: self.clock().now(),
            alerts: gathered,
        };
        let note = Note::done(actor.id(), "case_made", case.id.clone())
            .with("alerts", case.alerts.len().to_string());
        self.store().make_case(case.clone(), note, self.people().now()).await?;
        Ok(case)
    }

    /// An alert and those of the same inspection and group.
    async fn matter_of(&self, actor: &Actor, id: &str) -> Result<Vec<String>, DeskError> {
        let unknown = || DeskError::Unknown(format!("alert {id:?}"));
        let row = self.store().alert(id).await?.filter(|row| may_read(actor, row));
        let row = row.ok_or_else(unknown)?;
        let mut ids = vec![row.alert.id.clone()];
        let mut add = |rows: Vec<AlertRow>| {
            let seen = rows.into_iter().filter(|row| may_read(actor, row));
            for other in seen.map(|row| row.alert.id) {
                if !ids.contains(&other) {
                    ids.push(other);
                }
            }
        };
        if let Some(inspection) = &row.alert.inspection {
            add(self.store().alerts_of_inspection(&row.alert.station, inspection).await?);
        }
        for member in row.alert.group.iter().take(50) {
            for inspection in self.store().inspections_named(member).await? {
                let (station, name) = (&inspection.station, &inspection.inspection);
                add(self.store().alerts_of_inspection(station, name).await?);
            }
        }
        Ok(ids)
    }

    /// Adds an alert to a case file.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn add_to_case(
        &self,
        actor: &Actor,
        case: &str,
        alert: &str,
    ) -> Result<(), DeskError> {
        let row = self.case_row(actor, case).await?;
        let seen = self.store().alert(alert).await?.filter(|row| may_read(actor, row));
        if seen.is_none() {
            return Err(DeskError::Unknown(format!("alert {alert:?}")));
        }
        if row.alerts.len() >= ALERTS_MAX {
            return Err(DeskError::NotValid("a case holds 200 alerts at most"));
        }
        let note = Note::done(actor.id(), "case_added", case).with("alert", alert);
        let when = (self.clock().now(), self.people().now());
        Ok(self.store().add_to_case(case, alert, actor.id(), note, when).await?)
    }

    /// A case file, if all its alerts are this person's to see: a matter is not seen in part.
    pub(super) async fn case_row(&self, actor: &Actor, id: &str) -> Result<CaseRow, DeskError> {
        let unknown = || DeskError::Unknown(format!("case {id:?}"));
        let case = self.store().case(id).await?.ok_or_else(unknown)?;
        for alert in &case.alerts {
            let row = self.store().alert(alert).await?;
            if row.is_some_and(|row| !may_read(actor, &row)) {
                return Err(unknown());
            }
        }
        Ok(case)
    }

    /// Case files that this person may see, latest first, after a cursor.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn cases(
        &self,
        actor: &Actor,
        after: Option<&str>,
        limit: i64,
    ) -> Result<(Vec<CaseRow>, Option<String>), StoreError> {
        let before = after.and_then(|cursor| {
            let (at, id) = cursor.split_once('_')?;
            Some((at.parse().ok()?, id.to_owned()))
        });
        let limit = limit.clamp(1, super::PAGE_MAX);
        let mut rows = self.store().cases(before, limit + 1).await?;
        let wanted = usize::try_from(limit).unwrap_or(0);
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|row| format!("{}_{}", row.made_at.as_microsecond(), row.id));
        let mut seen = Vec::new();
        for row in rows {
            match self.case_row(actor, &row.id).await {
                Ok(row) => seen.push(row),
                Err(DeskError::Store(error)) => return Err(error),
                Err(_) => {}
            }
        }
        Ok((seen, next))
    }

    /// A case file opened; that it was read is kept.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn case(&self, actor: &Actor, id: &str) -> Result<CaseView, DeskError> {
        let row = self.case_row(actor, id).await?;
        self.noted(actor, "case_read", id.to_owned()).await?;
        let (mut alerts, mut inspections): (Vec<AlertRow>, Vec<InspectionDetail>) =
            (Vec::new(), Vec::new());
        for alert in &row.alerts {
            let Some(alert) = self.store().alert(alert).await? else { continue };
            if let Some(inspection) = &alert.alert.inspection {
                let station = &alert.alert.station;
                let known = inspections.iter().any(|detail| {
                    (&detail.row.station, &detail.row.inspection) == (station, inspection)
                });
                if !known {
                    inspections.extend(self.opened(station, inspection).await?);
                }
            }
            alerts.push(alert);
        }
        Ok(CaseView { row, alerts, inspections })
    }

    /// Hands a case over where nobody has to agree: in a demonstration that nobody locked.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn export_case(
        &self,
        actor: &Actor,
        id: &str,
        reason: &str,
    ) -> Result<Vec<u8>, ExportError> {
        if actor.session.is_some() {
            return Err(ExportError::TakesTwo);
        }
        if reason.trim().is_empty() {
            return Err(DeskError::NotValid("a reason is needed").into());
        }
        self.case_bytes(actor, id, reason.trim()).await
    }

    /// The signed bytes of a case, with its note in the audit.
    ///
    /// # Errors
    /// [`ExportError`].
    pub(super) async fn case_bytes(
        &self,
        actor: &Actor,
        id: &str,
        reason: &str,
    ) -> Result<Vec<u8>, ExportError> {
        let row = self.case_row(actor, id).await?;
        let night = &self.inner.night;
        let taking = Taking {
            server: night.server().to_owned(),
            by: actor.id().to_owned(),
            at: self.clock().now(),
            reason: reason.to_owned(),
            versions: self.law().versions(),
        };
        let case = gather(self.store(), &self.inner.opener, &row, taking).await?;
        let bytes = sign(&case, night.signer())?;
        let note = Note::done(actor.id(), "case_exported", id)
            .with("reason", reason)
            .with("sha256", crate::bundle::manifest::sha256(&bytes));
        self.store().note(note, self.people().now()).await.map_err(DeskError::from)?;
        Ok(bytes)
    }
}

fn may_read(actor: &Actor, row: &AlertRow) -> bool {
    let site = row.alert.station.site();
    actor.account.may_at(Permission::AlertRead, site)
        && actor.account.may_at(Permission::InspectionRead, site)
}

const ALERTS_MAX: usize = 200;
