//! `tidewaiter-bridge ledger`: a ledger looked at offline, without its keys; erasing needs them.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use tidewaiter_ledger::ledger_dir;
use tidewaiter_ledger::verify::{Verified, export, verify};

use super::Verdict;

const VERIFY: &str = "Example:\n  tidewaiter-bridge ledger verify --store /var/lib/tidewaiter/bridge\n\n\
Exit status: 0 when every record follows from the one before, 1 with the first that does not.";
const STAT: &str = "Example:\n  tidewaiter-bridge ledger stat --store /var/lib/tidewaiter/bridge";
const EXPORT: &str = "Example:\n  tidewaiter-bridge ledger export --store /var/lib/tidewaiter/bridge > ledger.ndjson\n\n\
One record a line as it is stored, its body sealed; before them where the ledger begins, when older\n\
records were let go, and after them where each epoch ends.";

/// What is to be done with a ledger.
#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Checks every record and its place in the chain.
    #[command(after_help = VERIFY)]
    Verify(Store),
    /// Says how many records and bytes it has, by epoch.
    #[command(after_help = STAT)]
    Stat(Store),
    /// Writes every record to standard output.
    #[command(after_help = EXPORT)]
    Export(Store),
    /// Makes what one inspection says about a person unreadable, on the order of two people.
    #[command(after_help = super::erase::EXAMPLE)]
    Erase(super::erase::Erase),
}

/// Which ledger.
#[derive(Debug, Args)]
pub(super) struct Store {
    /// The station's data directory.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
}

impl LedgerCommand {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        match self {
            Self::Erase(command) => command.run(),
            Self::Verify(store) => {
                let verified = store.verify()?;
                let mut out = std::io::stdout().lock();
                for damage in &verified.damage {
                    writeln!(out, "FAIL {damage}")?;
                }
                bounds(&mut out, &verified)?;
                writeln!(out, "{} records, {} damaged", verified.records, verified.damage.len())?;
                let lost = verified.keys.damaged + verified.keys.missing;
                if lost > 0 {
                    writeln!(out, "FAIL {lost} keys of inspections are damaged or missing")?;
                }
                let well = verified.damage.is_empty() && lost == 0;
                Ok(if well { Verdict::Well } else { Verdict::NotWell })
            }
            Self::Stat(store) => {
                let verified = store.verify()?;
                let mut out = std::io::stdout().lock();
                if let Some(station) = &verified.station {
                    writeln!(out, "station {station}")?;
                }
                bounds(&mut out, &verified)?;
                writeln!(out, "records {}", verified.records)?;
                writeln!(out, "bytes {}", verified.bytes)?;
                writeln!(out, "segments {}", verified.segments)?;
                let keys = verified.keys;
                writeln!(out, "keys {}", keys.in_use)?;
                writeln!(out, "keys erased {}", keys.erased)?;
                writeln!(out, "keys expired {}", keys.expired)?;
                writeln!(out, "keys damaged or missing {}", keys.damaged + keys.missing)?;
                writeln!(out, "damaged {}", verified.damage.len())?;
                Ok(Verdict::Well)
            }
            Self::Export(store) => {
                let progress = bar();
                let mut out = std::io::BufWriter::new(std::io::stdout().lock());
                let dir = ledger_dir(&store.store);
                export(&dir, &mut out, |done, of| shown(&progress, done, of))?;
                out.flush()?;
                progress.finish_and_clear();
                Ok(Verdict::Well)
            }
        }
    }
}

impl Store {
    fn verify(&self) -> anyhow::Result<Verified> {
        let progress = bar();
        let verified = verify(&ledger_dir(&self.store), |done, of| shown(&progress, done, of))?;
        progress.finish_and_clear();
        Ok(verified)
    }
}

/// Where the ledger begins, when it does not begin with the first record, and where it ends.
fn bounds(out: &mut impl Write, verified: &Verified) -> std::io::Result<()> {
    if let Some((epoch, head)) = &verified.floor {
        writeln!(
            out,
            "epoch {epoch} was let go after its time up to record {} {}",
            head.seq, head.hash
        )?;
    }
    for (epoch, head) in &verified.heads {
        writeln!(out, "epoch {epoch} ends at record {} {}", head.seq, head.hash)?;
    }
    Ok(())
}

/// Hidden where standard error is no terminal.
fn bar() -> ProgressBar {
    let template = "{bar:40} {bytes}/{total_bytes} {eta}";
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}

fn shown(progress: &ProgressBar, done: u64, of: u64) {
    progress.set_length(of);
    progress.set_position(done);
}
