//! Power cuts on a real file system: the image of a mounted one is copied while a writer is stopped
//! in the middle of its work. What the file system had not yet given to its device is not in the
//! copy, as after a cut. The copy is mounted and the next writer goes on with it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use tidewaiter_proto::sync::jitter::Jitter;

use crate::writer::{Writer, answered, holds};

/// A file system in a file, mounted.
struct Image {
    kind: &'static str,
    file: PathBuf,
    at: PathBuf,
    mounted: bool,
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    output.status.success().then_some(()).ok_or(format!("{program}: {said}"))
}

impl Image {
    fn make(kind: &'static str, megabytes: u64, folder: &Path) -> Result<Self, String> {
        let (file, at) = (folder.join("image"), folder.join("disk"));
        std::fs::create_dir_all(&at).unwrap();
        let _ = std::fs::remove_file(&file);
        std::fs::File::create(&file).unwrap().set_len(megabytes << 20).unwrap();
        run(&format!("mkfs.{kind}"), &["-q", file.to_str().unwrap()])?;
        let mut image = Self { kind, file, at, mounted: false };
        image.mount()?;
        Ok(image)
    }

    fn mount(&mut self) -> Result<(), String> {
        let [file, at] = [&self.file, &self.at].map(|path| path.to_str().unwrap());
        // The one before it has the same name for itself, and may be a moment in going.
        let options = if self.kind == "xfs" { "loop,nouuid" } else { "loop" };
        run("mount", &["-t", self.kind, "-o", options, file, at])?;
        self.mounted = true;
        Ok(())
    }

    fn unmount(&mut self) {
        let at = self.at.to_str().unwrap();
        for _ in 0..100 {
            if run("umount", &[at]).is_ok() {
                self.mounted = false;
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{at} stays busy");
    }

    /// The power goes: what the device has now is all there is.
    fn cut(&mut self, writer: Writer) {
        let copy = self.file.with_extension("cut");
        let [from, to] = [&self.file, &copy].map(|path| path.to_str().unwrap());
        run("cp", &["--sparse=always", from, to]).unwrap();
        writer.signal(Signal::SIGKILL);
        writer.wait();
        self.unmount();
        std::fs::rename(&copy, &self.file).unwrap();
        self.mount().unwrap();
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        if self.mounted {
            let _ = run("umount", &[self.at.to_str().unwrap_or_default()]);
        }
    }
}

/// Cuts the power so many times; a new file system after 25, so that it never fills.
fn power_cuts(kind: &'static str, megabytes: u64, cuts: u64) {
    let mut chance = Jitter::new(cuts);
    let (mut records, mut done) = (0, 0);
    while done < cuts {
        let folder = tempfile::tempdir().unwrap();
        let mut image = match Image::make(kind, megabytes, folder.path()) {
            Ok(image) => image,
            Err(why) => {
                println!(
                    "SKIPPED: power cuts on {kind} need root, loop devices, mkfs.{kind}: {why}"
                );
                return;
            }
        };
        let (dir, answers) = (image.at.join("ledger"), folder.path().join("answers"));
        for _ in 0..25.min(cuts - done) {
            let writer = Writer::start(&dir, &answers, "");
            // Half of the cuts come while the ledger opens, half amid its recording.
            if chance.below(2) == 0 {
                writer.await_an_answer();
            }
            std::thread::sleep(Duration::from_millis(20 + chance.below(280)));
            writer.signal(Signal::SIGSTOP);
            // What is being done in the kernel ends; nothing new begins, and nobody is answered.
            std::thread::sleep(Duration::from_millis(5));
            let answered = writer.answered();
            image.cut(writer);
            // Answers of what was on its way count from the next cut on, if they were given.
            std::fs::write(&answers, lines(&answered)).unwrap();
            records = records.max(holds(&dir, &answered));
            done += 1;
        }
    }
    println!("{done} power cuts on {kind}: nothing lost; {records} records in the longest ledger");
    assert!(records > 0, "no writer ever wrote");
}

fn lines(answered: &std::collections::BTreeMap<u64, String>) -> String {
    answered.iter().map(|(seq, hash)| format!("{seq} {hash}\n")).collect()
}

#[test]
fn twenty_power_cuts_on_ext4_lose_nothing_that_was_answered() {
    power_cuts("ext4", 64, 20);
}

#[test]
#[ignore = "minutes; run with --ignored five_hundred, as root"]
fn five_hundred_power_cuts_on_xfs_lose_nothing_that_was_answered() {
    power_cuts("xfs", 320, 500);
}

#[test]
#[ignore = "minutes; run with --ignored five_hundred, as root"]
fn five_hundred_power_cuts_on_btrfs_lose_nothing_that_was_answered() {
    power_cuts("btrfs", 256, 500);
}

#[test]
fn a_writer_killed_again_and_again_loses_nothing_that_it_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, answers) = (folder.path().join("ledger"), folder.path().join("answers"));
    let mut chance = Jitter::new(1);
    for _ in 0..25 {
        let writer = Writer::start(&dir, &answers, "");
        std::thread::sleep(Duration::from_millis(20 + chance.below(500)));
        writer.signal(Signal::SIGKILL);
        writer.wait();
        holds(&dir, &answered(&answers));
    }
    assert!(!answered(&answers).is_empty(), "no writer ever wrote");
}
