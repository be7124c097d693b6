//! What one seed means: how many stations, how good a network, which faults, which sabotage.

use tidewaiter_proto::sync::jitter::Jitter;

/// A part of the shells that is broken on purpose, to see the simulation notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// The broker's acknowledgement counts as a receipt.
    TrustPuback,
    /// Receipts count without their signature.
    ReceiptUnsigned,
    /// Receipts count without a look at the ledger's own hashes.
    HashUnchecked,
    /// The server stores what it has again.
    DuplicateAccepted,
    /// Batches count without their signature.
    BatchUnsigned,
    /// The officer is told "recorded" before the record is on disk.
    RecordedBeforeSync,
    /// The server gives the receipt before its transaction is on disk.
    ReceiptBeforeCommit,
    /// The ledger drops what was delivered long ago without asking the server again.
    PruneUnconfirmed,
    /// A lost connection is not noticed by the protocol: what was sent counts as on its way.
    ConnectionLossUnnoticed,
    /// New records wait until the backlog is drained.
    BacklogFirst,
}

/// Each way to break the programs, with what the judge says of it.
pub(crate) const SABOTAGES: [(Sabotage, &str); 10] = [
    (Sabotage::TrustPuback, "believes"),
    (Sabotage::ReceiptUnsigned, "believes"),
    (Sabotage::HashUnchecked, "believes"),
    (Sabotage::DuplicateAccepted, "twice"),
    (Sabotage::BatchUnsigned, "never written"),
    (Sabotage::RecordedBeforeSync, "is lost"),
    (Sabotage::ReceiptBeforeCommit, "more than the disk"),
    (Sabotage::PruneUnconfirmed, "is lost"),
    (Sabotage::ConnectionLossUnnoticed, "not connected again"),
    (Sabotage::BacklogFirst, "new record"),
];

/// The faults of one run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) stations: usize,
    /// Records each station begins with, unsent.
    pub(crate) backlog: u64,
    pub(crate) records: u64,
    /// Milliseconds between two records, on average.
    pub(crate) record_every: u64,
    pub(crate) body: u64,
    /// Bytes a millisecond on the stations' links.
    pub(crate) rate: u64,
    pub(crate) latency: u64,
    pub(crate) heartbeat: u64,
    /// In thousands: of messages.
    pub(crate) lose: u64,
    pub(crate) double: u64,
    pub(crate) delay: u64,
    pub(crate) lie: u64,
    pub(crate) tamper: u64,
    /// Weights of the faults that strike now and then.
    pub(crate) strikes: Vec<Strike>,
    pub(crate) strike_every: u64,
    /// How long the faults last.
    pub(crate) trouble: u64,
    pub(crate) server_session: bool,
    /// The server takes little of each station at once.
    pub(crate) thrifty: bool,
    /// How long after a new epoch the server grants the next.
    pub(crate) grant_spacing: Option<u64>,
    pub(crate) sabotage: Option<Sabotage>,
}

/// Something that happens at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strike {
    StationCrash,
    ServerCrash,
    BrokerCrash,
    LinkDown,
    LinkUpOnly,
    LinkDownOnly,
    ServerLinkDown,
    DiskFull,
    ServerRestore,
    StationRestore,
    StationClone,
    ClockJump,
    Upgrade,
    Flood,
}

const STRIKES: [Strike; 14] = [
    Strike::StationCrash,
    Strike::ServerCrash,
    Strike::BrokerCrash,
    Strike::LinkDown,
    Strike::LinkUpOnly,
    Strike::LinkDownOnly,
    Strike::ServerLinkDown,
    Strike::DiskFull,
    Strike::ServerRestore,
    Strike::StationRestore,
    Strike::StationClone,
    Strike::ClockJump,
    Strike::Upgrade,
    Strike::Flood,
];

impl Plan {
    /// The plan of a seed: each draws its own few kinds of fault.
    pub(crate) fn draw(rng: &mut Jitter, sabotage: Option<Sabotage>) -> Self {
        let mut some =
            |of: u64, most: u64| if rng.below(of) == 0 { 1 + rng.below(most) } else { 0 };
        let (mut lose, mut double, mut delay) = (some(3, 300), some(3, 300), some(3, 200));
        let (mut lie, mut tamper) = (some(4, 300), some(3, 100));
        let mut strikes = Vec::new();
        let calm = rng.below(8) == 0;
        if calm {
            (lose, double, delay, lie, tamper) = (0, 0, 0, 0, 0);
        }
        for strike in STRIKES {
            let rare = match strike {
                Strike::StationRestore | Strike::StationClone => 6,
                Strike::ServerRestore => 4,
                _ => 2,
            };
            if !calm && rng.below(rare) == 0 {
                strikes.push(strike);
            }
        }
        let pick = |rng: &mut Jitter, from: &[u64]| {
            from[usize::try_from(rng.below(from.len() as u64)).unwrap()]
        };
        Self {
            stations: usize::try_from(1 + rng.below(3)).unwrap(),
            backlog: pick(rng, &[0, 0, 20, 300]),
            records: pick(rng, &[10, 25, 50]),
            record_every: pick(rng, &[500, 5_000, 15_000]),
            body: pick(rng, &[10, 200, 1_500]),
            rate: pick(rng, &[1, 20, 1_000]),
            latency: pick(rng, &[2, 40, 700]),
            heartbeat: pick(rng, &[30_000, 60_000]),
            lose,
            double,
            delay,
            lie,
            tamper,
            strikes,
            strike_every: pick(rng, &[5_000, 20_000, 60_000]),
            trouble: 60_000 * (3 + rng.below(10)),
            server_session: rng.below(2) == 0,
            thrifty: rng.below(5) == 0,
            grant_spacing: [None, Some(60_000), Some(3_600_000)]
                [usize::try_from(rng.below(3)).unwrap()],
            sabotage,
        }
    }

    /// Whether nothing ever goes wrong.
    pub(crate) fn is_quiet(&self) -> bool {
        self.strikes.is_empty()
            && self.lose + self.double + self.delay + self.lie + self.tamper == 0
    }

    pub(crate) fn has(&self, strike: Strike) -> bool {
        self.strikes.contains(&strike)
    }

    pub(crate) fn sabotaged(&self, sabotage: Sabotage) -> bool {
        self.sabotage == Some(sabotage)
    }
}
