//! A process that records until it is killed, and tells on another file system what it was answered;
//! and the one rule that everything is judged by.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tidewaiter_ledger::verify::verify;
use tidewaiter_ledger::{Ledger, LedgerOptions};

use crate::support::{note, options};

/// Small files, so that rotation is often; the bounds of a small disk.
pub(crate) fn small(dir: PathBuf) -> LedgerOptions {
    let mut options = options(dir);
    options.checkpoint_records = 200;
    options
}

/// A writer, running.
pub(crate) struct Writer {
    child: Child,
    answers: PathBuf,
}

impl Writer {
    /// Starts this test program again, as a writer. `limit` names a limit it sets itself.
    pub(crate) fn start(dir: &Path, answers: &Path, limit: &str) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writer::of_the_other_tests", "--ignored", "--nocapture"])
            .env(DIR, dir)
            .env(ANSWERS, answers)
            .env(LIMIT, limit)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, answers: answers.to_owned() }
    }

    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        let id = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        nix::sys::signal::kill(id, signal).unwrap();
    }

    /// Waits until this writer was answered something, or a while.
    pub(crate) fn await_an_answer(&self) {
        let before = self.answered().len();
        for _ in 0..500 {
            if self.answered().len() > before {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    pub(crate) fn wait(mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }

    /// What was answered so far: number of the record, its chain hash.
    pub(crate) fn answered(&self) -> BTreeMap<u64, String> {
        answered(&self.answers)
    }
}

/// What all writers together were answered.
pub(crate) fn answered(file: &Path) -> BTreeMap<u64, String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let line = |line: &str| {
        let (seq, hash) = line.split_once(' ').unwrap();
        (seq.parse().unwrap(), hash.to_owned())
    };
    whole.lines().map(line).collect()
}

/// What was answered is there, once, unaltered, in one chain without a gap. Gives the last number.
pub(crate) fn holds(dir: &Path, answered: &BTreeMap<u64, String>) -> u64 {
    let ledger = Ledger::open(small(dir.to_owned())).unwrap();
    let health = ledger.health();
    assert!(health.refusal.is_none() && health.damage.is_empty(), "{health:?}");
    for (seq, hash) in answered {
        let found = ledger.hash(1, *seq).map(|hash| hash.to_string());
        assert_eq!(found.ok().as_ref(), Some(hash), "record {seq} of {}", answered.len());
    }
    let last = ledger.head().1.seq;
    drop(ledger);
    let verified = verify(dir, |_, _| {}).unwrap();
    assert_eq!((verified.records, verified.damage.len()), (last, 0), "{verified:?}");
    last
}

#[test]
#[ignore = "a process of the other tests; by itself it has nothing to do"]
fn of_the_other_tests() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let answers = std::env::var_os(ANSWERS).unwrap();
    let answers = std::fs::File::options().create(true).append(true).open(answers).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        // As the station's program does: a limit on file sizes is an error, not the end.
        let kind = tokio::signal::unix::SignalKind::from_raw(nix::sys::signal::SIGXFSZ as i32);
        let _too_large = tokio::signal::unix::signal(kind).unwrap();
        let ledger = Ledger::open(small(dir.into())).unwrap();
        let answers = Arc::new(answers);
        let first = ledger.append(note(None, 0), None).await.unwrap();
        (&*answers).write_all(format!("{} {}\n", first.seq, first.hash).as_bytes()).unwrap();
        crate::limits::set(&std::env::var(LIMIT).unwrap_or_default());
        let mut tasks = tokio::task::JoinSet::new();
        for writer in 0..4_u64 {
            let (ledger, answers) = (ledger.clone(), Arc::clone(&answers));
            tasks.spawn(async move {
                for number in 0.. {
                    let inspection = format!("i-{writer}-{}", number / 50);
                    let appended = ledger.append(note(Some(&inspection), number), None).await;
                    // Refused for lack of room, descriptors or file size: this ends it well.
                    let Ok(appended) = appended else { return };
                    let line = format!("{} {}\n", appended.seq, appended.hash);
                    (&*answers).write_all(line.as_bytes()).unwrap();
                }
            });
        }
        while tasks.join_next().await.is_some() {}
    });
}

const DIR: &str = "TIDEWAITER_TEST_LEDGER";
const ANSWERS: &str = "TIDEWAITER_TEST_ANSWERS";
const LIMIT: &str = "TIDEWAITER_TEST_LIMIT";
