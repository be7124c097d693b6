//! Note validators, one note at a time, into `cash_counted`.
//!
//! A validator has no notion of a count: notes that go in one after the other are one, and the
//! count closes when none has moved for a while, or the connection ends. A note is counted when
//! the validator says that it is credited, once; whatever leaves room for another note (a power
//! cut with one in flight, a lost answer that may have carried one, a code nobody knows) makes the
//! count uncertain. Protocols are in [`ccnet`] and [`ssp`].

use std::collections::BTreeMap;
use std::time::Duration;

use rust_decimal::Decimal;
use tidewaiter_proto::body::{Body, CashCounted, Certainty};
use tidewaiter_proto::cash::CountedItem;
use tidewaiter_proto::money::Currency;
use tokio::time::Instant;

pub(super) mod ccnet;
pub(super) mod ssp;

/// A kind of note.
type Note = (Currency, Decimal);

/// Notes that went in since the last count closed.
#[derive(Debug)]
struct Count {
    officer: String,
    notes: BTreeMap<Note, u64>,
    doubt: bool,
    /// A note is somewhere between mouth and stacker.
    in_flight: bool,
    moved: Option<Instant>,
}

impl Count {
    fn of(officer: String) -> Self {
        Self { officer, notes: BTreeMap::new(), doubt: false, in_flight: false, moved: None }
    }

    /// A note is moving.
    fn moves(&mut self, now: Instant) {
        self.in_flight = true;
        self.moved = Some(now);
    }

    /// It went back.
    fn returned(&mut self, now: Instant) {
        self.in_flight = false;
        self.moved = Some(now);
    }

    /// A note went in; `None` for one of no known value.
    fn credit(&mut self, note: Option<Note>, now: Instant) {
        self.in_flight = false;
        self.moved = Some(now);
        match note {
            Some(note) => {
                let pieces = self.notes.entry(note).or_default();
                *pieces = pieces.saturating_add(1);
            }
            None => self.doubt = true,
        }
    }

    /// There may be a note that was not told of.
    fn doubt(&mut self, now: Instant) {
        self.doubt = true;
        self.moved = Some(now);
    }

    /// Whether a note is moving, or has moved, and is not told of yet.
    fn is_open(&self) -> bool {
        self.in_flight || self.doubt || !self.notes.is_empty()
    }

    /// When to close.
    fn closes(&self) -> Option<Instant> {
        self.moved.filter(|_| self.is_open()).map(|moved| {
            // A note in flight is waited for; not for ever.
            moved + if self.in_flight { PAUSE * 6 } else { PAUSE }
        })
    }

    /// Closes the count, if it is time.
    fn due(&mut self, now: Instant) -> Option<Body> {
        self.closes().filter(|closes| *closes <= now).and_then(|_| self.close())
    }

    /// Closes the count; a note in flight may have gone in or not.
    fn close(&mut self) -> Option<Body> {
        let doubt = self.doubt || self.in_flight;
        let notes = std::mem::take(&mut self.notes);
        (self.doubt, self.in_flight, self.moved) = (false, false, None);
        if notes.is_empty() && !doubt {
            return None;
        }
        let item = |((currency, denomination), pieces)| CountedItem::Pieces {
            currency,
            denomination,
            pieces,
        };
        Some(Body::CashCounted(CashCounted {
            count: 1,
            blind: true,
            officer: self.officer.clone(),
            items: notes.into_iter().map(item).collect(),
            certainty: if doubt { Certainty::Uncertain } else { Certainty::Exact },
            suspect: None,
        }))
    }
}

/// A count closes when no note moved for so long.
const PAUSE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
