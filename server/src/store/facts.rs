//! What the desk keeps of each inspection beside its row: terms to find it by, sums, clocks.

use jiff::Timestamp;
use sqlx::QueryBuilder;
use sqlx::Row;
use sqlx::sqlite::{Sqlite, SqliteConnection, SqliteRow};
use tidewaiter_proto::station::StationId;

use super::inspection::read_inspection;
use super::{InspectionRow, Store, StoreError, parsed, to_time};
use crate::clocks::ClockKind;

/// What is kept of one inspection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Keyed terms.
    pub terms: Vec<[u8; 16]>,
    /// Sums by currency.
    pub cash: Vec<CashRow>,
    /// Clocks that run or ran.
    pub clocks: Vec<ClockRow>,
    /// When the movement is scheduled.
    pub departs_at: Option<Timestamp>,
    /// Orders of the desk that were shown at the station, with when.
    pub orders: Vec<(String, Timestamp)>,
}

/// The sums of one currency, in hundredths of its unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashRow {
    /// Which currency.
    pub currency: String,
    /// What was declared.
    pub declared: Option<i64>,
    /// What was counted.
    pub counted: Option<i64>,
}

/// One clock of an inspection.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ClockRow {
    /// What it is about.
    pub kind: ClockKind,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ends.
    pub due_at: Timestamp,
    /// By which law.
    pub basis: String,
    /// When it was met.
    pub met_at: Option<Timestamp>,
}

/// A clock with the inspection it is of.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DueRow {
    /// Where.
    pub station: StationId,
    /// Which inspection.
    pub inspection: String,
    /// The clock.
    #[serde(flatten)]
    pub clock: ClockRow,
}

/// Keeps what is known of an inspection, in the caller's transaction. Terms only grow: what an
/// amendment took back is found, and seen not to be there when it is opened.
pub(super) async fn put_facts(
    connection: &mut SqliteConnection,
    row: &InspectionRow,
) -> Result<(), StoreError> {
    let facts = &row.facts;
    for term in &facts.terms {
        sqlx::query(
            "INSERT INTO term (term, at, station, inspection) VALUES ($1, $2, $3, $4)
             ON CONFLICT (term, at, station, inspection) DO NOTHING",
        )
        .bind(term.as_slice())
        .bind(row.opened_at.as_microsecond())
        .bind(row.station.as_str())
        .bind(row.inspection.as_str())
        .execute(&mut *connection)
        .await?;
    }
    for cash in &facts.cash {
        sqlx::query(
            "INSERT INTO cash (station, inspection, currency, declared, counted)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (station, inspection, currency) DO UPDATE SET
                 declared = excluded.declared, counted = excluded.counted",
        )
        .bind(row.station.as_str())
        .bind(row.inspection.as_str())
        .bind(cash.currency.as_str())
        .bind(cash.declared)
        .bind(cash.counted)
        .execute(&mut *connection)
        .await?;
    }
    for clock in &facts.clocks {
        sqlx::query(
            "INSERT INTO clock (station, inspection, kind, began_at, due_at, basis, met_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (station, inspection, kind) DO UPDATE SET
                 began_at = excluded.began_at, due_at = excluded.due_at, basis = excluded.basis,
                 met_at = coalesce(excluded.met_at, clock.met_at)",
        )
        .bind(row.station.as_str())
        .bind(row.inspection.as_str())
        .bind(clock.kind.as_str())
        .bind(clock.began_at.as_microsecond())
        .bind(clock.due_at.as_microsecond())
        .bind(clock.basis.as_str())
        .bind(clock.met_at.map(Timestamp::as_microsecond))
        .execute(&mut *connection)
        .await?;
    }
    for (order, at) in &facts.orders {
        sqlx::query(
            "UPDATE station_order SET shown_at = $1
             WHERE id = $2 AND station = $3 AND shown_at IS NULL",
        )
        .bind(at.as_microsecond())
        .bind(order.as_str())
        .bind(row.station.as_str())
        .execute(&mut *connection)
        .await?;
    }
    if let (Some(origin), Some(destination)) = (&row.origin, &row.destination) {
        sqlx::query(
            "UPDATE alert SET route = $1, departs_at = $2 WHERE station = $3 AND inspection = $4",
        )
        .bind(format!("{origin}-{destination}"))
        .bind(facts.departs_at.map(Timestamp::as_microsecond))
        .bind(row.station.as_str())
        .bind(row.inspection.as_str())
        .execute(connection)
        .await?;
    }
    Ok(())
}

/// Notes that an inspection's clock is met, in the caller's transaction.
pub(super) async fn meet_clock(
    connection: &mut SqliteConnection,
    station: &StationId,
    inspection: &str,
    kind: ClockKind,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE clock SET met_at = $1
         WHERE station = $2 AND inspection = $3 AND kind = $4 AND met_at IS NULL",
    )
    .bind(now.as_microsecond())
    .bind(station.as_str())
    .bind(inspection.to_owned())
    .bind(kind.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Inspections that share terms, those that share most first, then the latest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inspections_of_terms(
        &self,
        sites: &str,
        terms: &[[u8; 16]],
        limit: i64,
    ) -> Result<Vec<InspectionRow>, StoreError> {
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(INSPECTION_COLUMNS);
        query.push(
            " JOIN (SELECT station, inspection, count(*) AS shared, max(at) AS latest
                    FROM term WHERE term IN (",
        );
        let mut list = query.separated(", ");
        for term in terms {
            list.push_bind(term.to_vec());
        }
        query.push(")");
        push_sites(&mut query, sites, "station");
        query.push(" GROUP BY station, inspection ORDER BY shared DESC, latest DESC LIMIT ");
        query.push_bind(limit);
        query.push(
            ") AS t ON t.station = i.station AND t.inspection = i.inspection
             ORDER BY t.shared DESC, t.latest DESC",
        );
        let rows = query.build().fetch_all(&self.readers).await?;
        rows.iter().map(read_inspection).collect()
    }

    /// Inspections of a traveller by the token of the travel document, latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inspections_of_subject(
        &self,
        sites: &str,
        subject: &[u8; 16],
        limit: i64,
    ) -> Result<Vec<InspectionRow>, StoreError> {
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(INSPECTION_COLUMNS);
        query.push(" WHERE i.subject = ").push_bind(subject.to_vec());
        push_sites(&mut query, sites, "i.station");
        query.push(" ORDER BY i.last_at DESC LIMIT ").push_bind(limit);
        let rows = query.build().fetch_all(&self.readers).await?;
        rows.iter().map(read_inspection).collect()
    }

    /// Inspections where exactly so much was declared or counted, latest first; of any currency
    /// when `currency` is empty.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inspections_of_amount(
        &self,
        sites: &str,
        hundredths: i64,
        currency: &str,
        limit: i64,
    ) -> Result<Vec<InspectionRow>, StoreError> {
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(INSPECTION_COLUMNS);
        // Two questions, each with its index: with OR between them all sums would be read.
        for (join, column) in [(" JOIN (", "counted"), (" UNION ", "declared")] {
            query.push(join).push("SELECT station, inspection FROM cash WHERE ");
            query.push(column).push(" = ").push_bind(hundredths);
            if !currency.is_empty() {
                query.push(" AND currency = ").push_bind(currency.to_owned());
            }
            push_sites(&mut query, sites, "station");
        }
        query.push(
            ") AS c ON c.station = i.station AND c.inspection = i.inspection
             ORDER BY i.last_at DESC LIMIT ",
        );
        query.push_bind(limit);
        let rows = query.build().fetch_all(&self.readers).await?;
        rows.iter().map(read_inspection).collect()
    }

    /// Inspections of a movement by its designator, or of this name itself, latest first. The whole
    /// text and not a part of it: both have their index.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inspections_of_text(
        &self,
        sites: &str,
        text: &str,
        limit: i64,
    ) -> Result<Vec<InspectionRow>, StoreError> {
        let mut found = Vec::new();
        for (column, text) in
            [("i.inspection", text.to_owned()), ("i.designator", text.to_ascii_uppercase())]
        {
            let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(INSPECTION_COLUMNS);
            query.push(" WHERE ").push(column).push(" = ").push_bind(text);
            push_sites(&mut query, sites, "i.station");
            query.push(" ORDER BY i.last_at DESC LIMIT ").push_bind(limit);
            let rows = query.build().fetch_all(&self.readers).await?;
            for row in &rows {
                found.push(read_inspection(row)?);
            }
        }
        Ok(found)
    }

    /// Clocks that run, what is due first first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clocks_running(&self, sites: &str, limit: i64) -> Result<Vec<DueRow>, StoreError> {
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
            "SELECT station, inspection, kind, began_at, due_at, basis, met_at FROM clock
             WHERE met_at IS NULL",
        );
        push_sites(&mut query, sites, "station");
        query.push(" ORDER BY due_at, station, inspection, kind LIMIT ").push_bind(limit);
        let rows = query.build().fetch_all(&self.readers).await?;
        rows.iter().map(read_due).collect()
    }

    /// The clocks of one inspection, what is due first first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clocks_of(
        &self,
        station: &StationId,
        inspection: &str,
    ) -> Result<Vec<ClockRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT station, inspection, kind, began_at, due_at, basis, met_at FROM clock
             WHERE station = $1 AND inspection = $2 ORDER BY due_at, kind",
        )
        .bind(station.as_str())
        .bind(inspection.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| read_due(row).map(|due| due.clock)).collect()
    }
}

/// Adds the sites that the one who asks may see.
pub(super) fn push_sites(query: &mut QueryBuilder<Sqlite>, sites: &str, column: &str) {
    if sites.is_empty() {
        return;
    }
    query.push(format!(" AND substr({column}, 1, 5) IN ("));
    let mut list = query.separated(", ");
    for site in sites.split(',') {
        list.push_bind(site.to_owned());
    }
    query.push(")");
}

fn read_due(row: &SqliteRow) -> Result<DueRow, StoreError> {
    let time = |column: &'static str| to_time("clock", column, row.try_get(column)?);
    let kind: String = row.try_get("kind")?;
    let kind =
        ClockKind::ALL.into_iter().find(|known| known.as_str() == kind).ok_or_else(|| {
            StoreError::Inconsistent {
                table: "clock",
                column: "kind",
                problem: format!("{kind:?} is no clock"),
            }
        })?;
    let met: Option<i64> = row.try_get("met_at")?;
    Ok(DueRow {
        station: parsed("clock", "station", row.try_get("station")?)?,
        inspection: row.try_get("inspection")?,
        clock: ClockRow {
            kind,
            began_at: time("began_at")?,
            due_at: time("due_at")?,
            basis: row.try_get("basis")?,
            met_at: met.map(|micros| to_time("clock", "met_at", micros)).transpose()?,
        },
    })
}

const INSPECTION_COLUMNS: &str = "SELECT i.station, i.inspection, i.key_id, i.subject, i.opened_at,
    i.last_at, i.records, i.direction, i.role, i.mode, i.designator, i.origin, i.destination,
    i.decision, i.digest FROM inspection AS i";
