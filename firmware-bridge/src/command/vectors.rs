//! `tidewaiter-bridge vectors`: decoders checked against vector files.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::Value;
use tidewaiter_codec::vectors::run;

use super::Verdict;

pub(super) const EXAMPLE: &str = "Example:\n  tidewaiter-bridge vectors vectors/*.json\n\nEach vector \
of a byte stream is fed whole, byte by byte, and split at random. Exit status: 0 when every vector \
gives what it must, 1 otherwise.";

/// Arguments of `vectors`.
#[derive(Debug, Args)]
pub(super) struct Vectors {
    /// Vector files; one without vectors (a schema) is passed over.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where streams are split at random, to repeat a run; another each time when absent.
    #[arg(long)]
    seed: Option<u64>,
}

impl Vectors {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let seed = match self.seed {
            Some(seed) => seed,
            None => getrandom::u64().context("no random numbers")?,
        };
        let mut out = std::io::stdout().lock();
        let (mut passed, mut failed) = (0_usize, 0_usize);
        for file in &self.files {
            let name = file.display();
            let text = std::fs::read_to_string(file).with_context(|| format!("{name}"))?;
            match run(&text, seed) {
                Ok(None) => {}
                Ok(Some(outcomes)) => {
                    for outcome in outcomes {
                        match outcome.differs {
                            None => passed += 1,
                            Some(differs) => {
                                failed += 1;
                                writeln!(out, "FAIL {name}: {}: {differs}", outcome.id)?;
                            }
                        }
                    }
                }
                Err(error) => {
                    failed += vectors_in(&text).max(1);
                    writeln!(out, "FAIL {name}: {error}")?;
                }
            }
        }
        writeln!(out, "{passed} passed, {failed} failed")?;
        if failed > 0 {
            super::say_on_stderr(&format!("repeat it with --seed {seed}"));
        }
        Ok(if failed == 0 { Verdict::Well } else { Verdict::NotWell })
    }
}

/// How many vectors a file has that cannot be run.
fn vectors_in(text: &str) -> usize {
    let file: Option<Value> = serde_json::from_str(text).ok();
    file.and_then(|file| Some(file.get("vectors")?.as_array()?.len())).unwrap_or(0)
}
