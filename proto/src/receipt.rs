//! What the server tells a station, as signed JSON: receipts, answers to its presence, requests.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::chain::{ChainHash, Head};
use crate::order::Order;
use crate::signing::{Domain, SignatureError, Signing, Verifying};
use crate::station::StationId;
use crate::sync::ranges::Ranges;

/// A message of the server to one station; the text is what was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedDown {
    /// JSON of a [`Down`], exactly as signed.
    pub signed: String,
    /// Ed25519 signature, 128 hex digits.
    pub signature: String,
}

/// What the server has to say. Every kind names the station it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Down {
    /// These records are on the server's disk.
    Receipt(Receipt),
    /// The answer to a presence: all that is on the server's disk of this station.
    Welcome(Welcome),
    /// Records that are missing on the server's disk; the station sends them again.
    Want(Want),
    /// The station shows its head now, in a presence that carries the nonce.
    Prove {
        /// Which station.
        station: StationId,
        /// What its presence must carry.
        nonce: u64,
    },
    /// The station may begin this life of its ledger.
    BeginEpoch {
        /// Which station.
        station: StationId,
        /// The session of the presence that asked for it.
        session: u64,
        /// The epoch, larger than any that the server has seen of it.
        epoch: u64,
    },
    /// The station sends nothing but new records for a while.
    Pause {
        /// Which station.
        station: StationId,
        /// For how long, in milliseconds.
        millis: u64,
    },
    /// A batch was refused; nothing of it is on the server's disk.
    Refused {
        /// Which station it was for.
        station: StationId,
        /// Why.
        reason: String,
    },
    /// A piece of the accounts that may sign in at the station.
    Accounts(AccountsPiece),
    /// The desk asks the officer for something.
    Order {
        /// What, under a name of its own: an order has a `kind` too.
        order: Order,
    },
    /// A kind that a later server knows; ignored.
    #[serde(other)]
    Unknown,
}

/// Records of one epoch that are on the server's disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Whose records.
    pub station: StationId,
    /// Of which life of its ledger.
    pub epoch: u64,
    /// Ranges on disk; not necessarily all of them.
    pub held: Vec<Held>,
    /// Ranges that contradict what is on disk under the same numbers, kept beside it as evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Held>,
    /// The last record of the unbroken run from 1, and its hash as the server computed it.
    pub verified: Head,
    /// The last presence that the server had heard of the station.
    pub heard: Heard,
    /// The server's clock.
    pub at: Timestamp,
}

/// A presence of a station by its session and beat, both 0 for none. It tells what the server said
/// before it answered that presence from what it says since, whatever the clocks show: a server
/// restored from a backup must not be believed by what it said before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// As in [`crate::presence::Presence::session`].
    pub session: u64,
    /// As in [`crate::presence::Presence::beat`].
    pub beat: u64,
}

/// An unbroken range of records, known by the chain hash of its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The first number.
    pub from: u64,
    /// The last number.
    pub to: u64,
    /// Chain hash of the last record: it stands for every record of the range.
    pub hash: ChainHash,
}

/// The answer to a presence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// Which station.
    pub station: StationId,
    /// The session of the presence that is answered.
    pub session: u64,
    /// Its beat: an answer to an earlier one than was answered before is a replay.
    pub beat: u64,
    /// What is on disk, by epoch; the presence's own epoch is always among them.
    pub lives: Vec<Standing>,
    /// The server's clock.
    pub at: Timestamp,
}

/// What is on the server's disk of one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Which life of the ledger.
    pub epoch: u64,
    /// Ranges on disk, ascending: all that lie at or below `through`.
    pub held: Vec<Held>,
    /// As in [`Receipt::kept`], all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Held>,
    /// Up to this number, what is in no range is not on disk.
    pub through: u64,
    /// As in [`Receipt::verified`].
    pub verified: Head,
}

/// Records the server asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    /// Which station.
    pub station: StationId,
    /// Which life of its ledger.
    pub epoch: u64,
    /// The numbers.
    pub ranges: Ranges,
    /// As in [`Receipt::heard`].
    pub heard: Heard,
    /// The server's clock.
    pub at: Timestamp,
}

/// A piece of a signed bundle of accounts: a message has a bound, and an airport many officers. Put
/// together, the pieces of one serial are the bundle, which carries its own signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountsPiece {
    /// Which station.
    pub station: StationId,
    /// Which making of the bundle; the same in all its pieces.
    pub serial: String,
    /// Which piece, from 0.
    pub part: u16,
    /// How many there are.
    pub parts: u16,
    /// Its text.
    pub piece: String,
}

/// Why a message from the server is not to be believed.
#[derive(Debug, thiserror::Error)]
pub enum DownError {
    /// Larger than [`DOWN_BYTES_MAX`].
    #[error("the message has {0} bytes, {DOWN_BYTES_MAX} at most")]
    TooLarge(usize),
    /// Not JSON of the right shape.
    #[error("the message is not a signed message of the server: {0}")]
    Shape(#[from] serde_json::Error),
    /// Not signed by the server.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl SignedDown {
    /// Signs a message.
    ///
    /// # Errors
    /// Only if the message cannot be written as JSON.
    pub fn sign(message: &Down, signing: &Signing) -> Result<Self, serde_json::Error> {
        let signed = serde_json::to_string(message)?;
        let signature = hex::encode(signing.sign(Domain::Down, signed.as_bytes()));
        Ok(Self { signed, signature })
    }

    /// Reads and verifies a payload.
    ///
    /// # Errors
    /// [`DownError`]; such a message changes nothing.
    pub fn verify(payload: &[u8], server: &Verifying) -> Result<Down, DownError> {
        if payload.len() > DOWN_BYTES_MAX {
            return Err(DownError::TooLarge(payload.len()));
        }
        let message: Self = serde_json::from_slice(payload)?;
        let mut signature = [0; 64];
        hex::decode_to_slice(&message.signature, &mut signature)
            .map_err(|_| SignatureError::Mismatch)?;
        server.verify(Domain::Down, message.signed.as_bytes(), &signature)?;
        Ok(serde_json::from_str(&message.signed)?)
    }
}

impl Down {
    /// The station the message is for; none for a kind this program does not know.
    pub fn station(&self) -> Option<&StationId> {
        match self {
            Self::Receipt(receipt) => Some(&receipt.station),
            Self::Welcome(welcome) => Some(&welcome.station),
            Self::Want(want) => Some(&want.station),
            Self::Order { order } => Some(&order.station),
            Self::Accounts(piece) => Some(&piece.station),
            Self::Prove { station, .. }
            | Self::BeginEpoch { station, .. }
            | Self::Pause { station, .. }
            | Self::Refused { station, .. } => Some(station),
            Self::Unknown => None,
        }
    }
}

impl Standing {
    /// What a server without any record of an epoch says of it.
    pub fn nothing(station: &StationId, epoch: u64) -> Self {
        let verified = Head::genesis(station, epoch);
        Self { epoch, held: Vec::new(), kept: Vec::new(), through: u64::MAX, verified }
    }

    /// All of these ranges, or the lowest of them, as many as a message may hold.
    pub fn new(epoch: u64, mut held: Vec<Held>, mut kept: Vec<Held>, verified: Head) -> Self {
        kept.truncate(RANGES_MAX);
        let all = held.len() <= RANGES_MAX;
        held.truncate(RANGES_MAX);
        let through = if all { u64::MAX } else { held.last().map_or(0, |range| range.to) };
        Self { epoch, held, kept, through, verified }
    }

    /// The largest number on disk; 0 when there is none.
    pub fn last(&self) -> u64 {
        self.held.iter().map(|range| range.to).max().unwrap_or(0)
    }

    /// The numbers on disk.
    pub fn ranges(&self) -> Ranges {
        self.held.iter().map(|range| (range.from, range.to)).collect::<Vec<_>>().into()
    }
}

/// The largest message of the server.
pub const DOWN_BYTES_MAX: usize = 64 * 1024;
/// The most lives of a ledger in one welcome: the newest.
pub const LIVES_MAX: usize = 8;
/// The most ranges in one statement of what is on disk.
pub const RANGES_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        AccountsPiece, Down, Heard, Held, RANGES_MAX, Receipt, SignedDown, Standing, Want, Welcome,
    };
    use crate::chain::Head;
    use crate::order::{Order, OrderKind};
    use crate::signing::{Domain, Signing};
    use crate::station::StationId;
    use crate::sync::ranges::Ranges;

    fn receipt() -> Down {
        let station: StationId = "ruvvo/dep-07".parse().unwrap();
        let verified = Head::genesis(&station, 1);
        let at = "2018-11-16T03:12:45Z".parse().unwrap();
        let held = vec![Held { from: 7, to: 9, hash: verified.hash }];
        let (kept, heard) = (Vec::new(), Heard { session: 7, beat: 3 });
        Down::Receipt(Receipt { station, epoch: 1, held, kept, verified, heard, at })
    }

    #[test]
    fn a_receipt_verifies_under_the_servers_key_only() {
        let server = Signing::from_seed(&[1; 32]);
        let payload = serde_json::to_vec(&SignedDown::sign(&receipt(), &server).unwrap()).unwrap();
        assert_eq!(SignedDown::verify(&payload, &server.verifying()).unwrap(), receipt());
        let other = Signing::from_seed(&[2; 32]).verifying();
        assert!(SignedDown::verify(&payload, &other).is_err());
        for index in 0..payload.len() {
            let mut altered = payload.clone();
            altered[index] ^= 1;
            let read = SignedDown::verify(&altered, &server.verifying());
            assert!(read.is_err() || read.unwrap() == receipt(), "byte {index}");
        }
    }

    #[test]
    fn every_kind_arrives_as_it_was_sent() {
        let server = Signing::from_seed(&[1; 32]);
        let station: StationId = "ruvvo/dep-07".parse().unwrap();
        let named = || station.clone();
        let order = Order {
            id: "o-1".to_owned(),
            station: named(),
            inspection: "a".to_owned(),
            kind: OrderKind::Hold,
            text: "the desk decides".to_owned(),
            by: "s-9".to_owned(),
            at: "2018-11-16T03:12:45Z".parse().unwrap(),
        };
        let (session, beat) = (7, 3);
        let sent = [
            receipt(),
            Down::Welcome(Welcome {
                station: named(),
                session,
                beat,
                lives: vec![Standing::nothing(&station, 1)],
                at: order.at,
            }),
            Down::Want(Want {
                station: named(),
                epoch: 1,
                ranges: Ranges::from(vec![(1, 2)]),
                heard: Heard { session, beat },
                at: order.at,
            }),
            Down::Prove { station: named(), nonce: 1 },
            Down::BeginEpoch { station: named(), session, epoch: 2 },
            Down::Pause { station: named(), millis: 5 },
            Down::Refused { station: named(), reason: "why".to_owned() },
            Down::Accounts(AccountsPiece {
                station: named(),
                serial: "1".to_owned(),
                part: 0,
                parts: 1,
                piece: "AA==".to_owned(),
            }),
            Down::Order { order },
        ];
        for down in sent {
            let payload = serde_json::to_vec(&SignedDown::sign(&down, &server).unwrap()).unwrap();
            let read = SignedDown::verify(&payload, &server.verifying());
            assert_eq!(read.map_err(|error| error.to_string()), Ok(down));
        }
    }

    #[test]
    fn a_kind_that_only_a_later_server_knows_is_ignored() {
        let server = Signing::from_seed(&[1; 32]);
        let signed = r#"{"kind":"rotate_keys","station":"ruvvo/dep-07","by":3}"#.to_owned();
        let signature = hex::encode(server.sign(Domain::Down, signed.as_bytes()));
        let payload = serde_json::to_vec(&SignedDown { signed, signature }).unwrap();
        assert_eq!(SignedDown::verify(&payload, &server.verifying()).unwrap(), Down::Unknown);
    }

    #[test]
    fn a_standing_with_too_many_ranges_says_how_far_it_reaches() {
        let station: StationId = "ruvvo/dep-07".parse().unwrap();
        let verified = Head::genesis(&station, 1);
        let hash = verified.hash;
        let held = (0..300).map(|n| Held { from: n * 2 + 1, to: n * 2 + 1, hash }).collect();
        let standing = Standing::new(1, held, Vec::new(), verified);
        assert_eq!(standing.held.len(), RANGES_MAX);
        assert_eq!(standing.through, standing.last());
        let small = Standing::nothing(&station, 1);
        assert_eq!(small.through, u64::MAX);
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let key = Signing::from_seed(&[1; 32]).verifying();
            prop_assert!(SignedDown::verify(&bytes, &key).is_err());
        }

        #[test]
        fn any_signed_text_is_read_or_refused(text in "\\PC{0,200}") {
            let server = Signing::from_seed(&[1; 32]);
            let signature = hex::encode(server.sign(Domain::Down, text.as_bytes()));
            let payload = serde_json::to_vec(&SignedDown { signed: text, signature }).unwrap();
            let _ = SignedDown::verify(&payload, &server.verifying());
        }
    }
}
