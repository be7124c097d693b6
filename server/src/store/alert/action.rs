//! What a person may do with an alert, and the states it may go through.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use tidewaiter_people::account::AccountId;
use tidewaiter_proto::alert::AlertState;

use super::super::approval::answer;
use super::super::audit::{Note, append};
use super::super::{Store, StoreError, to_time};
use super::{AlertRow, Event, Versioned, alert_by_id, state_name, store_version};

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
        let Act { action, version: seen, .. } = *act;
        act.check()?;
        let (id, actor, reason, text) =
            (id.to_owned(), act.officer.trim().to_owned(), act.reason.clone(), act.text.clone());
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let Some(before) = alert_by_id(connection, &id).await? else {
                        return Ok(Err(ActError::Unknown(id)));
                    };
                    if before.version != seen {
                        return Ok(Err(ActError::Changed { seen, current: Box::new(before) }));
                    }
                    let row = match next(&before, action, &actor) {
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
                    let event = Event {
                        actor: &actor,
                        action: action.as_str(),
                        reason: &reason,
                        text: &text,
                    };
                    let next = Versioned { from_state: before.alert.state, row };
                    store_version(connection, &next, &event, now).await?;
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
    pub const ALL: &[Self] =
        &[Self::Claim, Self::Release, Self::Wait, Self::Escalate, Self::Close, Self::Comment];

    /// The name in JSON and in forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Release => "release",
            Self::Wait => "wait",
            Self::Escalate => "escalate",
            Self::Close => "close",
            Self::Comment => "comment",
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
        let Act { action, officer, reason, text, .. } = self;
        if officer.trim().is_empty() || officer.chars().count() > 64 {
            return Err(ActError::Incomplete("who acts is missing, or over 64 characters"));
        }
        if text.chars().count() > TEXT_MAX {
            return Err(ActError::Incomplete("the text is over 4,000 characters"));
        }
        if *action == Action::Close && !CLOSING_REASONS.contains(&reason.as_str()) {
            return Err(ActError::Incomplete(
                "closing needs a reason: cleared, declared, detained, seized, referred, false_positive or duplicate",
            ));
        }
        if *action == Action::Comment && text.trim().is_empty() {
            return Err(ActError::Incomplete("a comment needs a text"));
        }
        Ok(())
    }
}

fn next(before: &AlertRow, action: Action, actor: &str) -> Result<AlertRow, ActError> {
    let state = before.alert.state;
    let refused = || ActError::NotNow { action: action.done(), state: state_name(state) };
    if state == AlertState::Closed && action != Action::Comment {
        return Err(refused());
    }
    let mut row = AlertRow { version: before.version + 1, ..before.clone() };
    match action {
        Action::Claim => {
            row.alert.state = AlertState::Claimed;
            row.assignee = Some(actor.to_owned());
        }
        Action::Release if before.assignee.is_some() => {
            row.alert.state = AlertState::New;
            row.assignee = None;
        }
        Action::Release => return Err(refused()),
        Action::Wait => row.alert.state = AlertState::Waiting,
        Action::Escalate => row.alert.state = AlertState::Escalated,
        Action::Close => row.alert.state = AlertState::Closed,
        Action::Comment => {}
    }
    Ok(row)
}

fn parsed_state(column: &'static str, text: String) -> Result<AlertState, StoreError> {
    super::super::from_json("decision", column, &format!("\"{text}\""))
}

const TEXT_MAX: usize = 4000;
