//! What a station says of itself, held against what is on disk of it.

use jiff::{SignedDuration, Timestamp};
use sqlx::sqlite::SqliteConnection;
use tidewaiter_proto::presence::Presence;
use tidewaiter_proto::station::StationId;

use super::change::{ChangeKind, note_change};
use super::pending::{LedgerFinding, PendingWork, enqueue};
use super::{Store, StoreError, from_number, to_json, to_number};

impl Store {
    /// Keeps a verified presence and holds its head against the records on disk. `live` is false
    /// for a retained message: it may be older than what has arrived since.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn presence(
        &self,
        station: &StationId,
        presence: &Presence,
        live: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (station, presence) = (station.clone(), presence.clone());
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let text = to_json("station", "presence", &presence)?;
                    sqlx::query(
                        "UPDATE station SET online = $1, seen_at = $2, presence = $3
                         WHERE station = $4",
                    )
                    .bind(i64::from(presence.online))
                    .bind(now.as_microsecond())
                    .bind(text)
                    .bind(station.as_str())
                    .execute(&mut *connection)
                    .await?;
                    note_change(connection, now, ChangeKind::Station, station.as_str()).await?;
                    if live && presence.online {
                        let found = compare(connection, &station, &presence, now).await?;
                        if let Some(finding) = found {
                            enqueue(connection, &PendingWork::Ledger(station, finding)).await?;
                        }
                    }
                    Ok(())
                })
            })
            .await
    }
}

async fn compare(
    connection: &mut SqliteConnection,
    station: &StationId,
    presence: &Presence,
    now: Timestamp,
) -> Result<Option<LedgerFinding>, StoreError> {
    let hash: Option<Vec<u8>> = sqlx::query_scalar(
        "SELECT hash FROM record WHERE station = $1 AND epoch = $2 AND seq = $3",
    )
    .bind(station.as_str())
    .bind(to_number("epoch", presence.epoch)?)
    .bind(to_number("seq", presence.seq)?)
    .fetch_optional(&mut *connection)
    .await?;
    if hash.is_some_and(|hash| hash != presence.head.0) {
        return Ok(Some(LedgerFinding::Fork { epoch: presence.epoch, seq: presence.seq }));
    }
    // What arrived a moment ago may have overtaken this message; what arrived well before may not.
    let before = now.checked_sub(OVERTAKING).unwrap_or(now).as_microsecond();
    let newest: Option<(i64, i64)> = sqlx::query_as(
        "SELECT epoch, seq FROM record WHERE station = $1 AND received_at < $2
         ORDER BY epoch DESC, seq DESC LIMIT 1",
    )
    .bind(station.as_str())
    .bind(before)
    .fetch_optional(connection)
    .await?;
    let Some((epoch, seq)) = newest else { return Ok(None) };
    let epoch = from_number("record", "epoch", epoch)?;
    let seq = from_number("record", "seq", seq)?;
    if (presence.epoch, presence.seq) < (epoch, seq) {
        return Ok(Some(LedgerFinding::Rollback {
            epoch: presence.epoch,
            seq: presence.seq,
            known_epoch: epoch,
            known_seq: seq,
        }));
    }
    Ok(None)
}

const OVERTAKING: SignedDuration = SignedDuration::from_secs(30);
