//! Who did and read what: entries in a chain, so that none can be taken out or altered unnoticed.
//!
//! An entry's hash is SHA-256 over a domain, the hash before it, and the entry as JSON with sorted
//! keys and no spaces. The first entry follows 32 zero bytes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A hash in the chain.
pub type Link = [u8; 32];

/// What the first entry follows.
pub const START: Link = [0; 32];

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done, or read.
    Done,
    /// They had no right to it.
    Denied,
    /// It was not possible.
    Failed,
}

/// One thing that somebody did or read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts up from 1 without a gap.
    pub number: u64,
    /// When, UTC.
    pub at: Timestamp,
    /// Who: an account's id; empty when nobody was signed in.
    pub actor: String,
    /// What: `sign_in`, `alert_read`, `search`, `account_altered` and so on.
    pub action: String,
    /// On what: an id, never a name or a number of a document.
    pub object: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What else belongs to it: before, after, reason, site.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

/// Where a chain breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A number is missing or comes twice.
    #[error("entry {found} stands where {expected} is due")]
    Gap {
        /// The number due.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// An entry is not what was written, or does not follow the one before.
    #[error("entry {0} was altered, or what stood before it was")]
    Altered(u64),
    /// Entries at the end are missing: an earlier look saw more.
    #[error("entry {last} is the last; {seen} was seen before")]
    Cut {
        /// The last that is there.
        last: u64,
        /// The last that was seen before.
        seen: u64,
    },
}

impl Entry {
    /// The hash of this entry behind `previous`.
    pub fn link(&self, previous: &Link) -> Link {
        let mut hash = Sha256::new();
        hash.update(b"tidewaiter/audit/v1\0");
        hash.update(previous);
        hash.update(self.canonical().as_bytes());
        hash.finalize().into()
    }

    /// The bytes that are hashed: JSON, sorted keys, no spaces.
    pub fn canonical(&self) -> String {
        // A map of the standard library's sorts its keys; nothing in an entry fails to serialise.
        serde_json::to_value(self).map(|value| sorted(&value)).unwrap_or_default()
    }
}

fn sorted(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(map) => {
            let fields: BTreeMap<&String, &serde_json::Value> = map.iter().collect();
            let inner: Vec<String> = fields
                .into_iter()
                .map(|(key, value)| {
                    format!("{}:{}", serde_json::Value::String(key.clone()), sorted(value))
                })
                .collect();
            format!("{{{}}}", inner.join(","))
        }
        other => other.to_string(),
    }
}

/// Goes through a chain entry by entry, in bounded memory.
#[derive(Clone, Debug)]
pub struct Walk {
    previous: Link,
    next: u64,
}

impl Default for Walk {
    fn default() -> Self {
        Self { previous: START, next: 1 }
    }
}

impl Walk {
    /// A walk that goes on behind an entry that was checked before.
    pub fn after(number: u64, link: Link) -> Self {
        Self { previous: link, next: number.saturating_add(1) }
    }

    /// The last entry that was checked; 0 before the first.
    pub fn last(&self) -> u64 {
        self.next - 1
    }

    /// Checks the next entry against its stored link.
    ///
    /// # Errors
    /// [`Broken`], naming the first entry that is wrong.
    pub fn step(&mut self, entry: &Entry, link: &Link) -> Result<(), Broken> {
        if entry.number != self.next {
            return Err(Broken::Gap { expected: self.next, found: entry.number });
        }
        if entry.link(&self.previous) != *link {
            return Err(Broken::Altered(entry.number));
        }
        self.previous = *link;
        self.next += 1;
        Ok(())
    }

    /// Ends the walk: how many entries, and the last link.
    ///
    /// # Errors
    /// [`Broken::Cut`] when an earlier look saw more than `seen` entries.
    pub fn end(self, seen: u64) -> Result<(u64, Link), Broken> {
        let last = self.next - 1;
        if last < seen {
            return Err(Broken::Cut { last, seen });
        }
        Ok((last, self.previous))
    }
}

#[cfg(test)]
mod tests {
    use super::{Broken, Entry, Link, Outcome, START, Walk};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn chain(count: u64) -> Vec<(Entry, Link)> {
        let mut previous = START;
        (1..=count)
            .map(|number| {
                let entry = Entry {
                    number,
                    at: "2026-11-25T12:00:00Z".parse().unwrap(),
                    actor: format!("a-{}", number % 3),
                    action: "alert_read".to_owned(),
                    object: format!("alert-{number}"),
                    outcome: Outcome::Done,
                    details: BTreeMap::from([("site".to_owned(), "vvo".to_owned())]),
                };
                previous = entry.link(&previous);
                (entry, previous)
            })
            .collect()
    }

    fn walk(chain: &[(Entry, Link)], seen: u64) -> Result<u64, Broken> {
        let mut walk = Walk::default();
        for (entry, link) in chain {
            walk.step(entry, link)?;
        }
        walk.end(seen).map(|(last, _)| last)
    }

    proptest! {
        #[test]
        fn no_entry_can_be_altered_taken_out_or_moved(count in 2_u64..20, at in 0_usize..20, how in 0..6) {
            let mut entries = chain(count);
            prop_assert_eq!(walk(&entries, count), Ok(count));
            let at = at % entries.len();
            match how {
                0 => entries[at].0.actor.push('x'),
                1 => { entries.remove(at); }
                2 => entries[at].0.outcome = Outcome::Denied,
                3 => { entries[at].0.details.insert("reason".to_owned(), String::new()); }
                4 => entries[at].1[31] ^= 1,
                _ => {
                    let other = (at + 1) % entries.len();
                    entries.swap(at, other);
                }
            }
            prop_assert!(walk(&entries, count).is_err());
        }
    }

    #[test]
    fn the_bytes_hashed_are_those_described() {
        let (entry, link) = chain(1).remove(0);
        assert_eq!(
            entry.canonical(),
            r#"{"action":"alert_read","actor":"a-1","at":"2026-11-25T12:00:00Z","details":{"site":"vvo"},"number":1,"object":"alert-1","outcome":"done"}"#
        );
        assert_eq!(entry.link(&START), link);
    }
}
