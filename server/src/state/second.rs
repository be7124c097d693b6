//! What takes two persons at the desk: asked for here, answered here.

use tidewaiter_people::matter::{Matter, Refused};
use tidewaiter_people::role::Permission;
use tidewaiter_proto::alert::{AlertCode, AlertState};
use tidewaiter_proto::seal::random;

use super::{AppState, sites};
use crate::people::Actor;
use crate::store::{Act, ActError, Action, Agreed, AlertRow, ApprovalRow, Note, StoreError};

/// Matters that wait for a second person, and which of them this person may answer.
#[derive(Clone, Debug)]
pub struct Matters {
    /// Each with whether this person may answer it.
    pub rows: Vec<(ApprovalRow, bool)>,
}

/// Why an answer was not taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AnswerError {
    /// No such matter, or not for this person to see.
    #[error("there is no such matter, or it was answered already")]
    Unknown,
    /// Not for this person to answer.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// What was agreed to could not be done.
    #[error(transparent)]
    Act(#[from] ActError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether closing this alert takes a second person: one about a listed person or company, except
/// in a demonstration that nobody locked, where nobody is anybody.
pub(super) fn takes_two(actor: &Actor, row: &AlertRow) -> bool {
    let listed = matches!(row.alert.code, AlertCode::ListMatch | AlertCode::ListMatchPossible);
    listed && actor.session.is_some()
}

impl AppState {
    /// Asks for a second person to close an alert; until then it waits.
    pub(super) async fn ask_to_close(
        &self,
        actor: &Actor,
        row: AlertRow,
        act: &Act,
    ) -> Result<AlertRow, ActError> {
        if row.version != act.version {
            return Err(ActError::Changed { seen: act.version, current: Box::new(row) });
        }
        if row.alert.state == AlertState::Closed {
            return Err(ActError::NotNow { action: "closed", state: "closed" });
        }
        act.check()?;
        if !self.store().open_approvals(&row.alert.id).await?.is_empty() {
            return Err(ActError::SecondNeeded);
        }
        let id = random::<16>().map_err(|_| StoreError::Stopped)?;
        let detail = serde_json::to_string(act).map_err(|error| StoreError::Inconsistent {
            table: "approval",
            column: "detail",
            problem: error.to_string(),
        })?;
        let approval = ApprovalRow {
            id: hex::encode(id),
            matter: Matter::CloseListMatch,
            object: row.alert.id.clone(),
            site: row.alert.station.site().to_owned(),
            reason: format!("{}: {}", act.reason, act.text),
            detail,
            asked_by: actor.account.id.clone(),
            asked_at: self.people().now(),
            agreed_by: None,
            agreed_at: None,
            refused: false,
        };
        let note = Note::done(actor.id(), "approval_asked", approval.id.clone())
            .with("matter", approval.matter.name())
            .with("object", approval.object.clone());
        self.store().ask_approval(approval, note).await?;
        let wait = Act {
            action: Action::Wait,
            text: format!("asks a second person to close it as {}. {}", act.reason, act.text),
            reason: String::new(),
            ..act.clone()
        };
        self.store().act(&row.alert.id, &wait, None, self.clock().now()).await
    }

    /// What waits for a second person, as far as this person may see it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn matters(&self, actor: &Actor) -> Result<Matters, StoreError> {
        let seen = sites(actor, Permission::AlertRead);
        let rows = self.store().open_approvals("").await?;
        let rows = rows
            .into_iter()
            .filter(|row| {
                seen.is_empty()
                    || seen.split(',').any(|site| site == row.site)
                    || actor.account.may_at(row.matter.to_agree(), &row.site)
            })
            .map(|row| {
                let may = row.matter.agree(&row.asked_by, &actor.account, &row.site, &[]).is_ok();
                (row, may)
            })
            .collect();
        Ok(Matters { rows })
    }

    /// A second person's answer; agreed, it is done at once.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub async fn answer(&self, actor: &Actor, id: &str, agree: bool) -> Result<(), AnswerError> {
        let row = self.store().approval(id).await?.filter(|row| row.agreed_by.is_none());
        let row = row.ok_or(AnswerError::Unknown)?;
        if let Err(refused) = row.matter.agree(&row.asked_by, &actor.account, &row.site, &[]) {
            let note = Note::done(actor.id(), "approval_refused_to", row.id.clone())
                .ended(tidewaiter_people::audit::Outcome::Denied)
                .with("why", refused.to_string());
            self.store().note(note, self.people().now()).await?;
            return Err(refused.into());
        }
        let by = actor.account.id.clone();
        if !agree {
            let note = Note::done(by.as_str(), "approval_refused", row.id.clone());
            let now = self.people().now();
            let done = self.store().answer_approval(&row.id, &by, true, note, now).await?;
            return if done { Ok(()) } else { Err(AnswerError::Unknown) };
        }
        match row.matter {
            Matter::CloseListMatch => self.close(actor, row).await,
            // Nothing else is asked for at the desk yet; what is not known is not done.
            _ => Err(AnswerError::Unknown),
        }
    }

    async fn close(&self, actor: &Actor, row: ApprovalRow) -> Result<(), AnswerError> {
        let asked: Act =
            serde_json::from_str(&row.detail).map_err(|error| StoreError::Inconsistent {
                table: "approval",
                column: "detail",
                problem: error.to_string(),
            })?;
        let alert = self.store().alert(&row.object).await?.ok_or(AnswerError::Unknown)?;
        let act = Act {
            officer: actor.id().to_owned(),
            version: alert.version,
            text: format!("asked by {}. {}", row.asked_by, asked.text),
            ..asked
        };
        let agreed = Agreed { approval: row.id, by: actor.account.id.clone() };
        self.store().act(&alert.alert.id, &act, Some(agreed), self.clock().now()).await?;
        Ok(())
    }
}
