//! A station of the tests: its store, its keys, its facts.

use std::path::Path;

use tidewaiter_ledger::{Ledger, LedgerOptions, LedgerSecrets, ledger_dir};
use tidewaiter_proto::record::{ClockQuality, Draft, Source};
use tidewaiter_proto::seal::{ServerSecret, StationKey};
use tidewaiter_proto::signing::Signing;

pub(crate) struct Station {
    folder: tempfile::TempDir,
}

impl Station {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn store(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn options(&self) -> LedgerOptions {
        options(ledger_dir(self.store()))
    }

    pub(crate) fn open(&self) -> Ledger {
        Ledger::open(self.options()).unwrap()
    }
}

/// Small segments, so that tests see several; no reserve, so that any machine has room.
pub(crate) fn options(dir: std::path::PathBuf) -> LedgerOptions {
    let secrets = LedgerSecrets {
        station: StationKey::from_bytes([1; 32]),
        server: ServerSecret::from_bytes([2; 32]).public(),
        authority: Signing::from_seed(&[3; 32]).verifying(),
    };
    let mut options = LedgerOptions::new(dir, "ruvvo/dep-07".parse().unwrap(), secrets);
    options.segment_bytes = 64 * 1024;
    options.reserve_bytes = 0;
    options.ballast_bytes = 0;
    options
}

pub(crate) fn note(inspection: Option<&str>, number: u64) -> Draft {
    Draft {
        at: "2018-11-16T03:12:45Z".parse().unwrap(),
        clock: ClockQuality::Synced,
        inspection: inspection.map(str::to_owned),
        source: Source::Agent("test".to_owned()),
        subject: None,
        type_name: "note_added".to_owned(),
        body_json: format!(r#"{{"type":"note_added","text":"note {number}"}}"#),
    }
}
