//! What changed between two bundles of one list, and whether a new one may replace the old.
//!
//! Owns the comparison; what is screened again because of it is the caller's.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::Serialize;

use super::{ListBundle, ListEntry, ListError};

/// A list may lose this share of its entries from one day to the next before it is taken for broken.
const MOST_LOST_PERCENT: usize = 20;
/// Below this size a list is an authority's own and may shrink as its author likes.
const SMALLEST_GUARDED: usize = 20;

/// The ids of the entries that differ between two bundles, each in list order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ListDifference {
    /// In the new bundle only.
    pub added: Vec<String>,
    /// In the old bundle only.
    pub removed: Vec<String>,
    /// In both, with other content.
    pub changed: Vec<String>,
}

impl ListDifference {
    /// Compares two bundles of one list.
    pub fn between(old: &ListBundle, new: &ListBundle) -> Self {
        let before: HashMap<&str, &ListEntry> =
            old.entries.iter().map(|entry| (entry.entry.as_str(), entry)).collect();
        let after: HashSet<&str> = new.entries.iter().map(|entry| entry.entry.as_str()).collect();
        let mut difference = Self::default();
        for entry in &new.entries {
            match before.get(entry.entry.as_str()) {
                None => difference.added.push(entry.entry.clone()),
                Some(known) if *known != entry => difference.changed.push(entry.entry.clone()),
                Some(_) => {}
            }
        }
        difference.removed = old
            .entries
            .iter()
            .filter(|entry| !after.contains(entry.entry.as_str()))
            .map(|entry| entry.entry.clone())
            .collect();
        difference
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    /// The lists of two sets that differ, by name; one that is in a single set differs in all its
    /// entries.
    pub fn of_lists(old: &[ListBundle], new: &[ListBundle]) -> Vec<(String, Self)> {
        let none = |like: &ListBundle| ListBundle::new(&*like.name, like.as_of, "", Vec::new());
        let known =
            |lists: &[ListBundle], name: &str| lists.iter().find(|list| list.name == name).cloned();
        let gone = old.iter().filter(|list| known(new, &list.name).is_none());
        let mut found: Vec<(String, Self)> = gone
            .map(|list| (list.name.clone(), Self::between(list, &none(list))))
            .chain(new.iter().map(|list| {
                let before = known(old, &list.name).unwrap_or_else(|| none(list));
                (list.name.clone(), Self::between(&before, list))
            }))
            .filter(|(_, difference)| !difference.is_empty())
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }
}

impl fmt::Display for ListDifference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (added, removed) = (self.added.len(), self.removed.len());
        write!(formatter, "{added} added, {removed} removed, {} changed", self.changed.len())
    }
}

/// Refuses a new bundle that is empty, or that lost more than a fifth of a list of some size.
pub fn check_not_shrunken(old: Option<&ListBundle>, new: &ListBundle) -> Result<(), ListError> {
    if new.entries.is_empty() {
        return Err(ListError::Incomplete {
            list: new.name.clone(),
            what: "the file holds no entry".to_owned(),
        });
    }
    let Some(old) = old else { return Ok(()) };
    let (was, is) = (old.entries.len(), new.entries.len());
    if was >= SMALLEST_GUARDED && is * 100 < was * (100 - MOST_LOST_PERCENT) {
        return Err(ListError::Shrunken {
            list: new.name.clone(),
            old: was,
            new: is,
            percent: MOST_LOST_PERCENT,
        });
    }
    Ok(())
}
