//! Case files: alerts of one matter, gathered; and what an export of them is made of.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use tidewaiter_proto::batch::SignedHead;
use tidewaiter_proto::chain::{ChainHash, Head};
use tidewaiter_proto::station::StationId;

use super::audit::{Note, append};
use super::change::{ChangeKind, note_change};
use super::export::{read_alert_version, read_decision, read_record};
use super::{
    BundleRow, ExportedAlert, ExportedDecision, ExportedRecord, ExportedStation, Store, StoreError,
    from_number, parsed, to_bytes, to_number, to_time,
};

/// One case file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct CaseRow {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// Who opened it.
    pub made_by: String,
    /// When.
    pub made_at: Timestamp,
    /// Its alerts, in the order in which they were added.
    pub alerts: Vec<String>,
}

impl Store {
    /// Opens a case file with its first alerts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn make_case(
        &self,
        row: CaseRow,
        note: Note,
        noted_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO case_file (id, title, made_by, made_at)
                         VALUES ($1, $2, $3, $4)",
                    )
                    .bind(row.id.clone())
                    .bind(row.title)
                    .bind(row.made_by.clone())
                    .bind(row.made_at.as_microsecond())
                    .execute(&mut *connection)
                    .await?;
                    for alert in row.alerts {
                        add(connection, &row.id, alert, &row.made_by, row.made_at).await?;
                    }
                    append(connection, &note, noted_at).await?;
                    note_change(connection, row.made_at, ChangeKind::Desk, &row.id).await
                })
            })
            .await
    }

    /// Adds an alert to a case file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_to_case(
        &self,
        case: &str,
        alert: &str,
        by: &str,
        note: Note,
        (now, noted_at): (Timestamp, Timestamp),
    ) -> Result<(), StoreError> {
        let (case, alert, by) = (case.to_owned(), alert.to_owned(), by.to_owned());
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    add(connection, &case, alert, &by, now).await?;
                    append(connection, &note, noted_at).await?;
                    note_change(connection, now, ChangeKind::Desk, &case).await
                })
            })
            .await
    }

    /// One case file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn case(&self, id: &str) -> Result<Option<CaseRow>, StoreError> {
        let row = sqlx::query("SELECT id, title, made_by, made_at FROM case_file WHERE id = $1")
            .bind(id.to_owned())
            .fetch_optional(&self.readers)
            .await?;
        let Some(mut case) = row.as_ref().map(read_case).transpose()? else { return Ok(None) };
        case.alerts = self.alerts_of_case(id).await?;
        Ok(Some(case))
    }

    /// The alerts of a case file, in the order in which they were added.
    async fn alerts_of_case(&self, id: &str) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT alert FROM case_alert WHERE case_file = $1 ORDER BY added_at, alert",
        )
        .bind(id.to_owned())
        .fetch_all(&self.readers)
        .await?)
    }

    /// Case files, latest first, before a time and id; without their alerts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn cases(
        &self,
        before: Option<(i64, String)>,
        limit: i64,
    ) -> Result<Vec<CaseRow>, StoreError> {
        let (at, id) = before.unwrap_or((i64::MAX, String::new()));
        let rows = sqlx::query(
            "SELECT id, title, made_by, made_at FROM case_file
             WHERE made_at < $1 OR (made_at = $1 AND id > $2)
             ORDER BY made_at DESC, id LIMIT $3",
        )
        .bind(at)
        .bind(id)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let mut cases = rows.iter().map(read_case).collect::<Result<Vec<_>, _>>()?;
        for case in &mut cases {
            case.alerts = self.alerts_of_case(&case.id).await?;
        }
        Ok(cases)
    }

    /// The case files that an alert is in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn cases_of(&self, alert: &str) -> Result<Vec<CaseRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT f.id, f.title, f.made_by, f.made_at FROM case_file f
             JOIN case_alert a ON a.case_file = f.id WHERE a.alert = $1
             ORDER BY f.made_at DESC LIMIT 50",
        )
        .bind(alert.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_case).collect()
    }

    /// Every version of an alert, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn alert_versions(&self, id: &str) -> Result<Vec<ExportedAlert>, StoreError> {
        let rows = sqlx::query(
            "SELECT arrival, version, at, body FROM alert_version WHERE id = $1
             ORDER BY arrival LIMIT 2000",
        )
        .bind(id.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_alert_version).collect()
    }

    /// What was decided about an alert, as stored, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn decisions_stored(&self, id: &str) -> Result<Vec<ExportedDecision>, StoreError> {
        let rows = sqlx::query(
            "SELECT arrival, alert, at, actor, action, from_state, to_state, reason, text
             FROM decision WHERE alert = $1 ORDER BY arrival LIMIT 5000",
        )
        .bind(id.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_decision).collect()
    }

    /// Records of one epoch of a station, from one number to another, as stored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn records_stored(
        &self,
        station: &StationId,
        epoch: u64,
        (first, last): (u64, u64),
    ) -> Result<Vec<ExportedRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT arrival, received_at, station, epoch, seq, key_id, previous, hash, stored
             FROM record WHERE station = $1 AND epoch = $2 AND seq >= $3 AND seq <= $4
             ORDER BY seq LIMIT $5",
        )
        .bind(station.as_str())
        .bind(to_number("epoch", epoch)?)
        .bind(to_number("seq", first)?)
        .bind(to_number("seq", last)?)
        .bind(RUN_MAX)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_record).collect()
    }

    /// The first head that a station signed at or after a record.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn head_over(
        &self,
        station: &StationId,
        epoch: u64,
        seq: u64,
    ) -> Result<Option<SignedHead>, StoreError> {
        let row = sqlx::query(
            "SELECT h.seq, h.hash, h.statement, h.signature FROM signed_head h
             JOIN record r ON r.station = h.station AND r.epoch = h.epoch AND r.seq = h.seq
                          AND r.hash = h.hash
             WHERE h.station = $1 AND h.epoch = $2 AND h.seq >= $3 ORDER BY h.seq LIMIT 1",
        )
        .bind(station.as_str())
        .bind(to_number("epoch", epoch)?)
        .bind(to_number("seq", seq)?)
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let (hash, signature): (Vec<u8>, Vec<u8>) =
            (row.try_get("hash")?, row.try_get("signature")?);
        Ok(Some(SignedHead {
            statement: row.try_get("statement")?,
            signature: to_bytes("signed_head", "signature", &signature)?,
            head: Head {
                seq: from_number("signed_head", "seq", row.try_get("seq")?)?,
                hash: ChainHash(to_bytes("signed_head", "hash", &hash)?),
            },
        }))
    }

    /// A station as it was enrolled.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn station_enrolled(
        &self,
        station: &StationId,
    ) -> Result<Option<ExportedStation>, StoreError> {
        let row =
            sqlx::query("SELECT station, signing_key, enrolled_at FROM station WHERE station = $1")
                .bind(station.as_str())
                .fetch_optional(&self.readers)
                .await?;
        row.map(|row| {
            let station: String = row.try_get("station")?;
            Ok(ExportedStation {
                station: parsed("station", "station", &station)?,
                signing_key: row.try_get("signing_key")?,
                enrolled_at: to_time("station", "enrolled_at", row.try_get("enrolled_at")?)?,
            })
        })
        .transpose()
    }

    /// The bundle that an arrival went into.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bundle_of(&self, arrival: i64) -> Result<Option<BundleRow>, StoreError> {
        let number: Option<i64> =
            sqlx::query_scalar("SELECT number FROM bundle WHERE first <= $1 AND last >= $1")
                .bind(arrival)
                .fetch_optional(&self.readers)
                .await?;
        let Some(number) = number else { return Ok(None) };
        let rows = self.bundles(number.saturating_add(1), 1).await?;
        Ok(rows.into_iter().find(|row| row.number == number))
    }
}

async fn add(
    connection: &mut sqlx::sqlite::SqliteConnection,
    case: &str,
    alert: String,
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO case_alert (case_file, alert, added_by, added_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (case_file, alert) DO NOTHING",
    )
    .bind(case.to_owned())
    .bind(alert)
    .bind(by.to_owned())
    .bind(now.as_microsecond())
    .execute(connection)
    .await?;
    Ok(())
}

fn read_case(row: &SqliteRow) -> Result<CaseRow, StoreError> {
    Ok(CaseRow {
        id: row.try_get("id")?,
        title: row.try_get("title")?,
        made_by: row.try_get("made_by")?,
        made_at: to_time("case_file", "made_at", row.try_get("made_at")?)?,
        alerts: Vec::new(),
    })
}

/// The longest run of records in one proof.
const RUN_MAX: i64 = 20_000;
