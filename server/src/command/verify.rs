//! `tidewaiter-server verify`: a bundle or a case file checked offline, each check on a line.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use tidewaiter_proto::seal::ServerSecret;

use super::Verdict;
use crate::bundle::check::{check, read_bounded};
use crate::bundle::receipt::{Check, HeadquartersCard};
use crate::bundle::seal::Checker;

pub(super) const EXAMPLE: &str = "Examples:\n  tidewaiter-server verify ruvvo-000001 --key ruvvo.pub\n  \
tidewaiter-server verify case-7f3a.json --key ruvvo.pub --card headquarters.json\n\nThe signature alone \
can also be checked with the plain tool:\n  minisign -Vm ruvvo-000001/manifest.json -p ruvvo.pub\n\n\
Exit status: 0 when every check passed, 1 otherwise.";

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The bundle's directory, or the file of an exported case.
    #[arg(value_name = "BUNDLE|CASE")]
    bundle: PathBuf,
    /// The server's public key, minisign (`DATA/authority/bundle.pub`).
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Headquarters' data directory: its sealing key counts a bundle's totals again.
    #[arg(long, value_name = "DIR")]
    headquarters: Option<PathBuf>,
    /// Headquarters' public keys: the receipts in a case file are checked with them.
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        // Beside the bundles of a server lies its key, unless somebody moved them.
        let beside = self.bundle.join("../../authority/bundle.pub");
        let key = self.key.or_else(|| beside.exists().then_some(beside));
        let checker = key.as_deref().map(Checker::read).transpose()?;
        if self.bundle.is_file() {
            let card = self.card.as_deref().map(HeadquartersCard::read).transpose()?;
            let bytes = read_bounded(&self.bundle)
                .with_context(|| format!("{}: cannot be read", self.bundle.display()))?;
            return say(&crate::case::check::check(&bytes, checker.as_ref(), card.as_ref()));
        }
        let secret: Option<ServerSecret> =
            self.headquarters.as_deref().map(crate::headquarters::keys::sealing_key).transpose()?;
        say(&check(&self.bundle, checker.as_ref(), secret.as_ref()).checks)
    }
}

/// Each check on a line, and how many passed.
fn say(checks: &[Check]) -> anyhow::Result<Verdict> {
    let mut out = std::io::stdout().lock();
    for check in checks {
        let mark = if check.passed { "pass" } else { "FAIL" };
        writeln!(out, "{mark} {}: {}", check.name, check.detail)?;
    }
    let passed = checks.iter().filter(|check| check.passed).count();
    writeln!(out, "{passed} passed, {} failed", checks.len() - passed)?;
    let well = !checks.is_empty() && passed == checks.len();
    Ok(if well { Verdict::Well } else { Verdict::NotWell })
}
