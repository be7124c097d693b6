//! `tidewaiter-server verify`: a bundle checked offline, each check on a line.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use tidewaiter_proto::seal::ServerSecret;

use super::Verdict;
use crate::bundle::check::check;
use crate::bundle::seal::Checker;

pub(super) const EXAMPLE: &str = "Example:\n  tidewaiter-server verify ruvvo-000001 --key ruvvo.pub\n\nThe signature alone \
can also be checked with the plain tool:\n  minisign -Vm ruvvo-000001/manifest.json -p ruvvo.pub\n\n\
Exit status: 0 when every check passed, 1 otherwise.";

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The bundle's directory.
    bundle: PathBuf,
    /// The server's public key, minisign (`DATA/authority/bundle.pub`).
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Headquarters' data directory: its sealing key counts the totals again.
    #[arg(long, value_name = "DIR")]
    headquarters: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        // Beside the bundles of a server lies its key, unless somebody moved them.
        let beside = self.bundle.join("../../authority/bundle.pub");
        let key = self.key.or_else(|| beside.exists().then_some(beside));
        let checker = key.as_deref().map(Checker::read).transpose()?;
        let secret: Option<ServerSecret> =
            self.headquarters.as_deref().map(crate::headquarters::keys::sealing_key).transpose()?;
        let checked = check(&self.bundle, checker.as_ref(), secret.as_ref());
        let mut out = std::io::stdout().lock();
        for check in &checked.checks {
            let mark = if check.passed { "pass" } else { "FAIL" };
            writeln!(out, "{mark} {}: {}", check.name, check.detail)?;
        }
        let passed = checked.checks.iter().filter(|check| check.passed).count();
        writeln!(out, "{passed} passed, {} failed", checked.checks.len() - passed)?;
        Ok(if checked.passed() { Verdict::Well } else { Verdict::NotWell })
    }
}
