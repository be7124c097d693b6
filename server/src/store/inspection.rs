//! Inspections: what is known of each without opening it, and the records that make it up.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tidewaiter_proto::station::StationId;

use super::{Facts, Store, StoreError, from_number, parsed, to_bytes, to_number, to_time};

/// One inspection as the list shows it. Nothing here names a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InspectionRow {
    /// Where.
    pub station: StationId,
    /// Its opaque id at that station.
    pub inspection: String,
    /// Which key opens its records.
    pub key_id: [u8; 16],
    /// Token of the travel document.
    pub subject: Option<[u8; 16]>,
    /// The station's clock at the first record.
    pub opened_at: Timestamp,
    /// The station's clock at the last record.
    pub last_at: Timestamp,
    /// How many records.
    pub records: u64,
    /// `entry`, `exit` or `transit`.
    pub direction: Option<String>,
    /// `passenger`, `crew`, `master` or `consignment`.
    pub role: Option<String>,
    /// `air`, `sea`, `rail`, `road` or `post`.
    pub mode: Option<String>,
    /// Flight designator, vessel or other number.
    pub designator: Option<String>,
    /// Where the movement comes from.
    pub origin: Option<String>,
    /// Where it goes to.
    pub destination: Option<String>,
    /// The last outcome recorded.
    pub decision: Option<String>,
    /// What later assessments are to know of it, JSON of the risk engine.
    pub digest: Option<String>,
    /// What else is kept of it; written, never read back with the row.
    pub facts: Facts,
}

/// A page of inspections, latest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InspectionPage {
    /// The rows.
    pub rows: Vec<InspectionRow>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}

/// A record as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// The server's clock when it arrived.
    pub received_at: Timestamp,
    /// Its bytes.
    pub stored: Vec<u8>,
}

/// Records under one key, in the order of the ledger, and the key as wrapped for this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedRecords {
    /// `None` when the key never came or was destroyed.
    pub wrapped: Option<[u8; 80]>,
    /// The records.
    pub records: Vec<StoredRecord>,
}

impl Store {
    /// The latest records under one key of a station, in the order of the ledger.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn records_of_key(
        &self,
        station: &StationId,
        key_id: &[u8; 16],
    ) -> Result<KeyedRecords, StoreError> {
        let wrapped: Option<Option<Vec<u8>>> =
            sqlx::query_scalar("SELECT wrapped FROM body_key WHERE station = $1 AND key_id = $2")
                .bind(station.as_str())
                .bind(key_id.as_slice())
                .fetch_optional(&self.readers)
                .await?;
        let wrapped =
            wrapped.flatten().map(|bytes| to_bytes("body_key", "wrapped", &bytes)).transpose()?;
        let rows = sqlx::query(RECORDS_OF_KEY)
            .bind(station.as_str())
            .bind(key_id.as_slice())
            .bind(RECORDS_MAX)
            .fetch_all(&self.readers)
            .await?;
        let mut records = rows
            .into_iter()
            .map(|row| {
                Ok(StoredRecord {
                    received_at: to_time("record", "received_at", row.try_get("received_at")?)?,
                    stored: row.try_get("stored")?,
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        records.reverse();
        Ok(KeyedRecords { wrapped, records })
    }

    /// The keys under which a subject's records lie since an instant, latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keys_of_subject(
        &self,
        subject: &[u8; 16],
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<(StationId, [u8; 16])>, StoreError> {
        let rows = sqlx::query(
            "SELECT station, key_id, max(at) AS latest FROM record
             WHERE subject = $1 AND at >= $2
             GROUP BY station, key_id ORDER BY latest DESC LIMIT $3",
        )
        .bind(subject.as_slice())
        .bind(since.as_microsecond())
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_key).collect()
    }

    /// One inspection.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inspection(
        &self,
        station: &StationId,
        inspection: &str,
    ) -> Result<Option<InspectionRow>, StoreError> {
        let row = sqlx::query(
            "SELECT station, inspection, key_id, subject, opened_at, last_at, records, direction,
                    role, mode, designator, origin, destination, decision, digest
             FROM inspection WHERE station = $1 AND inspection = $2",
        )
        .bind(station.as_str())
        .bind(inspection.to_owned())
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(read_inspection).transpose()
    }

    /// Digests of inspections in the order of their names, each with the cursor that leads on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn digests(
        &self,
        after: &str,
        limit: i64,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let (station, inspection) = after.split_once(' ').unwrap_or_default();
        let rows = sqlx::query(
            "SELECT station, inspection, digest FROM inspection
             WHERE digest IS NOT NULL
               AND (station > $1 OR (station = $1 AND inspection > $2))
             ORDER BY station, inspection LIMIT $3",
        )
        .bind(station.to_owned())
        .bind(inspection.to_owned())
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                let (station, inspection): (String, String) =
                    (row.try_get("station")?, row.try_get("inspection")?);
                Ok((format!("{station} {inspection}"), row.try_get("digest")?))
            })
            .collect()
    }

    /// Inspections under any station with this id: an alert's group names ids alone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inspections_named(&self, id: &str) -> Result<Vec<InspectionRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT station, inspection, key_id, subject, opened_at, last_at, records, direction,
                    role, mode, designator, origin, destination, decision, digest
             FROM inspection WHERE inspection = $1 ORDER BY station LIMIT 100",
        )
        .bind(id.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_inspection).collect()
    }

    /// Inspections, latest first; `station` empty for all; `text` is sought in station, id,
    /// designator and places.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inspections(
        &self,
        sites: &str,
        station: &str,
        text: &str,
        after: Option<&str>,
        limit: i64,
    ) -> Result<InspectionPage, StoreError> {
        let (at, before_station, id) =
            after.and_then(read_cursor).unwrap_or((i64::MAX, String::new(), String::new()));
        let pattern = like_pattern(text);
        let rows = sqlx::query(
            "SELECT station, inspection, key_id, subject, opened_at, last_at, records, direction,
                    role, mode, designator, origin, destination, decision, digest
             FROM inspection
             WHERE ($1 = '' OR station = $1)
               AND ($7 = '' OR ',' || $7 || ',' LIKE '%,' || substr(station, 1, 5) || ',%')
               AND ($2 = '%%' OR lower(station || ' ' || inspection || ' ' ||
                    coalesce(designator, '') || ' ' || coalesce(origin, '') || ' ' ||
                    coalesce(destination, '')) LIKE $2 ESCAPE '!')
               AND (last_at < $3 OR (last_at = $3 AND (station > $4 OR
                    (station = $4 AND inspection > $5))))
             ORDER BY last_at DESC, station, inspection LIMIT $6",
        )
        .bind(station.to_owned())
        .bind(pattern)
        .bind(at)
        .bind(before_station)
        .bind(id)
        .bind(limit + 1)
        .bind(sites.to_owned())
        .fetch_all(&self.readers)
        .await?;
        let mut rows = rows.iter().map(read_inspection).collect::<Result<Vec<_>, _>>()?;
        let wanted = usize::try_from(limit).unwrap_or(0);
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let next = rows.last().filter(|_| more).map(|row| {
            format!("{}_{}_{}", row.last_at.as_microsecond(), row.station, row.inspection)
        });
        Ok(InspectionPage { rows, next })
    }
}

/// How much one movement was inspected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovementRow {
    /// Flight designator, vessel or other number.
    pub designator: String,
    /// Where it comes from.
    pub origin: String,
    /// Where it goes to.
    pub destination: String,
    /// Inspections of it.
    pub inspections: i64,
    /// Those with an outcome.
    pub decided: i64,
    /// The last record about it.
    pub last_at: Timestamp,
}

impl MovementRow {
    /// Where the page after this row begins.
    pub fn cursor(&self) -> String {
        format!("{}|{}|{}", self.designator, self.origin, self.destination)
    }
}

impl Store {
    /// Movements with their inspections, in the order of their designators.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn movements(
        &self,
        sites: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<MovementRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT coalesce(designator, '') AS name, coalesce(origin, '') AS origin,
                    coalesce(destination, '') AS destination, count(*) AS inspections,
                    count(decision) AS decided, max(last_at) AS last_at
             FROM inspection WHERE origin IS NOT NULL
               AND ($3 = '' OR ',' || $3 || ',' LIKE '%,' || substr(station, 1, 5) || ',%')
             GROUP BY coalesce(designator, ''), coalesce(origin, ''), coalesce(destination, '')
             HAVING coalesce(designator, '') || '|' || coalesce(origin, '') || '|' ||
                    coalesce(destination, '') > $1
             ORDER BY coalesce(designator, '') || '|' || coalesce(origin, '') || '|' ||
                      coalesce(destination, '') LIMIT $2",
        )
        .bind(after.to_owned())
        .bind(limit)
        .bind(sites.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(MovementRow {
                    designator: row.try_get("name")?,
                    origin: row.try_get("origin")?,
                    destination: row.try_get("destination")?,
                    inspections: row.try_get("inspections")?,
                    decided: row.try_get("decided")?,
                    last_at: to_time("inspection", "last_at", row.try_get("last_at")?)?,
                })
            })
            .collect()
    }
}

/// A pattern for `LIKE … ESCAPE '!'` that finds `text` anywhere, in lower case.
pub(super) fn like_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.trim().chars().take(100) {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.extend(character.to_lowercase());
    }
    pattern.push('%');
    pattern
}

fn read_cursor(text: &str) -> Option<(i64, String, String)> {
    let mut parts = text.splitn(3, '_');
    let at = parts.next()?.parse().ok()?;
    Some((at, parts.next()?.to_owned(), parts.next()?.to_owned()))
}

pub(super) async fn put_inspection(
    connection: &mut SqliteConnection,
    row: &InspectionRow,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO inspection (station, inspection, key_id, subject, opened_at, last_at, records,
                                 direction, role, mode, designator, origin, destination, decision,
                                 digest)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (station, inspection) DO UPDATE SET key_id = excluded.key_id,
             subject = excluded.subject, opened_at = excluded.opened_at,
             last_at = excluded.last_at, records = excluded.records,
             direction = excluded.direction, role = excluded.role, mode = excluded.mode,
             designator = excluded.designator, origin = excluded.origin,
             destination = excluded.destination, decision = excluded.decision,
             digest = excluded.digest",
    )
    .bind(row.station.as_str())
    .bind(row.inspection.as_str())
    .bind(row.key_id.as_slice())
    .bind(row.subject.as_ref().map(<[u8; 16]>::as_slice))
    .bind(row.opened_at.as_microsecond())
    .bind(row.last_at.as_microsecond())
    .bind(to_number("number of records", row.records)?)
    .bind(row.direction.as_deref())
    .bind(row.role.as_deref())
    .bind(row.mode.as_deref())
    .bind(row.designator.as_deref())
    .bind(row.origin.as_deref())
    .bind(row.destination.as_deref())
    .bind(row.decision.as_deref())
    .bind(row.digest.as_deref())
    .execute(connection)
    .await?;
    Ok(())
}

/// A station and the key of one of its inspections, of a row of records.
pub(super) fn read_key(row: &SqliteRow) -> Result<(StationId, [u8; 16]), StoreError> {
    let station: String = row.try_get("station")?;
    let key: Vec<u8> = row.try_get("key_id")?;
    Ok((parsed("record", "station", &station)?, to_bytes("record", "key_id", &key)?))
}

pub(super) fn read_inspection(row: &SqliteRow) -> Result<InspectionRow, StoreError> {
    let key: Vec<u8> = row.try_get("key_id")?;
    let subject: Option<Vec<u8>> = row.try_get("subject")?;
    Ok(InspectionRow {
        station: parsed("inspection", "station", row.try_get("station")?)?,
        inspection: row.try_get("inspection")?,
        key_id: to_bytes("inspection", "key_id", &key)?,
        subject: subject.map(|bytes| to_bytes("inspection", "subject", &bytes)).transpose()?,
        opened_at: to_time("inspection", "opened_at", row.try_get("opened_at")?)?,
        last_at: to_time("inspection", "last_at", row.try_get("last_at")?)?,
        records: from_number("inspection", "records", row.try_get("records")?)?,
        direction: row.try_get("direction")?,
        role: row.try_get("role")?,
        mode: row.try_get("mode")?,
        designator: row.try_get("designator")?,
        origin: row.try_get("origin")?,
        destination: row.try_get("destination")?,
        decision: row.try_get("decision")?,
        digest: row.try_get("digest")?,
        facts: Facts::default(),
    })
}

/// The most records of one inspection that are looked at: far beyond any real one.
const RECORDS_MAX: i64 = 5000;

/// The latest records under one key of a station.
pub(super) const RECORDS_OF_KEY: &str =
    "SELECT received_at, stored FROM record WHERE station = $1 AND key_id = $2
     ORDER BY epoch DESC, seq DESC LIMIT $3";
