//! Any byte of any file flipped, any tail cut: everything is there, or it is said what is not.

use std::path::{Path, PathBuf};

use tidewaiter_ledger::Ledger;
use tidewaiter_ledger::verify::verify;

use crate::support::note;
use crate::writer::small;

const RECORDS: u64 = 300;

async fn filled(dir: &Path) {
    let ledger = Ledger::open(small(dir.to_owned())).unwrap();
    for number in 1..=RECORDS {
        let inspection = format!("i-{}", number / 10);
        ledger
            .append(note(Some(&inspection), number), Some(("d", &number.to_string())))
            .await
            .unwrap();
    }
    ledger.set_state("kept", b"value".to_vec()).await.unwrap();
}

/// Every file of a ledger, those of sled among them.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(&file, target).unwrap();
    }
}

/// Opened, everything is there and right, or the ledger says what is not.
fn judge(dir: &Path, what: &str) {
    let verified = verify(dir, |_, _| {});
    let ledger = Ledger::open(small(dir.to_owned())).unwrap_or_else(|e| panic!("{what}: {e}"));
    let health = ledger.health();
    let mut said = verified.map_or(true, |verified| {
        !verified.damage.is_empty() || verified.keys.damaged + verified.keys.missing > 0
    });
    said |= health.refusal.is_some() || !health.damage.is_empty();
    said |= health.notices.iter().any(|notice| notice.contains("damaged in both copies"));
    said |= health.notices.iter().any(|notice| notice.contains("is cut short"));
    let whole = ledger.recent(u64::MAX).is_ok_and(|there| {
        let right = |(record, number): (&tidewaiter_proto::record::Record, u64)| {
            serde_json::to_string(&record.body).unwrap().contains(&format!("note {number}\""))
        };
        there.len() as u64 == RECORDS && there.iter().zip(1..).all(right)
    });
    let found = (0..=RECORDS / 10)
        .map(|i| ledger.records_of(&format!("i-{i}")).map_or(0, |there| there.len() as u64))
        .sum::<u64>();
    let kept = ledger.state("kept").as_deref() == Some(b"value");
    assert!(said || whole && found == RECORDS && kept, "{what}: {found} found, {health:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_of_any_file_never_makes_a_record_go_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    filled(&whole).await;
    for file in files(&whole) {
        let name = file.strip_prefix(&whole).unwrap();
        let length = std::fs::metadata(&file).unwrap().len();
        // Odd, so that it does not keep step with fields of even lengths.
        let step = (length / flips()).max(1) | 1;
        for at in (0..length).step_by(usize::try_from(step).unwrap()) {
            let dir = folder.path().join("flipped");
            copy(&whole, &dir);
            let path = dir.join(name);
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[usize::try_from(at).unwrap()] ^= 0x10;
            std::fs::write(&path, bytes).unwrap();
            judge(&dir, &format!("byte {at} of {}", name.display()));
            std::fs::remove_dir_all(&dir).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_cut_short_never_makes_a_record_go_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    filled(&whole).await;
    for file in files(&whole) {
        let name = file.strip_prefix(&whole).unwrap();
        let length = std::fs::metadata(&file).unwrap().len();
        for cut in [1, 100, 4096, 30_000, length] {
            let dir = folder.path().join("cut");
            copy(&whole, &dir);
            let open = std::fs::File::options().write(true).open(dir.join(name)).unwrap();
            open.set_len(length.saturating_sub(cut)).unwrap();
            judge(&dir, &format!("{} without its last {cut} bytes", name.display()));
            std::fs::remove_dir_all(&dir).unwrap();
        }
    }
}

/// Places in each file; many more with `TIDEWAITER_SOAK=1`.
fn flips() -> u64 {
    if std::env::var("TIDEWAITER_SOAK").is_ok_and(|soak| soak == "1") { 1000 } else { 12 }
}
