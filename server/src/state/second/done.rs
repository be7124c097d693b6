//! What a matter is about, and what is done once two agreed.

use jiff::SignedDuration;
use sha2::{Digest, Sha256};
use tidewaiter_people::account::AccountId;
use tidewaiter_people::matter::Matter;
use tidewaiter_people::role::Role;
use tidewaiter_proto::alert::{Alert, AlertCode, AlertState, Reason, Severity};
use tidewaiter_proto::body::Body;
use tidewaiter_proto::record::{Record, Source};
use tidewaiter_proto::station::StationId;

use super::{AnswerError, AppState, AskError, Asking, GLASS_ROLES, is_listed};
use crate::people::Actor;
use crate::state::{DeskError, ExportError, InspectionDetail};
use crate::store::{Act, Action, Agreed, ApprovalRow, Note, Override, StoreError};

/// What a question is about, found out from the store and not from who asks.
pub(super) struct About {
    pub(super) site: String,
    /// Who had a hand in the facts.
    pub(super) hands: Vec<AccountId>,
    pub(super) detail: String,
}

impl AppState {
    pub(super) async fn about(&self, actor: &Actor, asking: &Asking) -> Result<About, AskError> {
        let nothing =
            |site: &str| About { site: site.to_owned(), hands: Vec::new(), detail: String::new() };
        match asking.matter {
            Matter::CloseListMatch => {
                Err(AskError::NotValid("an alert is closed where it stands: that asks by itself"))
            }
            Matter::ActivatePolicy => {
                Ok(nothing(if asking.site.is_empty() { "*" } else { &asking.site }))
            }
            Matter::ExportPersonal if case_of(&asking.object).is_some() => {
                self.about_case(actor, &asking.object).await
            }
            Matter::ReleaseDetained | Matter::Erase | Matter::ExportPersonal => {
                let unknown = || AskError::Unknown(format!("inspection {}", asking.object));
                let (station, inspection) = place(&asking.object).ok_or_else(unknown)?;
                let detail = self.opened(&station, inspection).await?.ok_or_else(unknown)?;
                let hands = hands(&detail);
                Ok(About { hands, ..nothing(station.site()) })
            }
            Matter::OverrideList => {
                let unknown = || AskError::Unknown(format!("alert {}", asking.object));
                let row = self.store().alert(&asking.object).await?.ok_or_else(unknown)?;
                let alert = &row.alert;
                if !is_listed(&row) || alert.subject.is_none() || alert.hits.is_empty() {
                    let why = "only a hit of a list on a travel document can be set aside";
                    return Err(AskError::NotValid(why));
                }
                Ok(nothing(alert.station.site()))
            }
            Matter::BreakGlass => {
                let role: Role = asking.object.parse().map_err(|_| {
                    AskError::NotValid(
                        "break-glass is for a role: senior, supervisor, analyst, auditor",
                    )
                })?;
                if !GLASS_ROLES.contains(&role) {
                    let why = "break-glass gives no rights over accounts, keys or policy";
                    return Err(AskError::NotValid(why));
                }
                let minutes = asking.minutes.unwrap_or(0);
                if !(1..=240).contains(&minutes) {
                    return Err(AskError::NotValid("break-glass lasts 1 to 240 minutes"));
                }
                let _ = actor;
                if !is_site(&asking.site) {
                    return Err(AskError::NotValid("break-glass is for one site, a UN/LOCODE"));
                }
                Ok(About { detail: minutes.to_string(), ..nothing(&asking.site) })
            }
        }
    }

    /// Does what was agreed to, together with the second person's word.
    pub(super) async fn agreed(&self, actor: &Actor, row: ApprovalRow) -> Result<(), AnswerError> {
        let (by, now) = (&actor.account.id, self.people().now());
        let store = self.store();
        let done = match row.matter {
            Matter::CloseListMatch => {
                self.close(actor, row).await?;
                true
            }
            Matter::Erase => {
                let (station, inspection) = place(&row.object).ok_or(AnswerError::Unknown)?;
                let inspection = inspection.to_owned();
                store.erase(row, by, station, inspection, now).await?
            }
            Matter::OverrideList => self.set_aside(actor, row).await?,
            Matter::BreakGlass => {
                let role = row.object.parse().map_err(|_| AnswerError::Unknown)?;
                let lasts = SignedDuration::from_mins(row.detail.parse().unwrap_or(0));
                store.break_glass(row, by, role, lasts, now).await?
            }
            // Given out, released and brought into force afterwards, each with this agreement.
            Matter::ReleaseDetained | Matter::ExportPersonal | Matter::ActivatePolicy => {
                let note = Note::done(by.as_str(), "approval_agreed", row.id.clone())
                    .with("matter", row.matter.name())
                    .with("object", row.object.clone())
                    .with("asked_by", row.asked_by.as_str());
                store.answer_approval(&row.id, by, false, note, now).await?
            }
        };
        if done { Ok(()) } else { Err(AnswerError::Unknown) }
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

    /// The hits of an alert are known not to be this traveller: now and from now on.
    async fn set_aside(&self, actor: &Actor, row: ApprovalRow) -> Result<bool, AnswerError> {
        let alert = self.store().alert(&row.object).await?.ok_or(AnswerError::Unknown)?;
        let Some(subject) = alert.alert.subject.clone() else { return Err(AnswerError::Unknown) };
        let hit = |list: &str, entry: &str| Override {
            subject: subject.clone(),
            list: list.to_owned(),
            entry: entry.to_owned(),
        };
        let hits = alert.alert.hits.iter().map(|found| hit(&found.list, &found.entry)).collect();
        let by = &actor.account.id;
        let text = format!("set aside, asked by {}. {}", row.asked_by, row.reason);
        if !self.store().set_aside(row, by, hits, self.people().now()).await? {
            return Ok(false);
        }
        if alert.alert.state != AlertState::Closed {
            let act = Act {
                action: Action::Close,
                officer: actor.id().to_owned(),
                version: alert.version,
                reason: "false_positive".to_owned(),
                text,
                to: String::new(),
                until: None,
            };
            self.store().act(&alert.alert.id, &act, None, self.clock().now()).await?;
        }
        Ok(true)
    }

    /// Gives personal data out, once, to the one who asked, when two agreed: the inspection with
    /// its records as JSON.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub async fn export(&self, actor: &Actor, id: &str) -> Result<Vec<u8>, AnswerError> {
        let row = self.store().approval(id).await?.ok_or(AnswerError::Unknown)?;
        let own = row.matter == Matter::ExportPersonal && row.asked_by == actor.account.id;
        if !own || !row.stands() {
            return Err(AnswerError::Unknown);
        }
        if let Some(case) = case_of(&row.object) {
            let bytes = self.case_bytes(actor, case, &row.reason).await;
            let bytes = bytes.map_err(|error| match error {
                ExportError::Desk(DeskError::Store(error)) => AnswerError::Store(error),
                _ => AnswerError::Unknown,
            })?;
            return self.export_done(actor, &row, bytes).await;
        }
        let (station, inspection) = place(&row.object).ok_or(AnswerError::Unknown)?;
        let detail = self.opened(&station, inspection).await?.ok_or(AnswerError::Unknown)?;
        let records: Vec<&Record> = detail.records.iter().map(|opened| &opened.record).collect();
        let alerts: Vec<&Alert> = detail.alerts.iter().map(|row| &row.alert).collect();
        let whole = serde_json::json!({
            "format": "tidewaiter-export/v1", "inspection": row.object, "reason": row.reason,
            "asked_by": row.asked_by, "agreed_by": row.agreed_by, "records": records,
            "alerts": alerts,
        });
        self.export_done(actor, &row, whole.to_string().into_bytes()).await
    }

    /// Uses the agreement up: what it was given for leaves, once.
    async fn export_done(
        &self,
        actor: &Actor,
        row: &ApprovalRow,
        bytes: Vec<u8>,
    ) -> Result<Vec<u8>, AnswerError> {
        let digest = hex::encode(Sha256::digest(&bytes));
        let note = Note::done(actor.id(), "personal_export", row.object.clone())
            .with("approval", row.id.clone())
            .with("sha256", digest.clone());
        let now = self.people().now();
        let done = self.store().personal_export(row, digest, note, now).await?;
        if done { Ok(bytes) } else { Err(AnswerError::Unknown) }
    }
}

impl AppState {
    /// A case is about the site of its alerts; everywhere where there are several. Whoever counted
    /// or decided in one of its inspections had a hand in it.
    async fn about_case(&self, actor: &Actor, object: &str) -> Result<About, AskError> {
        let unknown = || AskError::Unknown(object.to_owned());
        let case = case_of(object).ok_or_else(unknown)?;
        let view = self.case(actor, case).await.map_err(|error| match error {
            DeskError::Store(error) => AskError::Store(error),
            _ => unknown(),
        })?;
        let mut sites: Vec<&str> = view.alerts.iter().map(|row| row.alert.station.site()).collect();
        sites.sort_unstable();
        sites.dedup();
        let site = match sites.as_slice() {
            [one] => (*one).to_owned(),
            _ => "*".to_owned(),
        };
        let mut people: Vec<AccountId> = view.inspections.iter().flat_map(hands).collect();
        people.sort();
        people.dedup();
        Ok(About { site, hands: people, detail: String::new() })
    }
}

/// The case that a matter is about.
fn case_of(object: &str) -> Option<&str> {
    object.strip_prefix("case/").filter(|id| !id.contains('/'))
}

/// `SITE/LANE/ID` as a station and an inspection.
fn place(object: &str) -> Option<(StationId, &str)> {
    let (station, inspection) = object.rsplit_once('/')?;
    Some((station.parse().ok()?, inspection))
}

fn is_site(site: &str) -> bool {
    site.len() == 5 && site.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// Officers who counted or decided in this inspection.
fn hands(detail: &InspectionDetail) -> Vec<AccountId> {
    let mut hands = Vec::new();
    for opened in &detail.records {
        let record = &opened.record;
        let named = match &record.body {
            Body::CashCounted(counted) => Some(counted.officer.clone()),
            Body::OutcomeRecorded(outcome) => Some(outcome.officer.clone()),
            _ => None,
        };
        let said = match &record.source {
            Source::Officer(officer) if named.is_some() => Some(officer.clone()),
            _ => None,
        };
        let people = [named, said].into_iter().flatten();
        hands.extend(people.filter_map(|person| person.parse::<AccountId>().ok()));
    }
    hands.sort();
    hands.dedup();
    hands
}

/// What is raised the moment somebody asks for rights beyond their own.
pub(super) fn raised(row: &ApprovalRow) -> Option<Alert> {
    let reason = Reason {
        rule: "break_glass".to_owned(),
        rule_version: "1".to_owned(),
        text: format!(
            "{} asks for the rights of {} at {} for {} minutes: {}",
            row.asked_by, row.object, row.site, row.detail, row.reason
        ),
        seen: Vec::new(),
        records: Vec::new(),
        legal_basis: String::new(),
    };
    Some(Alert {
        id: format!("a_glass_{}", row.id),
        code: AlertCode::BreakGlass,
        severity: Severity::High,
        score: 800,
        station: format!("{}/desk", row.site).parse().ok()?,
        inspection: None,
        subject: None,
        amount: None,
        outcomes: Vec::new(),
        reasons: vec![reason],
        hits: Vec::new(),
        group: Vec::new(),
        lists: None,
        state: AlertState::New,
        raised_at: row.asked_at,
    })
}
