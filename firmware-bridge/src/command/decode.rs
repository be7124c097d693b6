//! `tidewaiter-bridge decode`: device bytes in, one JSON value a line out.

use std::io::{Read, Write};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use tidewaiter_codec::decode::Protocol;

use super::Verdict;

pub(super) const EXAMPLE: &str = "Example:\n  printf 'P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\\r\\n\
L898902C36UTO7408122F1204159ZE184226B<<<<<10\\r\\n' | tidewaiter-bridge decode mrz";

/// Arguments of `decode`.
#[derive(Debug, Args)]
pub(super) struct Decode {
    /// The protocol of the bytes on standard input.
    #[arg(value_parser = protocols())]
    protocol: Protocol,
}

impl Decode {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        let mut out = std::io::stdout().lock();
        for value in self.protocol.decode(&bytes) {
            writeln!(out, "{value}")?;
        }
        Ok(Verdict::Well)
    }
}

fn protocols() -> impl TypedValueParser<Value = Protocol> {
    let names = Protocol::ALL.into_iter().map(|(name, _)| name);
    PossibleValuesParser::new(names)
        .try_map(|name| Protocol::named(&name).ok_or("no such protocol"))
}
