//! What the journal holds and sled does not yet: the index of the newest frames, in memory.

use std::collections::{BTreeMap, HashMap};

use tidewaiter_proto::chain::Head;
use tidewaiter_proto::seal::{KeyId, SubjectToken};

use crate::key::Slot;
use crate::segment::Place;

/// One record's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which life of the ledger.
    pub epoch: u64,
    /// Number within the epoch.
    pub seq: u64,
    /// Where its frame begins.
    pub place: Place,
    /// The key of its inspection.
    pub key: KeyId,
    /// Token of the travel document.
    pub subject: Option<SubjectToken>,
    /// The station's clock, microseconds since 1970.
    pub at: i64,
    /// Tag of the device's event.
    pub event: Option<[u8; 16]>,
}

/// The newest entries, findable in every way sled is.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    entries: Vec<Entry>,
    by_key: HashMap<KeyId, Vec<usize>>,
    by_subject: HashMap<SubjectToken, Vec<usize>>,
    by_event: HashMap<[u8; 16], usize>,
    slots: Vec<(u64, KeyId, [u8; 16])>,
    states: BTreeMap<String, Vec<u8>>,
    end: Option<(Place, u64, Head)>,
}

impl Tail {
    /// Adds a record.
    pub fn add(&mut self, entry: Entry) {
        let index = self.entries.len();
        self.entries.push(entry);
        self.by_key.entry(entry.key).or_default().push(index);
        if let Some(subject) = entry.subject {
            self.by_subject.entry(subject).or_default().push(index);
        }
        if let Some(event) = entry.event {
            self.by_event.entry(event).or_insert(index);
        }
    }

    /// Adds a key.
    pub fn add_slot(&mut self, slot: &Slot) {
        self.slots.push((slot.number, slot.key, slot.tag));
    }

    /// Sets a named value.
    pub fn set_state(&mut self, key: &str, value: &[u8]) {
        self.states.insert(key.to_owned(), value.to_vec());
    }

    /// Notes how far the journal goes: the place after the last frame, and the head there.
    pub fn reach(&mut self, next: Place, epoch: u64, head: Head) {
        self.end = Some((next, epoch, head));
    }

    /// How far the journal goes, once something was added.
    pub fn end(&self) -> Option<(Place, u64, Head)> {
        self.end
    }

    /// All records, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// All keys: slot number, key id, tag of the inspection.
    pub fn slots(&self) -> &[(u64, KeyId, [u8; 16])] {
        &self.slots
    }

    /// All named values that were set.
    pub fn states(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.states
    }

    /// Records under a key.
    pub fn of_key(&self, key: KeyId) -> impl Iterator<Item = &Entry> {
        self.pick(self.by_key.get(&key))
    }

    /// Records about a subject.
    pub fn of_subject(&self, subject: SubjectToken) -> impl Iterator<Item = &Entry> {
        self.pick(self.by_subject.get(&subject))
    }

    /// Keys by id, with their entries: for writing them to sled together.
    pub fn keys(&self) -> impl Iterator<Item = (KeyId, impl Iterator<Item = &Entry>)> {
        self.by_key.iter().map(|(key, list)| (*key, self.pick(Some(list))))
    }

    /// Subjects with their entries.
    pub fn subjects(&self) -> impl Iterator<Item = (SubjectToken, impl Iterator<Item = &Entry>)> {
        self.by_subject.iter().map(|(subject, list)| (*subject, self.pick(Some(list))))
    }

    /// The record of an event.
    pub fn of_event(&self, event: [u8; 16]) -> Option<&Entry> {
        self.by_event.get(&event).and_then(|index| self.entries.get(*index))
    }

    /// The record with this number.
    pub fn of_number(&self, epoch: u64, seq: u64) -> Option<&Entry> {
        let index =
            self.entries.binary_search_by_key(&(epoch, seq), |entry| (entry.epoch, entry.seq));
        index.ok().and_then(|index| self.entries.get(index))
    }

    /// The slot of a key.
    pub fn slot_of(&self, key: KeyId) -> Option<u64> {
        self.slots.iter().rev().find(|(_, found, _)| *found == key).map(|(number, _, _)| *number)
    }

    /// The slots of an inspection.
    pub fn slots_of(&self, tag: [u8; 16]) -> impl Iterator<Item = u64> {
        self.slots.iter().filter(move |(_, _, found)| *found == tag).map(|(number, _, _)| *number)
    }

    /// Nothing in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.slots.is_empty() && self.states.is_empty()
    }

    /// How many records, keys and values are in it.
    pub fn len(&self) -> usize {
        self.entries.len() + self.slots.len() + self.states.len()
    }

    fn pick<'a>(&'a self, list: Option<&'a Vec<usize>>) -> impl Iterator<Item = &'a Entry> {
        list.into_iter().flatten().filter_map(|index| self.entries.get(*index))
    }
}
