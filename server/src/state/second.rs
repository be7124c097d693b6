//! What takes two persons at the desk: asked for here, answered here, done once.
//!
//! Anything that takes two goes the same way: [`AppState::ask_second`] keeps the question,
//! [`AppState::answer`] takes the second person's word and does what was asked in the transaction
//! of that word. A policy is the exception: it is agreed to here and comes into force where
//! policies do, with `Store::agreed_approvals` and the approval's two names.

use serde::Deserialize;
use tidewaiter_people::audit::Outcome;
use tidewaiter_people::matter::{Matter, Refused};
use tidewaiter_people::role::{Permission, Role};
use tidewaiter_proto::alert::{AlertCode, AlertState};
use tidewaiter_proto::seal::random;

use super::{AppState, sites};
use crate::people::Actor;
use crate::store::{Act, ActError, Action, AlertRow, ApprovalRow, BreakGlassRow, Note, StoreError};

mod done;

/// Matters that wait for a second person, and which of them this person may answer.
#[derive(Clone, Debug)]
pub struct Matters {
    /// Each with whether this person may answer it.
    pub rows: Vec<(ApprovalRow, bool)>,
    /// Exports that were agreed to and that this person may fetch, once.
    pub exports: Vec<ApprovalRow>,
    /// Rights taken beyond one's own that nobody has looked at, each with whether this person may.
    pub glass: Vec<(BreakGlassRow, bool)>,
}

/// What somebody asks a second person for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asking {
    /// What kind of thing.
    pub matter: Matter,
    /// On what: an inspection as `SITE/LANE/ID` (release, erasure, export), an alert's id (a hit
    /// set aside), a policy's version, a role (break-glass).
    pub object: String,
    /// Where, for what is not about an inspection or an alert; `*` is everywhere.
    #[serde(default)]
    pub site: String,
    /// Why.
    pub reason: String,
    /// For how long, break-glass only.
    #[serde(default)]
    pub minutes: Option<u32>,
}

/// Why a question was not taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AskError {
    /// Not as it must be.
    #[error("{0}")]
    NotValid(&'static str),
    /// No such thing, or not for this person to see.
    #[error("there is no {0}")]
    Unknown(String),
    /// No right to ask.
    #[error("{who} may not ask for {matter} at {site}")]
    NoRight {
        /// Who.
        who: String,
        /// For what.
        matter: Matter,
        /// Where.
        site: String,
    },
    /// It was asked for already.
    #[error("this was asked for already: it waits for a second person")]
    Asked,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
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
    is_listed(row) && actor.session.is_some()
}

fn is_listed(row: &AlertRow) -> bool {
    matches!(row.alert.code, AlertCode::ListMatch | AlertCode::ListMatchPossible)
}

/// What somebody may be for a time beyond what they are; never one who manages accounts or keys.
pub const GLASS_ROLES: [Role; 4] = [Role::Senior, Role::Supervisor, Role::Analyst, Role::Auditor];

impl AppState {
    /// Asks a second person; gives the matter's id.
    ///
    /// # Errors
    /// [`AskError`]; then nothing was asked.
    pub async fn ask_second(&self, actor: &Actor, asking: Asking) -> Result<String, AskError> {
        if actor.session.is_none() {
            let why = "nobody is signed in: a demonstration without accounts has no second person";
            return Err(AskError::NotValid(why));
        }
        if asking.reason.trim().is_empty() {
            return Err(AskError::NotValid("a reason is needed"));
        }
        let about = self.about(actor, &asking).await?;
        if !actor.account.may_at(asking.matter.to_ask(), &about.site) {
            let (who, matter) = (actor.id().to_owned(), asking.matter);
            let note = Note::done(&who, "approval_asked", asking.object)
                .ended(Outcome::Denied)
                .with("matter", matter.name());
            self.store().note(note, self.people().now()).await?;
            return Err(AskError::NoRight { who, matter, site: about.site });
        }
        let open = self.store().open_approvals(&asking.object).await?;
        if open.iter().any(|row| row.matter == asking.matter && row.site == about.site) {
            return Err(AskError::Asked);
        }
        let id = hex::encode(random::<16>().map_err(|_| StoreError::Stopped)?);
        let row = ApprovalRow {
            id: id.clone(),
            matter: asking.matter,
            object: asking.object,
            site: about.site,
            reason: asking.reason.trim().to_owned(),
            detail: about.detail,
            asked_by: actor.account.id.clone(),
            asked_at: self.people().now(),
            agreed_by: None,
            agreed_at: None,
            refused: false,
            spent_at: None,
        };
        let note = Note::done(actor.id(), "approval_asked", id.clone())
            .with("matter", row.matter.name())
            .with("object", row.object.clone())
            .with("site", row.site.clone())
            .with("reason", row.reason.clone());
        let glass = (row.matter == Matter::BreakGlass).then(|| done::raised(&row)).flatten();
        self.store().ask_approval(row, about.hands, note).await?;
        if let Some(alert) = glass {
            self.store().put_alerts(vec![alert], Vec::new(), self.clock().now()).await?;
        }
        Ok(id)
    }

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
            spent_at: None,
        };
        let note = Note::done(actor.id(), "approval_asked", approval.id.clone())
            .with("matter", approval.matter.name())
            .with("object", approval.object.clone());
        self.store().ask_approval(approval, Vec::new(), note).await?;
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
        let mut rows = Vec::new();
        for row in self.store().open_approvals("").await? {
            let visible = seen.is_empty()
                || seen.split(',').any(|site| site == row.site)
                || row.asked_by == actor.account.id
                || actor.account.may_at(row.matter.to_agree(), &row.site);
            if visible {
                let hands = self.store().approval_hands(&row.id).await?;
                let asked = &row.asked_by;
                let may = row.matter.agree(asked, &actor.account, &row.site, &hands).is_ok();
                rows.push((row, may));
            }
        }
        let mut exports = self.store().agreed_approvals(Matter::ExportPersonal).await?;
        exports.retain(|row| row.asked_by == actor.account.id);
        let glass = self.store().glass_to_review().await?.into_iter().filter_map(|row| {
            let may = may_review(actor, &row);
            (may || row.account == actor.account.id).then_some((row, may))
        });
        Ok(Matters { rows, exports, glass: glass.collect() })
    }

    /// A second person's answer; agreed, it is done at once.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub async fn answer(&self, actor: &Actor, id: &str, agree: bool) -> Result<(), AnswerError> {
        let row = self.store().approval(id).await?.filter(|row| row.agreed_by.is_none());
        let row = row.ok_or(AnswerError::Unknown)?;
        let hands = self.store().approval_hands(id).await?;
        if let Err(refused) = row.matter.agree(&row.asked_by, &actor.account, &row.site, &hands) {
            let note = Note::done(actor.id(), "approval_refused_to", row.id.clone())
                .ended(Outcome::Denied)
                .with("why", refused.to_string());
            self.store().note(note, self.people().now()).await?;
            return Err(refused.into());
        }
        if agree {
            return self.agreed(actor, row).await;
        }
        let by = &actor.account.id;
        let note = Note::done(actor.id(), "approval_refused", row.id.clone())
            .with("matter", row.matter.name())
            .with("object", row.object.clone());
        let now = self.people().now();
        let done = self.store().answer_approval(&row.id, by, true, note, now).await?;
        if done { Ok(()) } else { Err(AnswerError::Unknown) }
    }

    /// Somebody else looks at what was done with rights beyond one's own; what still lasts of them
    /// ends.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub async fn review_glass(
        &self,
        actor: &Actor,
        id: &str,
        verdict: &str,
    ) -> Result<(), AnswerError> {
        let rows = self.store().glass_to_review().await?;
        let row = rows.into_iter().find(|row| row.approval == id).ok_or(AnswerError::Unknown)?;
        if !may_review(actor, &row) || verdict.trim().is_empty() {
            return Err(AnswerError::Unknown);
        }
        let (by, now) = (&actor.account.id, self.people().now());
        let done = self.store().review_glass(id, by, verdict.trim(), now).await?;
        if done { Ok(()) } else { Err(AnswerError::Unknown) }
    }
}

/// Who agrees to break-glass or verifies the audit also looks at what was done with it, and never
/// the one who had it.
fn may_review(actor: &Actor, row: &BreakGlassRow) -> bool {
    let may = |permission| actor.account.may_at(permission, &row.site);
    row.account != actor.account.id && (may(Permission::Custody) || may(Permission::AuditRead))
}
