//! Who may sign in at a station: told to it at each connection, after each change within a
//! heartbeat, and again before the bundle that it has is over.
//!
//! What was told is remembered for the connection it was told on: with another one it is told
//! again, so that nothing hangs on a message that was lost.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::{SignedDuration, Timestamp};
use tidewaiter_people::station::SignedAccounts;
use tidewaiter_proto::presence::Presence;
use tidewaiter_proto::receipt::{AccountsPiece, Down};
use tidewaiter_proto::signing::Signing;
use tidewaiter_proto::station::StationId;

use crate::clock::Clock;
use crate::people::officers::accounts_of;
use crate::store::{Store, StoreError};

/// Tells stations who may sign in.
#[derive(Debug)]
pub struct Accounts {
    store: Store,
    signing: Signing,
    /// The machine's own: PINs and sessions do not jump with a demonstration.
    clock: Clock,
    lasts: SignedDuration,
    told: HashMap<StationId, Told>,
}

/// What a station was told last.
#[derive(Clone, Copy, Debug)]
struct Told {
    session: u64,
    serial: u64,
    at: Timestamp,
}

impl Accounts {
    /// What a store knows of people, for `lasts` without the network.
    pub fn new(store: Store, signing: Signing, lasts: SignedDuration) -> Self {
        Self { store, signing, clock: Clock::system(), lasts, told: HashMap::new() }
    }

    /// What a station that shows itself is to be told now; nothing when it knows.
    pub(super) async fn due(
        &mut self,
        station: &StationId,
        presence: &Presence,
    ) -> Result<Vec<Down>, StoreError> {
        if !presence.online {
            self.told.remove(station);
            return Ok(Vec::new());
        }
        let serial = self.store.station_serial().await?;
        let now = self.clock.now();
        let told = Told { session: presence.session, serial, at: now };
        let before = self.told.get(station);
        let fresh = before.is_some_and(|before| {
            let age = now.duration_since(before.at);
            (before.session, before.serial) == (told.session, serial) && age < self.lasts / RENEWALS
        });
        // Nobody has an account yet: a demonstration stays open.
        if fresh || !self.store.has_accounts().await? {
            return Ok(Vec::new());
        }
        let rows = self.store.accounts_with_pin().await?;
        let accounts = accounts_of(&rows, station, serial, now, self.lasts);
        let signed = SignedAccounts::sign(&accounts, &self.signing)
            .and_then(|signed| serde_json::to_vec(&signed));
        let Ok(bytes) = signed else { return Ok(Vec::new()) };
        if bytes.len() > PIECE_BYTES * usize::from(PIECES_MOST) {
            tracing::error!(%station, people = accounts.people.len(), "too many people for a station");
            return Ok(Vec::new());
        }
        self.told.insert(station.clone(), told);
        Ok(pieces(station, &format!("{serial}@{now}"), &bytes))
    }
}

fn pieces(station: &StationId, serial: &str, bytes: &[u8]) -> Vec<Down> {
    let chunks: Vec<&[u8]> = bytes.chunks(PIECE_BYTES).collect();
    let parts = u16::try_from(chunks.len()).unwrap_or(u16::MAX);
    (0..parts)
        .zip(chunks)
        .map(|(part, chunk)| {
            Down::Accounts(AccountsPiece {
                station: station.clone(),
                serial: serial.to_owned(),
                part,
                parts,
                piece: BASE64.encode(chunk),
            })
        })
        .collect()
}

/// A bundle is made again after this part of its time, so that a station at the network never
/// comes near its end.
const RENEWALS: i32 = 4;
const PIECE_BYTES: usize = 24 * 1024;
/// As many as a station puts together.
const PIECES_MOST: u16 = 8;

#[cfg(test)]
mod tests {
    use super::{PIECE_BYTES, pieces};
    use tidewaiter_proto::receipt::{DOWN_BYTES_MAX, SignedDown};
    use tidewaiter_proto::signing::Signing;

    #[test]
    fn every_piece_fits_a_message_of_the_server() {
        let station = "ruvvo/dep-07".parse().unwrap();
        let bytes = vec![b'"'; PIECE_BYTES * 3 + 1];
        let all = pieces(&station, "1", &bytes);
        assert_eq!(all.len(), 4);
        for piece in all {
            let signed = SignedDown::sign(&piece, &Signing::from_seed(&[1; 32])).unwrap();
            assert!(serde_json::to_vec(&signed).unwrap().len() <= DOWN_BYTES_MAX);
        }
    }
}
