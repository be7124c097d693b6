//! What a person may do with an alert, and the states it may go through.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;
use tidewaiter_people::account::AccountId;
use tidewaiter_proto::alert::{AlertCode, AlertState};

use super::super::approval::answer;
use super::super::audit::{Note, append};
use super::super::facts::meet_clock;
use super::super::{Store, StoreError, to_time};
use super::merge::merged_into;
use super::{AlertRow, Event, Versioned, alert_by_id, state_name, store_version};
use crate::clocks::ClockKind;

/// What a person does with an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Takes it, also from somebody else.
    Claim,
    /// Gives it back.
    Release,
    /// Waits for something.
    Wait,
    /// Passes it up.
    Escalate,
    /// Decides it; needs a reason code.
    Close,
    /// Says something.
    Comment,
    /// Gives it to somebody; needs `to`.
    Assign,
    /// Puts it aside until a time; needs `until`.
    Snooze,
    /// Takes a decision back; needs a text.
    Reopen,
}

/// What a person decided about an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// What is to be done.
    pub action: Action,
    /// Who does it.
    pub officer: String,
    /// The version of the alert that the person saw.
    pub version: i64,
    /// Reason code; closing needs one ([`CLOSING_REASONS`]).
    #[serde(default)]
    pub reason: String,
    /// In words.
    #[serde(default)]
    pub text: String,
    /// To whom it is given.
    #[serde(default)]
    pub to: String,
    /// Until when it is put aside.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// One line of an alert's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// When.
    pub at: Timestamp,
    /// Who; `engine` for the program itself.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// The state before.
    pub from_state: AlertState,
    /// The state after.
    pub to_state: AlertState,
    /// Reason code.
    pub reason: String,
    /// In words.
    pub text: String,
}

/// A second person's word that an action waits for.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// The matter they agree to.
    pub approval: String,
    /// Who.
    pub by: AccountId,
}

/// Why an action was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ActError {
    /// No such alert.
    #[error("there is no alert {0:?}")]
    Unknown(String),
    /// Somebody was faster: the alert is not what the person saw.
    #[error("the alert has changed since: it is at version {}, not {seen}", current.version)]
    Changed {
        /// The version the person saw.
        seen: i64,
        /// The alert as it stands.
        current: Box<AlertRow>,
    },
    /// The state does not allow it.
    #[error("an alert that is {state} cannot be {action}")]
    NotNow {
        /// What was asked.
        action: &'static str,
        /// The state it is in.
        state: &'static str,
    },
    /// A needed field is missing or not valid.
    #[error("{0}")]
    Incomplete(&'static str),
    /// It takes a second person, who has been asked.
    #[error("this takes a second person: it waits for one to agree")]
    SecondNeeded,
    /// A second person has answered already.
    #[error("this was answered already")]
    Answered,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reasons for closing an alert.
pub const CLOSING_REASONS: &[&str] =
    &["cleared", "declared", "detained", "seized", "referred", "false_positive", "duplicate"];

impl Store {
    /// Does what a person decided, if the alert still is at the version the person saw; with
    /// `agreed`, the second person's word is kept with it or neither is.
    ///
    /// # Errors
    /// [`ActError`]; then nothing has changed.
    pub async fn act(
        &self,
        id: &str,
        act: &Act,
        agreed: Option<Agreed>,
        now: Timestamp,
    ) -> Result<AlertRow, ActError> {
        let seen = act.version;
        act.check()?;
        if act.action == Action::Snooze && act.until.is_none_or(|until| until <= now) {
            return Err(ActError::Incomplete("putting aside needs a time to come: `until`"));
        }
        let (id, mut act) = (id.to_owned(), act.clone());
        act.officer = act.officer.trim().to_owned();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let Some(before) = alert_by_id(connection, &id).await? else {
                        return Ok(Err(ActError::Unknown(id)));
                    };
                    if before.version != seen {
                        return Ok(Err(ActError::Changed { seen, current: Box::new(before) }));
                    }
                    let row = match next(&before, &act) {
                        Ok(row) => row,
                        Err(error) => return Ok(Err(error)),
                    };
                    if let Some(agreed) = &agreed {
                        let Agreed { approval, by } = agreed;
                        if !answer(connection, approval, by, false, now).await? {
                            return Ok(Err(ActError::Answered));
                        }
                        let note = Note::done(by.as_str(), "approval_agreed", approval);
                        append(connection, &note, now).await?;
                    }
                    let text = act.in_words();
                    let event = Event {
                        actor: &act.officer,
                        action: act.action.as_str(),
                        reason: &act.reason,
                        text: &text,
                    };
                    let next = Versioned { from_state: before.alert.state, row };
                    store_version(connection, &next, &event, now).await?;
                    name(connection, &id, &act, now).await?;
                    if act.action == Action::Close {
                        closed(connection, &next.row, &act, now).await?;
                    }
                    Ok(Ok(AlertRow { changed_at: now, ..next.row }))
                })
            })
            .await?
    }

    /// An alert's history, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn decisions(&self, alert: &str) -> Result<Vec<Decision>, StoreError> {
        let rows = sqlx::query(
            "SELECT at, actor, action, from_state, to_state, reason, text FROM decision
             WHERE alert = $1 ORDER BY arrival LIMIT 1000",
        )
        .bind(alert.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                let state = |column: &'static str| -> Result<AlertState, StoreError> {
                    parsed_state(column, row.try_get(column)?)
                };
                Ok(Decision {
                    at: to_time("decision", "at", row.try_get("at")?)?,
                    actor: row.try_get("actor")?,
                    action: row.try_get("action")?,
                    from_state: state("from_state")?,
                    to_state: state("to_state")?,
                    reason: row.try_get("reason")?,
                    text: row.try_get("text")?,
                })
            })
            .collect()
    }
}

impl Action {
    /// Every action.
    pub const ALL: &[Self] = &[
        Self::Claim,
        Self::Release,
        Self::Wait,
        Self::Escalate,
        Self::Close,
        Self::Comment,
        Self::Assign,
        Self::Snooze,
        Self::Reopen,
    ];

    /// The name in JSON and in forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Release => "release",
            Self::Wait => "wait",
            Self::Escalate => "escalate",
            Self::Close => "close",
            Self::Comment => "comment",
            Self::Assign => "assign",
            Self::Snooze => "snooze",
            Self::Reopen => "reopen",
        }
    }

    /// As a past participle, for a sentence that says it cannot be.
    fn done(self) -> &'static str {
        match self {
            Self::Claim => "claimed",
            Self::Release => "released",
            Self::Wait => "set to wait",
            Self::Escalate => "escalated",
            Self::Close => "closed",
            Self::Comment => "commented",
            Self::Assign => "given to somebody",
            Self::Snooze => "put aside",
            Self::Reopen => "opened again",
        }
    }
}

impl std::str::FromStr for Action {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|action| action.as_str() == text).ok_or_else(|| {
            format!("{:?} is not an action", text.chars().take(32).collect::<String>())
        })
    }
}

impl Act {
    /// Whether all is there that the action needs.
    ///
    /// # Errors
    /// [`ActError::Incomplete`].
    pub fn check(&self) -> Result<(), ActError> {
        let Act { action, officer, reason, text, to, .. } = self;
        if officer.trim().is_empty() || officer.chars().count() > 64 {
            return Err(ActError::Incomplete("who acts is missing, or over 64 characters"));
        }
        if text.chars().count() > TEXT_MAX {
            return Err(ActError::Incomplete("the text is over 4,000 characters"));
        }
        let lacking = match action {
            Action::Close => (!CLOSING_REASONS.contains(&reason.as_str())).then_some(
                "closing needs a reason: cleared, declared, detained, seized, referred, false_positive or duplicate",
            ),
            Action::Comment => text.trim().is_empty().then_some("a comment needs a text"),
            Action::Reopen => {
                text.trim().is_empty().then_some("opening again needs a text that says why")
            }
            Action::Assign => {
                to.parse::<AccountId>().is_err().then_some("giving it away needs `to`: an id")
            }
            Action::Claim | Action::Release | Action::Wait | Action::Escalate | Action::Snooze => {
                None
            }
        };
        lacking.map_or(Ok(()), |lacking| Err(ActError::Incomplete(lacking)))
    }

    /// What the history says of it.
    fn in_words(&self) -> String {
        let about = match (self.action, self.until) {
            (Action::Assign, _) => self.to.clone(),
            (Action::Snooze, Some(until)) => until.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            _ => return self.text.clone(),
        };
        if self.text.is_empty() { about } else { format!("{about}. {}", self.text) }
    }
}

/// Keeps who is named with `@` in a text, in the transaction of the text.
async fn name(
    connection: &mut SqliteConnection,
    alert: &str,
    act: &Act,
    now: Timestamp,
) -> Result<(), StoreError> {
    for person in mentioned(&act.text) {
        sqlx::query(
            "INSERT INTO mention (person, alert, at, by_whom) VALUES ($1, $2, $3, $4)
             ON CONFLICT (person, alert, at) DO NOTHING",
        )
        .bind(person)
        .bind(alert.to_owned())
        .bind(now.as_microsecond())
        .bind(act.officer.clone())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// The ids that stand behind an `@`, at most as many as anybody means.
fn mentioned(text: &str) -> std::collections::BTreeSet<String> {
    let id = |rest: &str| -> String {
        rest.chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
            .collect()
    };
    text.split('@')
        .skip(1)
        .map(|rest| id(rest).trim_end_matches('.').to_owned())
        .filter(|person| person.parse::<AccountId>().is_ok())
        .take(MENTIONS_MAX)
        .collect()
}

/// What closing an alert brings with it: what was merged into it is closed as its double, but for
/// what takes two persons, which stands on its own again; a referral meets its clock.
async fn closed(
    connection: &mut SqliteConnection,
    row: &AlertRow,
    act: &Act,
    now: Timestamp,
) -> Result<(), StoreError> {
    for mut child in merged_into(connection, &row.alert.id).await? {
        let from_state = child.alert.state;
        child.version += 1;
        let takes_two =
            matches!(child.alert.code, AlertCode::ListMatch | AlertCode::ListMatchPossible);
        let (action, reason) = if takes_two { ("unmerge", "") } else { ("close", "duplicate") };
        if takes_two {
            child.merged_into = None;
        } else {
            child.alert.state = AlertState::Closed;
        }
        let text = format!("with {}", row.alert.id);
        let event = Event { actor: &act.officer, action, reason, text: &text };
        store_version(connection, &Versioned { from_state, row: child }, &event, now).await?;
    }
    if let (Some(inspection), "referred") = (&row.alert.inspection, act.reason.as_str()) {
        meet_clock(connection, &row.alert.station, inspection, ClockKind::Fiu, now).await?;
    }
    Ok(())
}

fn next(before: &AlertRow, act: &Act) -> Result<AlertRow, ActError> {
    let (state, action) = (before.alert.state, act.action);
    let refused = || ActError::NotNow { action: action.done(), state: state_name(state) };
    let closed = state == AlertState::Closed;
    if closed != (action == Action::Reopen) && action != Action::Comment {
        return Err(refused());
    }
    let mut row = AlertRow { version: before.version + 1, ..before.clone() };
    match action {
        Action::Claim => {
            row.alert.state = AlertState::Claimed;
            row.assignee = Some(act.officer.clone());
            row.snoozed_until = None;
        }
        Action::Assign => {
            row.alert.state = AlertState::Claimed;
            row.assignee = Some(act.to.clone());
            row.snoozed_until = None;
        }
        Action::Release if before.assignee.is_some() => {
            row.alert.state = AlertState::New;
            row.assignee = None;
        }
        Action::Release => return Err(refused()),
        Action::Wait => row.alert.state = AlertState::Waiting,
        Action::Snooze => {
            row.alert.state = AlertState::Waiting;
            row.snoozed_until = act.until;
        }
        Action::Escalate => {
            row.alert.state = AlertState::Escalated;
            row.snoozed_until = None;
        }
        Action::Close => row.alert.state = AlertState::Closed,
        Action::Reopen => {
            row.alert.state = AlertState::New;
            row.assignee = None;
            row.merged_into = None;
        }
        Action::Comment => {}
    }
    Ok(row)
}

fn parsed_state(column: &'static str, text: String) -> Result<AlertState, StoreError> {
    super::super::from_json("decision", column, &format!("\"{text}\""))
}

const TEXT_MAX: usize = 4000;
const MENTIONS_MAX: usize = 20;
