//! Keys of inspections to come, made and wrapped before anybody waits for them.
//!
//! Wrapping a key for the server is elliptic-curve work and takes longer than sealing ten records;
//! done ahead by the keeper, the first record of a traveller is as quick as the second. A key that
//! is never used leaves no trace: it has no slot before an inspection takes it.

use tidewaiter_proto::seal::{
    BodyKey, KeyId, NoRandomness, WrappedForServer, WrappedForStation, random,
};

use crate::book::Shared;
use crate::queue::lock;

/// A key nobody uses yet, wrapped for both who may open it.
pub(crate) struct ReadyKey {
    pub(crate) id: KeyId,
    pub(crate) key: BodyKey,
    pub(crate) for_station: WrappedForStation,
    pub(crate) for_server: WrappedForServer,
}

impl Shared {
    /// A new key: one made ahead, or made now when there is none.
    pub(crate) fn take_key(&self) -> Result<ReadyKey, NoRandomness> {
        let ready = lock(&self.ready_keys).pop();
        self.ask(|chores| chores.keys_taken = true);
        ready.map_or_else(|| self.make_key(), Ok)
    }

    /// Makes keys until there are enough. Without random numbers there are none ahead, and whoever
    /// needs one says why.
    pub(crate) fn make_keys_ready(&self) {
        while lock(&self.ready_keys).len() < READY_KEYS {
            let Ok(made) = self.make_key() else { return };
            lock(&self.ready_keys).push(made);
        }
    }

    fn make_key(&self) -> Result<ReadyKey, NoRandomness> {
        let secrets = &self.options.secrets;
        let id = KeyId(random()?);
        let key = BodyKey::from_bytes(random()?);
        let for_station = key.wrap_for_station(id, &secrets.station, &random()?);
        let for_server = key.wrap_for_server(id, &secrets.server, random()?);
        Ok(ReadyKey { id, key, for_station, for_server })
    }
}

/// Enough for the travellers who come at once; the keeper makes a new one in a tenth of a
/// millisecond.
const READY_KEYS: usize = 32;
