//! What waits for assessment. It is written in the transaction that stores the records, so that
//! nothing stays unassessed when the program stops in between.

use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;
use tidewaiter_proto::chain::{ChainHash, Head};
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::sync::finding::Finding;

use super::{Store, StoreError, from_json, parsed, take_numbers, to_bytes, to_json};

/// One piece of waiting work, with the number that says whether it was asked for again since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Grows each time the same work is asked for.
    pub number: i64,
    /// What to do.
    pub work: PendingWork,
}

/// What to assess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PendingWork {
    /// The records under this key of this station.
    Inspection(StationId, [u8; 16]),
    /// Something about a station's ledger itself.
    Ledger(StationId, LedgerFinding),
}

/// When work is taken up: a new alarm does not wait behind days of a backlog, nor behind everything
/// that a new list asks for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// In the order it came.
    Next,
    /// When nothing new waits.
    Behind,
}

/// What was found about a station's ledger, as it is kept until an alert is made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum LedgerFinding {
    /// Two histories of one epoch.
    Fork {
        /// Of which life of the ledger.
        epoch: u64,
        /// The first number at which they differ.
        seq: u64,
        /// The head the station signed for the history that came later: its number.
        branch_seq: u64,
        /// And its hash.
        branch_hash: ChainHash,
    },
    /// The station proved that it has less than it had before.
    Rollback {
        /// Epoch the station is in.
        epoch: u64,
        /// Its last number.
        seq: u64,
        /// Epoch of the last record known.
        known_epoch: u64,
        /// Number of the last record known.
        known_seq: u64,
    },
    /// Records are missing though the station is there and was asked.
    Gap {
        /// Of which life of the ledger.
        epoch: u64,
        /// First missing number.
        first: u64,
        /// Last missing number.
        last: u64,
        /// How many are missing.
        count: u64,
    },
    /// A message in the station's name was refused.
    Refused {
        /// Why.
        reason: String,
    },
    /// Records arrived that no key of the server opens.
    Unreadable {
        /// Id of the key, hex.
        key: String,
    },
    /// The station's clock cannot be trusted.
    Clock {
        /// What it said of itself: the quality of its clock.
        quality: String,
        /// Its clock less the server's, in milliseconds.
        offset_ms: i64,
        /// The server's day, so that it is said again on another.
        day: String,
    },
    /// The station has not been heard.
    Silent {
        /// Since when, RFC 3339.
        since: String,
    },
}

impl LedgerFinding {
    /// Two histories of an epoch that differ from `seq` on; `branch` is the end of the later one.
    pub(super) fn fork(epoch: u64, seq: u64, branch: Head) -> Self {
        let Head { seq: branch_seq, hash: branch_hash } = branch;
        Self::Fork { epoch, seq, branch_seq, branch_hash }
    }

    /// A finding of the sync as it is kept, and the station it is about; `None` for what no
    /// station is to blame for, and for what a station finds itself.
    pub fn of(finding: &Finding) -> Option<(StationId, Self)> {
        match finding {
            Finding::Fork { station, epoch, seq, branch } => {
                Some((station.clone(), Self::fork(*epoch, *seq, branch.head)))
            }
            Finding::Rollback { station, known, shown } => {
                let rollback = Self::Rollback {
                    epoch: shown.epoch,
                    seq: shown.seq,
                    known_epoch: known.0,
                    known_seq: known.1,
                };
                Some((station.clone(), rollback))
            }
            Finding::Gap { station, epoch, missing } => {
                let first = missing.as_slice().first().map_or(0, |(first, _)| *first);
                let last = missing.last().unwrap_or(0);
                let gap = Self::Gap { epoch: *epoch, first, last, count: missing.count() };
                Some((station.clone(), gap))
            }
            Finding::Refused { station, reason } => {
                Some((station.clone()?, Self::Refused { reason: reason.clone() }))
            }
            Finding::Contradicted { .. }
            | Finding::Unreadable { .. }
            | Finding::BatchRefused { .. } => None,
        }
    }
}

impl PendingWork {
    fn parts(&self) -> Result<(&'static str, &StationId, String), StoreError> {
        match self {
            Self::Inspection(station, key) => Ok((INSPECTION, station, hex::encode(key))),
            Self::Ledger(station, finding) => {
                Ok((LEDGER, station, to_json("pending", "detail", finding)?))
            }
        }
    }

    fn read(kind: &str, station: &str, detail: &str) -> Result<Self, StoreError> {
        let station = parsed("pending", "station", station)?;
        if kind == INSPECTION {
            let bytes = hex::decode(detail).unwrap_or_default();
            Ok(Self::Inspection(station, to_bytes("pending", "detail", &bytes)?))
        } else {
            Ok(Self::Ledger(station, from_json("pending", "detail", detail)?))
        }
    }
}

impl Store {
    /// What waits, oldest first: what is new, and only when there is nothing new what fills in the
    /// past.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pending(&self, limit: i64) -> Result<Vec<Pending>, StoreError> {
        let rows = sqlx::query(
            "SELECT kind, station, detail, number FROM pending
             WHERE behind = (SELECT min(behind) FROM pending) ORDER BY number LIMIT $1",
        )
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                let (kind, station, detail): (String, String, String) =
                    (row.try_get("kind")?, row.try_get("station")?, row.try_get("detail")?);
                let work = PendingWork::read(&kind, &station, &detail)?;
                Ok(Pending { number: row.try_get("number")?, work })
            })
            .collect()
    }

    /// How much waits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pending_count(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT count(*) FROM pending").fetch_one(&self.readers).await?)
    }

    /// Raises what the sync found: an alert is made of it. What concerns no station of ours is
    /// only logged.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn raise(&self, finding: &Finding) -> Result<(), StoreError> {
        if let Some((station, finding)) = LedgerFinding::of(finding) {
            return self.ask(PendingWork::Ledger(station, finding)).await;
        }
        tracing::warn!(?finding, "the sync found something that is no station's");
        Ok(())
    }

    /// Asks for assessment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ask(&self, work: PendingWork) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move { enqueue(connection, &work, Turn::Next).await })
            })
            .await
    }

    /// Takes work off the queue without a result, unless it was asked for again since.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drop_pending(&self, pending: Pending) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| Box::pin(async move { settle(connection, &pending).await }))
            .await
    }
}

/// Adds work; what waits already keeps the better turn of the two.
pub(super) async fn enqueue(
    connection: &mut SqliteConnection,
    work: &PendingWork,
    turn: Turn,
) -> Result<(), StoreError> {
    let number = take_numbers(connection, "pending", 1).await?;
    let (kind, station, detail) = work.parts()?;
    sqlx::query(
        "INSERT INTO pending (kind, station, detail, number, behind) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (kind, station, detail) DO UPDATE SET number = excluded.number,
             behind = CASE WHEN pending.behind < excluded.behind
                           THEN pending.behind ELSE excluded.behind END",
    )
    .bind(kind)
    .bind(station.as_str())
    .bind(detail)
    .bind(number)
    .bind(i64::from(turn == Turn::Behind))
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn settle(
    connection: &mut SqliteConnection,
    pending: &Pending,
) -> Result<(), StoreError> {
    let (kind, station, detail) = pending.work.parts()?;
    sqlx::query(
        "DELETE FROM pending WHERE kind = $1 AND station = $2 AND detail = $3 AND number = $4",
    )
    .bind(kind)
    .bind(station.as_str())
    .bind(detail)
    .bind(pending.number)
    .execute(connection)
    .await?;
    Ok(())
}

const INSPECTION: &str = "inspection";
const LEDGER: &str = "ledger";
