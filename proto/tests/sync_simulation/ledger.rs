//! A station's ledger on a simulated disk: what is written is durable only after a sync, and a
//! crash loses, tears or keeps what was not.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tidewaiter_proto::batch::BatchKey;
use tidewaiter_proto::chain::{ChainHash, Head, link};
use tidewaiter_proto::record::{ClockQuality, Draft, Source};
use tidewaiter_proto::seal::{BodyKey, KeyId};
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::stored::seal;
use tidewaiter_proto::sync::jitter::Jitter;
use tidewaiter_proto::sync::ranges::Ranges;
use tidewaiter_proto::sync::station::Stand;

/// One written record: the hash stands for the checksum of its frame.
#[derive(Clone)]
struct Frame {
    /// What the device named the event: the index of the real ledger.
    tag: u64,
    bytes: Arc<[u8]>,
    hash: ChainHash,
}

#[derive(Clone)]
struct Epoch {
    /// What was pruned, or the genesis.
    base: Head,
    frames: Vec<Frame>,
    durable: usize,
    /// What receipts cover, with the time of each delivery.
    delivered: Ranges,
    delivered_at: BTreeMap<u64, u64>,
}

/// Records that were read for a batch.
pub(crate) struct Run {
    pub(crate) previous: ChainHash,
    pub(crate) keys: Vec<BatchKey>,
    pub(crate) records: Vec<Vec<u8>>,
}

/// The disk of one station. A clone of it is an image, or a cloned station.
#[derive(Clone)]
pub(crate) struct Ledger {
    station: StationId,
    epochs: BTreeMap<u64, Epoch>,
    /// The delivered ranges as they were at the last sync.
    saved: BTreeMap<u64, (Ranges, BTreeMap<u64, u64>)>,
    pub(crate) full: bool,
    /// The server has another history of this epoch: nothing is written until the next begins.
    pub(crate) refused: Option<u64>,
}

impl Ledger {
    pub(crate) fn new(station: &StationId) -> Self {
        let mut ledger = Self {
            station: station.clone(),
            epochs: BTreeMap::new(),
            saved: BTreeMap::new(),
            full: false,
            refused: None,
        };
        ledger.begin(1);
        ledger
    }

    pub(crate) fn begin(&mut self, epoch: u64) {
        let base = Head::genesis(&self.station, epoch);
        self.refused = self.refused.filter(|refused| *refused >= epoch);
        self.epochs.entry(epoch).or_insert_with(|| Epoch {
            base,
            frames: Vec::new(),
            durable: 0,
            delivered: Ranges::new(),
            delivered_at: BTreeMap::new(),
        });
    }

    /// Writes a record; nothing is durable yet. None when the disk is full or the epoch at its end.
    pub(crate) fn append(
        &mut self,
        (tag, length): (u64, usize),
        at: Timestamp,
        nonce: &[u8; 24],
    ) -> Option<(u64, Head, Arc<[u8]>)> {
        let (epoch, log) = self.epochs.iter_mut().next_back()?;
        if self.full || self.refused == Some(*epoch) {
            return None;
        }
        let previous = log.head(log.frames.len());
        let seq = previous.seq + 1;
        let text = "x".repeat(length);
        let draft = Draft {
            at,
            clock: ClockQuality::Synced,
            inspection: None,
            source: Source::Agent("simulation".to_owned()),
            subject: None,
            type_name: "note_added".to_owned(),
            body_json: format!(r#"{{"type":"note_added","text":"{tag} {text}"}}"#),
        };
        let key = BodyKey::from_bytes([1; 32]);
        let id = KeyId([u8::try_from(seq % 7).unwrap(); 16]);
        let bytes = seal(&self.station, *epoch, seq, &draft, id, &key, nonce).unwrap();
        let hash = link(previous.hash, &bytes);
        let bytes: Arc<[u8]> = bytes.into();
        log.frames.push(Frame { tag, bytes: bytes.clone(), hash });
        Some((*epoch, Head { seq, hash }, bytes))
    }

    /// Makes all that was written up to `head` durable; false when it is not there (a restored
    /// image does not know it).
    pub(crate) fn sync(&mut self, epoch: u64, head: Head) -> bool {
        self.saved = self.delivered();
        let Some(log) = self.epochs.get_mut(&epoch) else { return false };
        let Some(count) = head.seq.checked_sub(log.base.seq) else { return true };
        let count = usize::try_from(count).unwrap();
        if count > log.frames.len() || log.head(count) != head {
            return false;
        }
        log.durable = log.durable.max(count);
        true
    }

    fn delivered(&self) -> BTreeMap<u64, (Ranges, BTreeMap<u64, u64>)> {
        let all = self.epochs.iter();
        all.map(|(epoch, log)| (*epoch, (log.delivered.clone(), log.delivered_at.clone())))
            .collect()
    }

    /// The durable record of an event.
    pub(crate) fn find(&self, tag: u64) -> Option<(u64, Head)> {
        self.epochs.iter().find_map(|(epoch, log)| {
            let index = log.frames[..log.durable].iter().rposition(|frame| frame.tag == tag)?;
            Some((*epoch, log.head(index + 1)))
        })
    }

    /// The disk as an image of it shows it.
    pub(crate) fn image(&self) -> Self {
        let mut image = self.clone();
        for log in image.epochs.values_mut() {
            log.frames.truncate(log.durable);
        }
        image.full = false;
        image
    }

    /// A power cut: what is not durable is lost, torn or kept; then what recovery makes of it. It
    /// is durable again only with [`Ledger::boot`], so that a crash in recovery may tear more.
    pub(crate) fn crash(&mut self, rng: &mut Jitter) {
        for (epoch, log) in &mut self.epochs {
            for index in log.durable..log.frames.len() {
                let frame = &mut log.frames[index];
                match rng.below(3) {
                    0 => frame.bytes = Arc::from([]),
                    1 => {
                        let keep = usize::try_from(rng.below(frame.bytes.len() as u64)).unwrap();
                        frame.bytes = frame.bytes[..keep].into();
                    }
                    _ => {}
                }
            }
            if rng.below(2) == 0
                && let Some((ranges, at)) = self.saved.get(epoch)
            {
                (log.delivered, log.delivered_at) = (ranges.clone(), at.clone());
            }
        }
        self.recover();
    }

    /// Keeps the frames up to the first that is not whole.
    fn recover(&mut self) {
        for log in self.epochs.values_mut() {
            let mut hash = log.base.hash;
            let whole = log.frames.iter().take_while(|frame| {
                hash = link(hash, &frame.bytes);
                hash == frame.hash
            });
            let whole = whole.count();
            log.frames.truncate(whole);
        }
    }

    /// The end of recovery: what is there is synced.
    pub(crate) fn boot(&mut self) {
        for log in self.epochs.values_mut() {
            log.durable = log.frames.len();
        }
    }

    pub(crate) fn head(&self) -> (u64, Head) {
        let (epoch, log) = self.epochs.iter().next_back().unwrap();
        (*epoch, log.head(log.durable))
    }

    pub(crate) fn stands(&self) -> Vec<Stand> {
        let all = self.epochs.iter();
        all.map(|(epoch, log)| Stand {
            epoch: *epoch,
            head: log.head(log.durable),
            delivered: log.delivered.clone(),
            contradicted: self.refused == Some(*epoch),
        })
        .collect()
    }

    pub(crate) fn hash(&self, epoch: u64, seq: u64) -> Option<ChainHash> {
        let log = self.epochs.get(&epoch)?;
        let count = usize::try_from(seq.checked_sub(log.base.seq)?).ok()?;
        (count <= log.durable).then(|| log.head(count).hash)
    }

    /// Records from `from` on, about as many as make `bytes_max`; or the last number that is gone.
    pub(crate) fn read(
        &self,
        epoch: u64,
        from: u64,
        to: u64,
        bytes_max: usize,
    ) -> Result<Run, u64> {
        let log = self.epochs.get(&epoch).ok_or(to)?;
        let skip = from.checked_sub(log.base.seq + 1).ok_or(log.base.seq.min(to))?;
        let skip = usize::try_from(skip).unwrap();
        let count = usize::try_from(to - from + 1).unwrap();
        if skip + count > log.durable {
            return Err(to);
        }
        let mut bytes = 0;
        let records = log.frames[skip..skip + count].iter().take_while(|frame| {
            let room = bytes == 0 || bytes < bytes_max;
            bytes += frame.bytes.len();
            room
        });
        Ok(Run {
            previous: log.head(skip).hash,
            keys: (0..7).map(|id| (KeyId([id; 16]), [9; 80])).collect(),
            records: records.map(|frame| frame.bytes.to_vec()).collect(),
        })
    }

    pub(crate) fn deliver(&mut self, epoch: u64, ranges: &Ranges, now: u64) {
        let Some(log) = self.epochs.get_mut(&epoch) else { return };
        log.delivered.extend(ranges);
        for (from, to) in ranges.as_slice() {
            log.delivered_at.extend((*from..=*to).map(|seq| (seq, now)));
        }
    }

    /// Durable at once: the ledger must not forget that the server lost something.
    pub(crate) fn give_back(&mut self, epoch: u64, ranges: &Ranges) {
        if let Some(log) = self.epochs.get_mut(&epoch) {
            log.delivered.subtract(ranges);
        }
        self.saved = self.delivered();
    }

    /// Drops what was delivered long ago, from the beginning on.
    pub(crate) fn prune(&mut self, epoch: u64, before: u64) -> u64 {
        let Some(log) = self.epochs.get_mut(&epoch) else { return 0 };
        let mut pruned = 0;
        while log.durable > 0 {
            let seq = log.base.seq + 1;
            let old = log.delivered_at.get(&seq).is_some_and(|at| *at < before);
            if !old || !log.delivered.contains(seq) {
                break;
            }
            log.base = log.head(1);
            log.frames.remove(0);
            log.durable -= 1;
            pruned += 1;
        }
        if pruned > 0 {
            // What is gone must never count as undelivered again.
            self.saved = self.delivered();
        }
        pruned
    }

    pub(crate) fn has(&self, epoch: u64, head: Head) -> bool {
        self.hash(epoch, head.seq) == Some(head.hash)
            && self.epochs.get(&epoch).is_some_and(|log| head.seq > log.base.seq)
    }
}

impl Epoch {
    fn head(&self, count: usize) -> Head {
        match count.checked_sub(1).and_then(|last| self.frames.get(last)) {
            Some(frame) => Head { seq: self.base.seq + count as u64, hash: frame.hash },
            None => self.base,
        }
    }
}
