//! What either side of the sync raises, with the proof it has.

use crate::batch::SignedHead;
use crate::chain::{ChainHash, Head};
use crate::presence::Presence;
use crate::station::StationId;
use crate::sync::ranges::Ranges;

/// Something that must not be: the shells make alerts and pages of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Two histories of one epoch: a ledger was restored and written on, or copied.
    Fork {
        /// Whose ledger.
        station: StationId,
        /// Which life of it.
        epoch: u64,
        /// The first number at which the histories are known to differ.
        seq: u64,
        /// What the station signed for the history that came later; it is kept beside the first.
        branch: SignedHead,
    },
    /// A station proved just now that it has less than it had before, or lives an older life.
    Rollback {
        /// Whose ledger.
        station: StationId,
        /// Epoch and last number that the server knew when it asked.
        known: (u64, u64),
        /// The signed answer.
        shown: Box<Presence>,
    },
    /// Records that the station does not send though it is there and was asked.
    Gap {
        /// Whose ledger.
        station: StationId,
        /// Which life of it.
        epoch: u64,
        /// The numbers that are missing.
        missing: Ranges,
    },
    /// A message that nobody may believe.
    Refused {
        /// Whose topic it came on, when that is a station.
        station: Option<StationId>,
        /// Why it was refused.
        reason: String,
    },
    /// At the station: what the server holds contradicts the station's own ledger.
    Contradicted {
        /// Which life of the ledger.
        epoch: u64,
        /// The number that shows it.
        seq: u64,
        /// The server's hash of that record.
        theirs: ChainHash,
        /// The station's own head.
        ours: Head,
    },
    /// At the station: records that were not receipted cannot be read from the ledger.
    Unreadable {
        /// Which life of the ledger.
        epoch: u64,
        /// The first number.
        from: u64,
        /// The last number.
        to: u64,
    },
    /// At the station: the server refused a batch.
    BatchRefused {
        /// The server's reason.
        reason: String,
    },
}
