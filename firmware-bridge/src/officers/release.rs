//! Detained cash goes back by two: the second signs with their own PIN at the first one's page, had
//! no hand in the facts, and has the right to release.

use tidewaiter_people::role::Permission;
use tidewaiter_people::station::Officer;
use tidewaiter_proto::body::{Body, Decision, OutcomeRecorded};
use tidewaiter_proto::record::{Record, Source};

use super::{NotIn, Officers};

/// Why a second person's word was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAgreed {
    /// They did not prove who they are.
    #[error(transparent)]
    NotIn(#[from] NotIn),
    /// They asked, counted or decided here, or have no right to release.
    #[error("{0} may not agree: they asked, counted or decided here, or have no right to release")]
    NotTheirs(String),
}

impl Officers {
    /// Whether this outcome takes a second person: what is detained or seized would be released,
    /// where people sign in.
    pub fn takes_two(&self, records: &[Record], outcome: &OutcomeRecorded) -> bool {
        let last = records.iter().rev().find_map(|record| match &record.body {
            Body::OutcomeRecorded(before) => Some(before.decision),
            _ => None,
        });
        self.is_asked_for()
            && outcome.decision == Decision::Released
            && matches!(last, Some(Decision::Detained | Decision::Seized))
    }

    /// The second person, when they may agree to what `first` asks.
    ///
    /// # Errors
    /// [`NotAgreed`]; it is a record of the station.
    pub async fn second(
        &self,
        records: &[Record],
        first: &str,
        shown: &str,
        pin: String,
    ) -> Result<Officer, NotAgreed> {
        let second = self.prove(shown, pin).await?;
        let own = second.id.as_str() == first || has_hand(records, second.id.as_str());
        if own || !second.may(Permission::Release) {
            self.note(second.id.as_str(), "not_agreed").await.ok();
            return Err(NotAgreed::NotTheirs(second.id.to_string()));
        }
        Ok(second)
    }
}

/// Whether somebody counted or decided in an inspection.
fn has_hand(records: &[Record], person: &str) -> bool {
    records.iter().any(|record| {
        let named = match &record.body {
            Body::CashCounted(counted) => counted.officer == person,
            Body::OutcomeRecorded(outcome) => outcome.officer == person,
            _ => return false,
        };
        named || matches!(&record.source, Source::Officer(officer) if officer == person)
    })
}
