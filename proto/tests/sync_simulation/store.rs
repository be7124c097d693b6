//! The server's store: transactions that are on disk whole or not at all. A clone is a backup.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidewaiter_proto::batch::Batch;
use tidewaiter_proto::chain::{ChainHash, Head, link};
use tidewaiter_proto::receipt::{Held, Standing};
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::sync::server::{Judgement, Life};

/// One row of the table of records, or of the table of branches.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) hash: ChainHash,
    pub(crate) bytes: Arc<[u8]>,
}

type Place = (StationId, u64);

#[derive(Clone, Default)]
pub(crate) struct Store {
    lives: BTreeMap<Place, Life>,
    records: BTreeMap<Place, BTreeMap<u64, Row>>,
    branches: BTreeMap<Place, BTreeMap<(u64, ChainHash), Row>>,
    kept: BTreeMap<Place, Vec<Held>>,
    /// Rows that are twice in the table of records; a store with a key has none.
    pub(crate) doubled: u64,
}

impl Store {
    /// One transaction: judges the batch and writes what it may become.
    pub(crate) fn accept(&mut self, batch: &Batch, accept_twice: bool) -> Judgement {
        let place = (batch.station.clone(), batch.epoch);
        let life = self
            .lives
            .entry(place.clone())
            .or_insert_with(|| Life::new(&batch.station, batch.epoch));
        let rows = self.records.entry(place.clone()).or_default();
        let known: BTreeMap<u64, ChainHash> =
            rows.range(batch.from..=batch.to()).map(|(seq, row)| (*seq, row.hash)).collect();
        let judgement = life.judge(batch, &known);
        match &judgement {
            Judgement::Take { new } => {
                for (seq, hash, bytes) in batch.numbered() {
                    if new.contains(seq) {
                        rows.insert(seq, Row { hash, bytes: bytes.into() });
                    } else if accept_twice {
                        self.doubled += 1;
                    }
                }
                life.join(batch, new);
            }
            Judgement::Branch { .. } => {
                let branch = self.branches.entry(place.clone()).or_default();
                for (seq, hash, bytes) in batch.numbered() {
                    branch.insert((seq, hash), Row { hash, bytes: bytes.into() });
                }
                let held = Held { from: batch.from, to: batch.to(), hash: batch.signed.head.hash };
                let kept = self.kept.entry(place).or_default();
                if !kept.contains(&held) {
                    kept.push(held);
                }
            }
        }
        judgement
    }

    pub(crate) fn life(&self, station: &StationId, epoch: u64) -> Life {
        let life = self.lives.get(&(station.clone(), epoch)).cloned();
        life.unwrap_or_else(|| Life::new(station, epoch))
    }

    pub(crate) fn standing(&self, station: &StationId, epoch: u64) -> Standing {
        let kept = self.kept.get(&(station.clone(), epoch)).cloned().unwrap_or_default();
        self.life(station, epoch).standing(kept)
    }

    pub(crate) fn standings(&self, station: &StationId) -> Vec<Standing> {
        let epochs = self.lives.keys().filter(|(name, _)| name == station);
        epochs.map(|(_, epoch)| self.standing(station, *epoch)).collect()
    }

    /// Whether this very record is on disk, among the records or the branches.
    pub(crate) fn has(&self, station: &StationId, epoch: u64, head: Head) -> bool {
        let place = (station.clone(), epoch);
        let record = self.records.get(&place).and_then(|rows| rows.get(&head.seq));
        record.is_some_and(|row| row.hash == head.hash)
            || self
                .branches
                .get(&place)
                .is_some_and(|rows| rows.contains_key(&(head.seq, head.hash)))
    }

    /// Whether all of a range is on disk among the records, up to this very hash.
    pub(crate) fn holds(&self, station: &StationId, epoch: u64, range: Held) -> bool {
        let rows = self.records.get(&(station.clone(), epoch));
        rows.is_some_and(|rows| {
            rows.range(range.from..=range.to).count() as u64 == range.to - range.from + 1
                && rows.get(&range.to).is_some_and(|row| row.hash == range.hash)
        })
    }

    /// The newest place of a station.
    pub(crate) fn last(&self, station: &StationId) -> (u64, u64) {
        let of =
            self.records.iter().filter(|((name, _), rows)| name == station && !rows.is_empty());
        of.map(|((_, epoch), rows)| (*epoch, *rows.last_key_value().unwrap().0))
            .max()
            .unwrap_or((0, 0))
    }

    /// Stations with two records of one place.
    pub(crate) fn forked(&self) -> impl Iterator<Item = &StationId> {
        let branches = self.branches.iter().filter(|(place, rows)| {
            let records = self.records.get(place);
            rows.keys().any(|(seq, hash)| {
                records.and_then(|rows| rows.get(seq)).is_some_and(|row| row.hash != *hash)
            })
        });
        branches.map(|((station, _), _)| station)
    }

    /// Every row of records and branches, with its place.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&Place, u64, &Row)> {
        let records = self.records.iter();
        let records =
            records.flat_map(|(place, rows)| rows.iter().map(move |(seq, row)| (place, *seq, row)));
        let branches = self
            .branches
            .iter()
            .flat_map(|(place, rows)| rows.iter().map(move |((seq, _), row)| (place, *seq, row)));
        records.chain(branches)
    }

    /// Computes every verified head again from genesis; the first that does not hold.
    pub(crate) fn broken(&self) -> Option<String> {
        for ((station, epoch), life) in &self.lives {
            let rows = &self.records[&(station.clone(), *epoch)];
            let mut head = Head::genesis(station, *epoch);
            while let Some(row) = rows.get(&(head.seq + 1)) {
                head = Head { seq: head.seq + 1, hash: link(head.hash, &row.bytes) };
                if head.hash != row.hash {
                    return Some(format!("{station} {epoch}: chain breaks at {}", head.seq));
                }
            }
            if head != life.verified() {
                return Some(format!(
                    "{station} {epoch}: verified {:?}, is {head:?}",
                    life.verified()
                ));
            }
            let counted: u64 = life.runs().iter().map(|run| run.last - run.first + 1).sum();
            if counted != rows.len() as u64 {
                return Some(format!("{station} {epoch}: runs {counted}, rows {}", rows.len()));
            }
        }
        (self.doubled > 0).then(|| format!("{} records are there twice", self.doubled))
    }
}
