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

/// What the verifier that was written from the documentation alone says; none without Python.
pub(crate) fn by_another_program(arguments: &[&std::ffi::OsStr]) -> Option<(bool, String)> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/verify_ledger.py");
    let run = std::process::Command::new("python3").arg(program).args(arguments).output();
    let Ok(output) = run else {
        println!("skipped: no python3 to run the independent verifier");
        return None;
    };
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}
