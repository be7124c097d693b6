//! What a station last said of itself.

use jiff::Timestamp;
use tidewaiter_proto::presence::Presence;
use tidewaiter_proto::station::StationId;

use super::change::{ChangeKind, note_change};
use super::{Store, StoreError, to_json};

impl Store {
    /// Keeps a verified presence.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn presence(
        &self,
        station: &StationId,
        presence: &Presence,
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
                    note_change(connection, now, ChangeKind::Station, station.as_str()).await
                })
            })
            .await
    }

    /// Notes that a station is not there, although it did not say that it goes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn away(&self, station: &StationId, now: Timestamp) -> Result<(), StoreError> {
        let station = station.clone();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query("UPDATE station SET online = 0 WHERE station = $1")
                        .bind(station.as_str())
                        .execute(&mut *connection)
                        .await?;
                    note_change(connection, now, ChangeKind::Station, station.as_str()).await
                })
            })
            .await
    }
}
