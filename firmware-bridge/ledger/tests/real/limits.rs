//! No room, no descriptors, no larger files: refused in words, nothing lost, open again.

use std::path::Path;

use nix::sys::resource::{Resource, setrlimit};
use tidewaiter_ledger::{AppendError, Ledger};

use crate::support::note;
use crate::writer::{Writer, answered, holds, small};

/// Sets a limit of this process.
pub(crate) fn set(limit: &str) {
    match limit {
        // Less than a segment: the next one cannot be made.
        "file size" => setrlimit(Resource::RLIMIT_FSIZE, 40_000, 40_000).unwrap(),
        // All that are open now, and no more.
        "descriptors" => {
            let open = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
            setrlimit(Resource::RLIMIT_NOFILE, open, open).unwrap();
        }
        _ => {}
    }
}

#[test]
fn a_limit_on_file_sizes_or_descriptors_ends_in_a_refusal_not_in_death() {
    for limit in ["file size", "descriptors"] {
        let folder = tempfile::tempdir().unwrap();
        let (dir, answers) = (folder.path().join("ledger"), folder.path().join("answers"));
        let writer = Writer::start(&dir, &answers, limit);
        let status = writer.wait();
        assert!(status.success(), "{limit}: {status}");
        let before = answered(&answers);
        assert!(!before.is_empty(), "{limit}: nothing was recorded before the limit");
        holds(&dir, &before);
    }
}

fn mount(at: &Path, bytes: u64) -> bool {
    let size = format!("size={bytes}");
    let run = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", &size, "none"])
        .arg(at)
        .output();
    run.is_ok_and(|output| output.status.success())
}

struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_loses_nothing_opens_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    if !mount(folder.path(), 8 << 20) {
        println!("SKIPPED: a full disk: needs root, to mount a small tmpfs");
        return;
    }
    let _mounted = Mounted(folder.path());
    let dir = folder.path().join("ledger");
    let options = || {
        let mut options = small(dir.clone());
        options.reserve_bytes = 1 << 20;
        options.low_bytes = 2 << 20;
        options.ballast_bytes = 1 << 20;
        options
    };
    let ledger = Ledger::open(options()).unwrap();
    assert!(dir.join("ballast").exists());
    let mut recorded = 0;
    let refused = loop {
        match ledger.append(note(Some("a"), recorded + 1), None).await {
            Ok(appended) => recorded = appended.seq,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, AppendError::Refused(_)), "{refused}");
    assert!(refused.to_string().starts_with("not recorded: disk full"), "{refused}");
    assert!(recorded > 1000 && ledger.health().low);
    // Somebody else takes all that is left, and the station starts again.
    drop(ledger);
    let other = folder.path().join("other");
    let mut rest = std::fs::File::create(&other).unwrap();
    while std::io::Write::write_all(&mut rest, &[1; 4096]).is_ok() {}
    let ledger = Ledger::open(options()).unwrap();
    assert_eq!(ledger.head().1.seq, recorded);
    assert_eq!(ledger.recent(u64::MAX).unwrap().len() as u64, recorded);
    assert!(!dir.join("ballast").exists(), "the ballast is there to be given up");
    drop(rest);
    std::fs::remove_file(other).unwrap();
    assert!(dir.join("index").exists());
    drop(ledger);
    let mut roomy = options();
    roomy.reserve_bytes = 0;
    let ledger = Ledger::open(roomy).unwrap();
    let next = ledger.append(note(Some("a"), recorded + 1), None).await.unwrap();
    assert_eq!(next.seq, recorded + 1);
}
