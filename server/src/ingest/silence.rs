//! Stations that said they are there and have not been heard since.
//!
//! The time is this process's own and never the shown clock's: a demonstration that jumps to
//! another day silences nobody.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tidewaiter_proto::station::StationId;

use crate::store::{LedgerFinding, Store, StoreError};

/// Who is there, and when each was last heard.
#[derive(Debug)]
pub(super) struct Silence {
    there: HashMap<StationId, Instant>,
    limit: Duration,
}

impl Silence {
    /// Stations that were there when the program stopped have from now on the usual time.
    pub(super) async fn of(store: &Store) -> Result<Self, StoreError> {
        let (mut there, mut after) = (HashMap::new(), String::new());
        loop {
            let page = store.stations("", &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            last.station.as_str().clone_into(&mut after);
            for row in page.iter().filter(|row| row.online && row.revoked_at.is_none()) {
                there.insert(row.station.clone(), Instant::now());
            }
        }
        Ok(Self { there, limit: LIMIT })
    }

    /// A station said something that verified.
    pub(super) fn heard(&mut self, station: &StationId) {
        self.there.insert(station.clone(), Instant::now());
    }

    /// A station said that it goes, or its last will did.
    pub(super) fn left(&mut self, station: &StationId) {
        self.there.remove(station);
    }

    /// Takes the stations that have been silent for too long, each once, and notes that they are
    /// not there.
    pub(super) async fn found(
        &mut self,
        store: &Store,
        now: Timestamp,
    ) -> Result<Vec<(StationId, LedgerFinding)>, StoreError> {
        let limit = self.limit;
        let silent: Vec<StationId> = self
            .there
            .extract_if(|_, at| at.elapsed() > limit)
            .map(|(station, _)| station)
            .collect();
        let mut found = Vec::new();
        for station in silent {
            let since = store.station(&station).await?.and_then(|row| row.seen_at);
            store.away(&station, now).await?;
            let since = since.map(|at| at.to_string()).unwrap_or_default();
            found.push((station, LedgerFinding::Silent { since }));
        }
        Ok(found)
    }

    #[cfg(test)]
    pub(super) fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

/// Four heartbeats of a station.
const LIMIT: Duration = Duration::from_mins(2);
const PAGE: i64 = 1000;
