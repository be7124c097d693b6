//! What can be wrong with a ledger, in words for the officer's page and the log.

use std::path::PathBuf;

use tidewaiter_proto::stored::StoredError;

/// Damage to something that was once on disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("epoch {epoch}, record {seq}: {what} ({file}, byte {offset})")]
pub struct Damage {
    /// Which life of the ledger.
    pub epoch: u64,
    /// The first record that is not as it was.
    pub seq: u64,
    /// What is wrong.
    pub what: String,
    /// The file's name.
    pub file: String,
    /// Where in the file.
    pub offset: u64,
}

/// Why nothing more is recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No room.
    #[error("disk full: {free} bytes free, {needed} needed")]
    DiskFull {
        /// Bytes that are free.
        free: u64,
        /// Bytes that would be needed.
        needed: u64,
    },
    /// No new file may be made.
    #[error("no new file can be made: {0}")]
    NoFile(String),
    /// Records that were recorded are not in the journal.
    #[error(
        "epoch {epoch} ends with record {have} here, and record {known} was recorded ({source_name}): this store is old or was cut; a new epoch needs the server's word"
    )]
    Behind {
        /// Which life of the ledger.
        epoch: u64,
        /// The last record here.
        have: u64,
        /// The last record known.
        known: u64,
        /// Who knows.
        source_name: &'static str,
    },
    /// Another record was seen under a number of ours.
    #[error(
        "epoch {epoch}: record {seq} is another one at the server: this store was copied or restored; a new epoch needs the server's word"
    )]
    Forked {
        /// Which life of the ledger.
        epoch: u64,
        /// The record.
        seq: u64,
    },
    /// Writing or syncing failed; nothing is written until the ledger is opened again.
    #[error("the disk failed ({0}); the ledger stays closed until it is opened again")]
    Failed(String),
    /// sled gives no answers, and cannot be rebuilt.
    #[error("the index cannot be used: {0}")]
    Index(String),
}

impl Refusal {
    /// Whether it is about this life of the ledger, and over with the next.
    pub(crate) fn ends_with_epoch(&self) -> bool {
        matches!(self, Self::Behind { .. } | Self::Forked { .. })
    }
}

/// Why a record was not recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The ledger records nothing now.
    #[error("not recorded: {0}")]
    Refused(Refusal),
    /// The disk failed while it was being written: it may be there after the next opening or not.
    #[error("not confirmed: {0}")]
    Unconfirmed(Refusal),
    /// Too many are waiting.
    #[error("not recorded: the ledger is busy, {0} appends are waiting")]
    Busy(usize),
    /// The draft cannot be a record.
    #[error("not recorded: {0}")]
    Record(#[from] StoredError),
    /// Too large for a segment.
    #[error("not recorded: {0} bytes do not fit a journal segment")]
    TooLarge(usize),
    /// No random bytes for a key.
    #[error("not recorded: {0}")]
    NoRandomness(#[from] tidewaiter_proto::seal::NoRandomness),
    /// The ledger was closed.
    #[error("not recorded: the ledger is closed")]
    Closed,
}

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// What was recorded is not as it was.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// There is no such record (any more).
    #[error("epoch {epoch} has no record {seq} here")]
    Missing {
        /// Which life of the ledger.
        epoch: u64,
        /// The record.
        seq: u64,
    },
    /// The file layer failed.
    #[error("the journal cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// sled failed.
    #[error(transparent)]
    Index(#[from] crate::index::IndexError),
    /// sled is being rebuilt.
    #[error("the index is being rebuilt")]
    IndexAway,
}

/// Why something was not let go or erased.
#[derive(Debug, thiserror::Error)]
pub enum ExpireError {
    /// What should go cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The ledger takes nothing now.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The file layer failed.
    #[error("it cannot be removed: {0}")]
    Io(#[from] std::io::Error),
}

/// Why a ledger does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// It is another station's.
    #[error("{dir} is the ledger of {found}, not of {expected}")]
    OtherStation {
        /// Where.
        dir: PathBuf,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
    /// The file layer failed.
    #[error("{path}: {source}")]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An option is out of bounds.
    #[error("{0}")]
    Option(&'static str),
}

/// Why a new epoch was not begun.
#[derive(Debug, thiserror::Error)]
pub enum EpochError {
    /// The server did not grant it.
    #[error("no word of the server for a new epoch: {0}")]
    Grant(String),
    /// Its number is not new.
    #[error("epoch {new} is not later than {known}")]
    NotLater {
        /// Asked for.
        new: u64,
        /// Known already.
        known: u64,
    },
    /// It cannot be written.
    #[error(transparent)]
    Append(#[from] AppendError),
}
