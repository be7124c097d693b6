//! Drafts of declarations: what was typed and is not recorded yet.
//!
//! Kept in memory only: a draft names people, and what is kept on this disk is sealed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tidewaiter_web::form::Fields;

/// The drafts of a station, by inspection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drafts {
    kept: Arc<Mutex<VecDeque<(String, Fields)>>>,
}

impl Drafts {
    /// The draft of an inspection; empty when there is none.
    pub(super) fn of(&self, inspection: &str) -> Fields {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let draft = kept.iter().find(|(name, _)| name == inspection);
        draft.map(|(_, fields)| fields.clone()).unwrap_or_default()
    }

    /// Keeps a draft; the oldest beyond the bound is dropped.
    pub(super) fn keep(&self, inspection: &str, fields: Fields) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(name, _)| name != inspection);
        kept.push_back((inspection.to_owned(), fields));
        while kept.len() > DRAFTS_MAX {
            kept.pop_front();
        }
    }

    /// Drops a draft that was recorded.
    pub(super) fn drop(&self, inspection: &str) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(name, _)| name != inspection);
    }
}

const DRAFTS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::{DRAFTS_MAX, Drafts};
    use tidewaiter_web::form::Fields;

    #[test]
    fn each_inspection_has_its_own_draft_and_old_ones_go() {
        let drafts = Drafts::default();
        for number in 0..=DRAFTS_MAX {
            drafts.keep(&number.to_string(), Fields::read(format!("n={number}").as_bytes()));
        }
        assert_eq!(drafts.of("0"), Fields::default());
        assert_eq!(drafts.of("1").get("n"), "1");
        drafts.drop("1");
        assert_eq!(drafts.of("1"), Fields::default());
    }
}
