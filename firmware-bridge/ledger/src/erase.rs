//! Erasing what an inspection says about a person: its key is destroyed, every chained byte stays.

use tidewaiter_proto::seal::KeyId;

use crate::book::Shared;
use crate::fault::ExpireError;
use crate::key::{Slot, SlotState};
use crate::ledger::Ledger;
use crate::sequencer::{Sequencer, inspection_tag};

impl Ledger {
    /// Destroys every key of an inspection, in both copies, and returns when that is on disk. Its
    /// records stay in the chain, verifiable, and can be read by nobody who has only this ledger;
    /// the server destroys its own copy by its own order. Gives how many keys there were.
    ///
    /// # Errors
    /// [`ExpireError`]; some of the keys may be destroyed then, and the call may be repeated.
    pub async fn erase(&self, inspection: &str) -> Result<u64, ExpireError> {
        let tag = inspection_tag(self.shared(), Some(inspection));
        self.alone(move |shared, sequencer| shared.erase(sequencer, tag)).await?
    }
}

impl Shared {
    fn erase(&self, sequencer: &mut Sequencer, tag: [u8; 16]) -> Result<u64, ExpireError> {
        let mut gone: Vec<Slot> = Vec::new();
        for number in self.slots_of(tag)? {
            let slot = self.slot(number)?;
            gone.extend(slot.filter(|slot| slot.state == SlotState::InUse));
        }
        sequencer.forget(|known, _: KeyId| *known == tag);
        let erased: Vec<Slot> =
            gone.iter().map(|slot| slot.without_key(SlotState::Erased)).collect();
        crate::writer::write_slots(self, &erased)?;
        Ok(erased.len() as u64)
    }
}
