//! What the desk asks of stations: kept until the station's own record says that it was shown.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use tidewaiter_proto::order::{Order, OrderKind};
use tidewaiter_proto::station::StationId;

use super::audit::{Note, append};
use super::change::{ChangeKind, note_change};
use super::{Store, StoreError, parsed, take_numbers, to_time};

/// An order with where it is on its way.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OrderRow {
    /// The order as the station gets it.
    #[serde(flatten)]
    pub order: Order,
    /// About which alert.
    pub alert: String,
    /// When it was last handed to the broker.
    pub sent_at: Option<Timestamp>,
    /// When the officer's page showed it, by the station's clock.
    pub shown_at: Option<Timestamp>,
}

impl Store {
    /// Keeps an order to be sent, with its note in the audit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn order(
        &self,
        alert: &str,
        order: Order,
        note: Note,
        noted_at: Timestamp,
    ) -> Result<(), StoreError> {
        let alert = alert.to_owned();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let number = take_numbers(connection, "station_order", 1).await?;
                    sqlx::query(
                        "INSERT INTO station_order (id, number, alert, station, inspection, kind,
                                                    text, ordered_by, ordered_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                    )
                    .bind(order.id)
                    .bind(number)
                    .bind(alert.clone())
                    .bind(order.station.as_str())
                    .bind(order.inspection)
                    .bind(order.kind.as_str())
                    .bind(order.text)
                    .bind(order.by)
                    .bind(order.at.as_microsecond())
                    .execute(&mut *connection)
                    .await?;
                    append(connection, &note, noted_at).await?;
                    note_change(connection, order.at, ChangeKind::Alert, &alert).await
                })
            })
            .await
    }

    /// Orders that no station has shown yet, that are not too old to matter, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn orders_to_send(&self, since: Timestamp) -> Result<Vec<OrderRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, alert, station, inspection, kind, text, ordered_by, ordered_at, sent_at,
                    shown_at
             FROM station_order WHERE shown_at IS NULL AND ordered_at >= $1
             ORDER BY number LIMIT 500",
        )
        .bind(since.as_microsecond())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_order).collect()
    }

    /// Notes that an order was handed to the broker.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn order_sent(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query("UPDATE station_order SET sent_at = $1 WHERE id = $2")
                        .bind(now.as_microsecond())
                        .bind(id)
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    /// The orders about an alert, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn orders_of(&self, alert: &str) -> Result<Vec<OrderRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, alert, station, inspection, kind, text, ordered_by, ordered_at, sent_at,
                    shown_at
             FROM station_order WHERE alert = $1 ORDER BY number LIMIT 100",
        )
        .bind(alert.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_order).collect()
    }
}

fn read_order(row: &SqliteRow) -> Result<OrderRow, StoreError> {
    let time = |column: &'static str| -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = row.try_get(column)?;
        at.map(|micros| to_time("station_order", column, micros)).transpose()
    };
    let (station, kind): (String, String) = (row.try_get("station")?, row.try_get("kind")?);
    Ok(OrderRow {
        order: Order {
            id: row.try_get("id")?,
            station: parsed::<StationId>("station_order", "station", &station)?,
            inspection: row.try_get("inspection")?,
            kind: parsed::<OrderKind>("station_order", "kind", &kind)?,
            text: row.try_get("text")?,
            by: row.try_get("ordered_by")?,
            at: to_time("station_order", "ordered_at", row.try_get("ordered_at")?)?,
        },
        alert: row.try_get("alert")?,
        sent_at: time("sent_at")?,
        shown_at: time("shown_at")?,
    })
}
