//! Inspections that are judged together: the touched one and those it is linked to.

use tidewaiter_proto::body::Body;
use tidewaiter_proto::record::Record;
use tidewaiter_proto::station::StationId;

use crate::inspection::Opener;
use crate::store::{InspectionRow, Store, StoreError};

/// The inspections to be judged together.
#[derive(Debug, Default)]
pub(crate) struct Together {
    /// The inspections, the touched one first.
    pub(crate) rows: Vec<InspectionRow>,
    /// Their records.
    pub(crate) records: Vec<Record>,
}

impl Together {
    /// Adds the inspections that the records say are of the same traveller.
    pub(crate) async fn follow_links(
        &mut self,
        store: &Store,
        opener: &Opener,
    ) -> Result<(), StoreError> {
        let links: Vec<(StationId, String)> = self
            .records
            .iter()
            .filter_map(|record| match &record.body {
                Body::InspectionLinked(link) => {
                    Some((link.to.station.clone(), link.to.inspection.clone()))
                }
                _ => None,
            })
            .take(LINKS_MAX)
            .collect();
        for (station, inspection) in links {
            let known =
                |row: &InspectionRow| row.station == station && row.inspection == inspection;
            if self.rows.iter().any(known) {
                continue;
            }
            let Some(row) = store.inspection(&station, &inspection).await? else { continue };
            let opened = opener.open(&station, &row.key_id).await?;
            self.records.extend(
                opened
                    .records
                    .into_iter()
                    .map(|opened| opened.record)
                    .filter(|record| record.inspection.as_deref() == Some(inspection.as_str())),
            );
            self.rows.push(row);
        }
        Ok(())
    }
}

const LINKS_MAX: usize = 16;
