//! How a ledger is opened: where, whose, with which keys, within which bounds.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tidewaiter_proto::seal::{ServerPublic, StationKey};
use tidewaiter_proto::signing::Verifying;
use tidewaiter_proto::station::StationId;

use crate::disk::{Disk, RealDisk};

/// How a ledger is opened.
#[derive(Clone, Debug)]
pub struct LedgerOptions {
    /// The ledger's own directory; see [`ledger_dir`] for its place in a station's store.
    pub dir: PathBuf,
    /// Whose ledger.
    pub station: StationId,
    /// The keys it works with.
    pub secrets: LedgerSecrets,
    /// The file layer.
    pub disk: Arc<dyn Disk>,
    /// Bytes of a journal segment, written with zeros ahead of time.
    pub segment_bytes: u32,
    /// Which epoch a new ledger begins with.
    pub first_epoch: u64,
    /// Appends that may wait at once; more wait outside.
    pub queue_length: usize,
    /// How long an append may wait outside before it is refused as busy.
    pub queue_wait: Duration,
    /// Records in one group, one sync for all of them.
    pub group_records: usize,
    /// How long the head file may lag behind the journal.
    pub head_lag: Duration,
    /// Records that may be in the journal and not in sled.
    pub checkpoint_records: usize,
    /// How long a record may be in the journal and not in sled.
    pub checkpoint_lag: Duration,
    /// Below this many free bytes the disk counts as full: nothing more is recorded.
    pub reserve_bytes: u64,
    /// Below this many free bytes a warning is due.
    pub low_bytes: u64,
    /// Bytes of the ballast: a file that is given up so that a full ledger opens.
    pub ballast_bytes: u64,
    /// What is checked when frames are read back.
    pub checks: Checks,
}

/// The keys a ledger works with.
#[derive(Clone, Debug)]
pub struct LedgerSecrets {
    /// The station's own wrapping key.
    pub station: StationKey,
    /// The server's public key; the keys of inspections are wrapped for it too.
    pub server: ServerPublic,
    /// The key that signs the server's word for a new epoch.
    pub authority: Verifying,
}

/// What is checked when frames are read back. Everything, but in the tests that show that each
/// check is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// Whether each record follows from the one before.
    pub chain: bool,
}

impl Default for Checks {
    fn default() -> Self {
        Self { chain: true }
    }
}

impl LedgerOptions {
    /// The usual bounds.
    pub fn new(dir: PathBuf, station: StationId, secrets: LedgerSecrets) -> Self {
        Self {
            dir,
            station,
            secrets,
            disk: Arc::new(RealDisk),
            segment_bytes: 8 << 20,
            first_epoch: 1,
            queue_length: 1024,
            queue_wait: Duration::from_secs(10),
            group_records: 256,
            head_lag: Duration::from_millis(200),
            checkpoint_records: 16 * 1024,
            checkpoint_lag: Duration::from_secs(30),
            reserve_bytes: 64 << 20,
            low_bytes: 512 << 20,
            ballast_bytes: 64 << 20,
            checks: Checks::default(),
        }
    }
}

/// The ledger's directory in a station's store.
pub fn ledger_dir(store: &std::path::Path) -> PathBuf {
    store.join("ledger")
}

pub(crate) const JOURNAL: &str = "journal";
pub(crate) const KEYS: &str = "keys";
pub(crate) const INDEX: &str = "index";
pub(crate) const INDEX_NEW: &str = "index.new";
pub(crate) const INDEX_OLD: &str = "index.old";
pub(crate) const SET_ASIDE: &str = "set-aside";
pub(crate) const LOCK: &str = "lock";
pub(crate) const BALLAST: &str = "ballast";
