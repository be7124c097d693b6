//! `tidewaiter-server policy`: looking after policy packs.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use tidewaiter_risk::rule::lint::lint;

use super::Verdict;
use crate::law::{as_policy, pack_files};

const EXAMPLE: &str = "Example:\n  tidewaiter-server policy lint config/policy\n\n\
Exit status: 0 when nothing is wrong, 1 otherwise: one problem a line, FILE:LINE: what.";

/// What can be done with a policy pack.
#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Says what is wrong with a pack: unknown fields, types, rules that cannot fire, dates.
    #[command(after_help = EXAMPLE)]
    Lint(Lint),
}

/// Arguments of `policy lint`.
#[derive(Debug, Args)]
pub(super) struct Lint {
    /// The pack's directory. A file of the built-in pack that is not in it is taken from there.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Policy {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let Self::Lint(Lint { directory }) = self;
        let files = pack_files(&directory)?;
        let problems = lint(&as_policy(&files));
        let mut out = std::io::stdout().lock();
        for problem in &problems {
            let file = directory.join(&problem.file);
            writeln!(out, "{}:{}: {}", file.display(), problem.line, problem.what)?;
        }
        let (files, problems) = (files.len(), problems.len());
        super::say_on_stderr(&format!("{files} files, {problems} problems"));
        Ok(if problems == 0 { Verdict::Well } else { Verdict::NotWell })
    }
}
