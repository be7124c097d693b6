//! The bridge's own ledger and sync, in this process and at a pace that a test can wait for.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use tidewaiter_bridge::assess::Assessor;
use tidewaiter_bridge::configuration::Lane;
use tidewaiter_bridge::keys::{Enrolment, StationKeys};
use tidewaiter_bridge::officers::{Officers, SignIn};
use tidewaiter_bridge::recorder::Recorder;
use tidewaiter_bridge::station::Station;
use tidewaiter_bridge::sync::{self, SyncSettings};
use tidewaiter_ledger::{Ledger, LedgerOptions, ledger_dir};
use tidewaiter_program::clock::Clock;
use tidewaiter_proto::body::{Body, NoteAdded};
use tidewaiter_proto::record::Source;
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::sync::station::Pace;
use tokio_util::sync::CancellationToken;

use crate::site::{LIMIT, Site};

/// A bridge that syncs to a port of this machine.
pub(crate) struct Bridge {
    pub(crate) station: Station,
    stop: CancellationToken,
    sync: tokio::task::JoinHandle<anyhow::Result<()>>,
}

/// Makes the keys of a station in a folder and has a site enrol it.
pub(crate) fn enrol(site: &Site, folder: &Path, name: &str) {
    let name: StationId = name.parse().unwrap();
    let keys = StationKeys::open(folder).unwrap();
    site.enrol(&serde_json::to_value(keys.request(&name).unwrap()).unwrap());
    Enrolment::install(&site.folder().join("answer.json"), folder, &name).unwrap();
}

impl Bridge {
    /// Starts the bridge of a folder; it dials `port`.
    pub(crate) fn start(folder: &Path, name: &str, port: u16, pace: Pace) -> Self {
        let name: StationId = name.parse().unwrap();
        let keys = StationKeys::open(folder).unwrap();
        let enrolment = Enrolment::open(folder, &name).unwrap();
        let mut options = LedgerOptions::new(ledger_dir(folder), name, keys.ledger(&enrolment));
        options.ballast_bytes = 0;
        options.segment_bytes = 1 << 20;
        let ledger = Ledger::open(options).unwrap();
        let clock = Clock::demonstration("2018-11-16T04:00:00Z".parse().unwrap());
        let lane: Lane =
            serde_json::from_value(json!({"direction": "exit", "mode": "air", "place": "VVO"}))
                .unwrap();
        let assessor = Assessor::built_in("RU".to_owned(), &[]).unwrap();
        let subjects = enrolment.subjects.clone();
        let recorder =
            Recorder::open(ledger.clone(), clock.clone(), lane, std::iter::empty(), subjects)
                .unwrap();
        let (station, watcher) = Station::new(ledger, recorder, clock, assessor, &[]).unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(watcher.run(stop.clone()));
        let settings = SyncSettings {
            officers: Officers::open(station.clone(), enrolment.server, SignIn::Open),
            broker: ("127.0.0.1".to_owned(), port),
            tls: keys.tls(&enrolment).unwrap(),
            signing: keys.signing.clone(),
            server: enrolment.server,
            pace,
            retention: jiff::SignedDuration::from_hours(24),
        };
        let sync = tokio::spawn(sync::run(settings, station.clone(), stop.clone()));
        Self { station, stop, sync }
    }

    /// Stops it and closes its ledger.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.sync.await.unwrap().unwrap();
        self.station.ledger().close();
    }

    /// Records a note; gives its number.
    pub(crate) async fn note(&self, text: &str) -> u64 {
        let body = Body::NoteAdded(NoteAdded { text: text.to_owned() });
        let source = Source::Officer("o-11".to_owned());
        let taken = self.station.record(source, Some("a"), body, None).await.unwrap();
        taken.appended.seq
    }

    /// Waits until there is a receipt for everything; gives how long that took.
    pub(crate) async fn receipted(&self) -> Duration {
        let began = Instant::now();
        while self.backlog() > 0 {
            assert!(began.elapsed() < LIMIT, "{} records have no receipt", self.backlog());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        began.elapsed()
    }

    /// Records of this life without a receipt, as the ledger knows.
    pub(crate) fn backlog(&self) -> u64 {
        let (epoch, head) = self.station.ledger().head();
        let stands = self.station.ledger().stands().unwrap();
        let delivered = stands.iter().find(|stand| stand.epoch == epoch);
        head.seq - delivered.map_or(0, |stand| stand.delivered.count())
    }
}

/// Connects again at once, so that a test need not wait; all else as usual.
pub(crate) fn quick() -> Pace {
    Pace {
        reconnect_first: Duration::from_millis(10),
        reconnect_most: Duration::from_millis(40),
        spread: Duration::from_millis(10),
        ..Pace::default()
    }
}
