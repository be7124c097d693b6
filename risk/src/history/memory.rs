//! The history held in memory: digests packed, found by key in the order of time.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use jiff::Timestamp;
use tidewaiter_proto::record::Record;

use super::packed::{Texts, pack, unpack};
use super::{Digest, History, Key, KeyKind};
use crate::crossing::assemble;

/// A history held in memory: about 0.25 KB a crossing, good for several millions.
#[derive(Clone, Debug, Default)]
pub struct MemoryHistory {
    packed: Vec<Packed>,
    texts: Texts,
    /// Where a key's crossings are; the key of an inspection's name has one.
    found: HashMap<Key, Found, BuildHasherDefault<KeyHasher>>,
    /// Crossings of keys that have several, the earliest first.
    several: Vec<Vec<u32>>,
}

/// One crossing.
#[derive(Clone, Debug)]
struct Packed {
    /// Second in which it was opened.
    second: i64,
    bytes: Box<[u8]>,
}

/// Place of the one crossing that a key has, or of the list of them.
#[derive(Clone, Copy, Debug)]
struct Found(u32);

/// Set for a place in `several`.
const SEVERAL: u32 = 1 << 31;

/// No more digests than this are shown for one key: an address of a bank has thousands.
const MOST_VISITED: usize = 1000;

/// A key is eight bytes of a SHA-256 already: they are their own hash.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

impl MemoryHistory {
    /// The history of these records.
    pub fn of(records: &[Record]) -> Self {
        let mut history = Self::default();
        for crossing in &assemble(records).crossings {
            history.extend(Digest::of(crossing));
        }
        history
    }

    /// How many crossings it holds.
    pub fn len(&self) -> usize {
        self.packed.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// Adds a crossing, or replaces what was known of it.
    pub fn insert(&mut self, digest: Digest) {
        let name = Key::new(KeyKind::Inspection, &[digest.station.as_str(), &digest.inspection]);
        let second = digest.opened.as_second();
        let bytes = pack(&digest, &mut self.texts);
        let at = if let Some(at) = self.places(name).first().copied() {
            self.forget(at);
            if let Some(old) = self.packed.get_mut(index(at)) {
                *old = Packed { second, bytes };
            }
            at
        } else {
            let at = u32::try_from(self.packed.len()).ok().filter(|at| *at < SEVERAL);
            let Some(at) = at else { return };
            self.packed.push(Packed { second, bytes });
            self.found.insert(name, Found(at));
            at
        };
        for key in digest.keys() {
            self.find_by(key, at);
        }
    }

    /// Places of the crossings of a key, the earliest first.
    fn places(&self, key: Key) -> &[u32] {
        match self.found.get(&key) {
            None => &[],
            Some(Found(at)) if at & SEVERAL != 0 => {
                self.several.get(index(at & !SEVERAL)).map(Vec::as_slice).unwrap_or_default()
            }
            Some(Found(at)) => std::slice::from_ref(at),
        }
    }

    /// The order of crossings in time; of those of one second the one known first.
    fn order(packed: &[Packed], at: u32) -> (i64, u32) {
        (packed.get(index(at)).map_or(i64::MAX, |packed| packed.second), at)
    }

    /// Has a crossing found by a key.
    fn find_by(&mut self, key: Key, at: u32) {
        let packed = &self.packed;
        match self.found.get_mut(&key) {
            None => {
                self.found.insert(key, Found(at));
            }
            Some(Found(known)) if *known & SEVERAL != 0 => {
                let Some(list) = self.several.get_mut(index(*known & !SEVERAL)) else { return };
                let own = Self::order(packed, at);
                // Mostly it is the latest.
                let place = list.partition_point(|other| Self::order(packed, *other) < own);
                if list.get(place) != Some(&at) {
                    list.insert(place, at);
                }
            }
            Some(Found(known)) if *known == at => {}
            Some(Found(known)) => {
                let Some(place) =
                    u32::try_from(self.several.len()).ok().filter(|place| *place < SEVERAL)
                else {
                    return;
                };
                let mut list = vec![*known, at];
                list.sort_by_key(|at| Self::order(packed, *at));
                *known = SEVERAL | place;
                self.several.push(list);
            }
        }
    }

    /// Has a crossing found by none of its keys any more.
    fn forget(&mut self, at: u32) {
        let Some(old) = self.digest(at) else { return };
        for key in old.keys() {
            match self.found.get(&key) {
                Some(Found(known)) if known & SEVERAL != 0 => {
                    if let Some(list) = self.several.get_mut(index(known & !SEVERAL)) {
                        list.retain(|other| *other != at);
                    }
                }
                Some(Found(known)) if *known == at => {
                    self.found.remove(&key);
                }
                _ => {}
            }
        }
    }

    fn digest(&self, at: u32) -> Option<Digest> {
        let packed = self.packed.get(index(at))?;
        unpack(&packed.bytes, packed.second, &self.texts)
    }
}

impl Extend<Digest> for MemoryHistory {
    fn extend<T: IntoIterator<Item = Digest>>(&mut self, digests: T) {
        digests.into_iter().for_each(|digest| self.insert(digest));
    }
}

impl History for MemoryHistory {
    fn visit(&self, key: Key, since: Timestamp, until: Timestamp, visit: &mut dyn FnMut(Digest)) {
        let places = self.places(key);
        let second = |at: u32| self.packed.get(index(at)).map_or(i64::MAX, |packed| packed.second);
        let first = places.partition_point(|at| second(*at) < since.as_second());
        let end = places.partition_point(|at| second(*at) <= until.as_second());
        // The latest first, so that the cut leaves out the oldest.
        for at in places.get(first..end).unwrap_or_default().iter().rev().take(MOST_VISITED) {
            if let Some(digest) = self.digest(*at) {
                visit(digest);
            }
        }
    }
}

fn index(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;
    use tidewaiter_proto::record::Record;

    use super::{MOST_VISITED, MemoryHistory};
    use crate::crossing::assemble;
    use crate::history::{Digest, History as _, Key, KeyKind};

    const GROUP: &str = "f-1";

    fn digest(inspection: &str, second: i64, group: &str) -> Digest {
        let at = Timestamp::from_second(second).unwrap();
        let record: Record = serde_json::from_value(json!({"station": "ruvvo/dep-07", "seq": 1,
            "at": at, "inspection": inspection, "source": {"agent": "test"}, "body": {
            "type": "inspection_opened", "direction": "exit", "role": "passenger", "movement":
            {"mode": "air", "from": "VVO", "to": "PEK"}, "group": {"id": group, "kind": "family"}}}))
        .unwrap();
        Digest::of(&assemble(&[record]).crossings[0]).unwrap()
    }

    fn seen(history: &MemoryHistory, group: &str, from: i64, to: i64) -> Vec<String> {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut names = Vec::new();
        history.visit(Key::new(KeyKind::Group, &[group]), at(from), at(to), &mut |digest| {
            names.push(digest.inspection.to_string());
        });
        names
    }

    #[test]
    fn a_window_has_both_its_ends_and_shows_the_latest_first() {
        let mut history = MemoryHistory::default();
        for (name, second) in [("c", 300), ("a", 100), ("d", 400), ("b", 200)] {
            history.insert(digest(name, second, GROUP));
        }
        assert_eq!(seen(&history, GROUP, 200, 300), ["c", "b"]);
        assert_eq!(seen(&history, GROUP, 0, 1000), ["d", "c", "b", "a"]);
        assert_eq!(seen(&history, GROUP, 201, 299), [""; 0]);
        assert_eq!(seen(&history, "nobody", 0, 1000), [""; 0]);
    }

    #[test]
    fn what_is_known_anew_replaces_what_was_known() {
        let mut history = MemoryHistory::default();
        history.extend([digest("a", 100, GROUP), digest("b", 200, GROUP), digest("a", 300, GROUP)]);
        assert_eq!((history.len(), history.is_empty()), (2, false));
        assert_eq!(seen(&history, GROUP, 0, 1000), ["a", "b"]);
        history.insert(digest("a", 100, "f-2"));
        history.insert(digest("b", 200, "f-2"));
        assert_eq!(seen(&history, GROUP, 0, 1000), [""; 0]);
        assert_eq!(seen(&history, "f-2", 0, 1000), ["b", "a"]);
        history.insert(digest("b", 200, GROUP));
        assert_eq!(seen(&history, GROUP, 0, 1000), ["b"]);
    }

    #[test]
    fn of_too_many_the_oldest_are_left_out() {
        let mut history = MemoryHistory::default();
        let most = i64::try_from(MOST_VISITED).unwrap();
        for second in (0..=most).rev() {
            history.insert(digest(&format!("i{second}"), second, GROUP));
        }
        let names = seen(&history, GROUP, 0, most);
        assert_eq!(names.len(), MOST_VISITED);
        assert_eq!(names[0], format!("i{most}"));
        assert_eq!(names[MOST_VISITED - 1], "i1");
    }

    #[test]
    fn the_order_in_which_crossings_come_to_mind_means_nothing() {
        let digests: Vec<Digest> =
            (0..50).map(|at| digest(&format!("i{at}"), at * 7 % 50, GROUP)).collect();
        let (mut there, mut back) = (MemoryHistory::default(), MemoryHistory::default());
        there.extend(digests.iter().cloned());
        back.extend(digests.into_iter().rev());
        assert_eq!(seen(&there, GROUP, 0, 50), seen(&back, GROUP, 0, 50));
    }
}
