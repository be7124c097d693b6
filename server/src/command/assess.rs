//! `tidewaiter-server assess`: the risk engine on scenario files, without any network.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use tidewaiter_risk::scenario::{Scenario, check};

use super::{Usage, Verdict};
use crate::law::{self, Law};

pub(super) const EXAMPLE: &str = "Examples:\n  tidewaiter-server assess tests/scenarios/vladivostok-2018-shoe-box.json\n  \
tidewaiter-server assess --check tests/scenarios/*.json\n\n\
Exit status: 0; with --check 1 when a file's expectations are not met; 2 for a file that is no\n\
scenario, or names a list that is not there.";

/// Arguments of `assess`.
#[derive(Debug, Args)]
pub(super) struct Assess {
    /// Directory of list bundles, as `lists import` writes them; the small built-in ones when absent.
    #[arg(long, value_name = "DIR")]
    lists: Option<PathBuf>,
    /// Directory of a policy pack; the built-in one when absent.
    #[arg(long, value_name = "DIR")]
    policy: Option<PathBuf>,
    /// Compare with what each file expects, instead of printing alerts.
    #[arg(long)]
    check: bool,
    /// Scenario files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Assess {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let law = law::read(self.policy.as_deref(), self.lists.as_deref())?;
        // All are read first: a file that cannot be judged is said before anything is printed.
        let scenarios = self
            .files
            .iter()
            .map(|file| read(file, &law))
            .collect::<anyhow::Result<Vec<Scenario>>>()?;
        let engine = law.engine();
        let mut out = std::io::stdout().lock();
        let mut failed = 0;
        for scenario in &scenarios {
            if !self.check {
                for alert in scenario.run(&engine) {
                    writeln!(out, "{}", serde_json::to_string(&alert)?)?;
                }
                continue;
            }
            let differences = check(scenario, &engine);
            if differences.is_empty() {
                writeln!(out, "pass {}", scenario.name)?;
            } else {
                failed += 1;
                writeln!(out, "FAIL {}: {}", scenario.name, differences.join("; "))?;
            }
        }
        if self.check {
            writeln!(out, "{} passed, {failed} failed", scenarios.len() - failed)?;
        }
        Ok(if failed == 0 { Verdict::Well } else { Verdict::NotWell })
    }
}

fn read(file: &Path, law: &Law) -> anyhow::Result<Scenario> {
    let name = file.display();
    let text =
        std::fs::read_to_string(file).with_context(|| Usage(format!("{name}: cannot be read")))?;
    let scenario = Scenario::parse(&text).map_err(|error| Usage(format!("{name}: {error}")))?;
    let has = |wanted: &String| law.lists.bundles().iter().any(|list| list.name == *wanted);
    if let Some(missing) = scenario.lists.iter().find(|wanted| !has(wanted)) {
        return Err(
            Usage(format!("{name}: it needs the list {missing:?}, which is not there")).into()
        );
    }
    Ok(scenario)
}
