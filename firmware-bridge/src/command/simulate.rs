//! `tidewaiter-bridge simulate`: a simulated device, told what to do on standard input.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::Verdict;
use crate::simulate::{
    Simulated, boarding_pass, lines, note_counter, obey, reader, scale, validator, xray,
};

pub(super) const EXAMPLE: &str = "Example:\n  tidewaiter-bridge simulate note-counter --listen 127.0.0.1:5846\n  \
{\"count\":[{\"currency\":\"USD\",\"denomination\":\"100\",\"pieces\":120}]}\n\nOne JSON command a \
line on standard input, one JSON answer a line on standard output:\n  mrz            \
{\"document\":{\"type\":\"passport\",\"number\":…,\"issuing_state\":…,\"surname\":…,\"given_names\":…,\
\"date_of_birth\":…,\"sex\":…,\"nationality\":…,\"expires_on\":…}}\n  boarding-pass  \
{\"passenger\":…,\"pnr\":…,\"from\":…,\"to\":…,\"carrier\":…,\"number\":…,\"date\":…,\"seat\":…,\
\"sequence\":…}\n  note-counter   {\"count\":[…],\"feed_error\":\"doubleNote\",\"refused\":\"counterfeit\"}, \
the last two optional\n  xray           {\"result\":{…baggage.xray.result/1…}}\n  ccnet, ssp     \
{\"notes\":[{\"currency\":…,\"denomination\":…,\"pieces\":…}]}, {\"drop\":ANSWERS}, \
{\"flip\":ANSWERS}, {\"power_cut\":true}\n  scale          \
{\"weight\":{\"value\":…,\"unit\":…,\"stable\":…}}\n  lines          {\"lines\":[\"0272000001\"]}\n  all but the note \
counter  {\"bytes\":\"hex\"}\n  all on a line but ccnet, ssp  {\"drop\":N}, {\"flip\":N}, \
{\"repeat\":N} of what is sent next, {\"delay_ms\":MS}\n\nEnds with standard input.";

/// Arguments of `simulate`.
#[derive(Debug, Args)]
pub(super) struct Simulate {
    #[command(subcommand)]
    device: Device,
}

#[derive(Debug, Subcommand)]
enum Device {
    /// A passport reader on a pseudo-terminal.
    Mrz(Line),
    /// A boarding-pass scanner on a pseudo-terminal.
    BoardingPass(Line),
    /// A note counter: XFS4IoT over WebSocket.
    NoteCounter(Listen),
    /// An X-ray station: one result a line over TCP.
    Xray(Listen),
    /// A note validator that speaks CCNET, on a pseudo-terminal.
    Ccnet(Line),
    /// A note validator that speaks SSP, on a pseudo-terminal.
    Ssp(Line),
    /// A scale that speaks MT-SICS, on a pseudo-terminal.
    Scale(Line),
    /// Lines of text on a pseudo-terminal: bag tags, baggage messages, AIS, printed reports.
    Lines(Line),
}

#[derive(Debug, Args)]
struct Line {
    /// Where the link to the pseudo-terminal is put.
    #[arg(long, value_name = "PATH")]
    link: PathBuf,
}

#[derive(Debug, Args)]
struct Listen {
    /// Where the device listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    listen: SocketAddr,
}

impl Simulate {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let at = |line: &Line| format!("no pseudo-terminal at {}", line.link.display());
        let listening = |listen: &Listen| format!("cannot listen at {}", listen.listen);
        let mut device: Box<dyn Simulated> = match &self.device {
            Device::Mrz(line) => {
                Box::new(reader::Reader::open(&line.link).with_context(|| at(line))?)
            }
            Device::BoardingPass(line) => {
                Box::new(boarding_pass::Scanner::open(&line.link).with_context(|| at(line))?)
            }
            Device::Ccnet(line) => {
                Box::new(validator::Validator::ccnet(&line.link).with_context(|| at(line))?)
            }
            Device::Ssp(line) => {
                Box::new(validator::Validator::ssp(&line.link).with_context(|| at(line))?)
            }
            Device::Scale(line) => {
                Box::new(scale::Scale::open(&line.link).with_context(|| at(line))?)
            }
            Device::Lines(line) => {
                Box::new(lines::Lines::open(&line.link).with_context(|| at(line))?)
            }
            Device::NoteCounter(listen) => Box::new(
                note_counter::NoteCounter::listen(listen.listen)
                    .with_context(|| listening(listen))?,
            ),
            Device::Xray(listen) => {
                Box::new(xray::Station::listen(listen.listen).with_context(|| listening(listen))?)
            }
        };
        obey(device.as_mut(), std::io::stdin().lock(), std::io::stdout().lock())?;
        Ok(Verdict::Well)
    }
}
