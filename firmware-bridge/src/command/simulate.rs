//! `tidewaiter-bridge simulate`: a simulated device, told what to do on standard input.

use std::fs::File;
use std::io::{self, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::Verdict;
use crate::capture::Capture;
use crate::simulate::{
    Certificate, End, Simulated, bag, boarding_pass, lines, note_counter, obey, player, printer,
    reader, scale, validator, vessel, xray,
};

pub(super) const EXAMPLE: &str = r#"Example:
  tidewaiter-bridge simulate note-counter --listen 127.0.0.1:5846
  {"count":[{"currency":"USD","denomination":"100","pieces":120}]}

One JSON command a line on standard input, one JSON answer a line on standard output:
  mrz            {"document":{"type":"passport","number":…,"issuing_state":…,"surname":…,
                 "given_names":…,"date_of_birth":…,"sex":…,"nationality":…,"expires_on":…}}
  boarding-pass  {"passenger":…,"pnr":…,"from":…,"to":…,"carrier":…,"number":…,"date":…,"seat":…,
                 "sequence":…}
  note-counter   {"count":[…],"feed_error":"doubleNote","refused":"counterfeit",
                 "suspect":[{"currency":…,"denomination":…,"serial_number":…}]}, the last three
                 optional; {"lid_open":true}
  text-report    {"count":[…],"suspect":2}
  ccnet, ssp     {"notes":[{"currency":…,"denomination":…,"pieces":…}]}, {"power_cut":true}
  xray           {"result":{…baggage.xray.result/1…}}
  scale, toledo  {"weight":{"value":…,"unit":…,"stable":…}}
  bag            {"tag":"0272000001"}, {"message":{"flight":…,"date":"16NOV","from":…,"to":…,
                 "tag":…,"bags":2}}
  vessel         {"vessel":{"mmsi":…,"imo":…,"name":…,"destination":…}}
  lines          {"lines":["…"]}
  play           {"play":1}: the capture once more, at the pace it had (2: twice as fast)
  all but note-counter and play   {"bytes":"hex"}
  all, of the line    {"drop":N}, {"flip":N}, {"repeat":N} of what is sent next, {"delay_ms":MS},
                      {"echo":true}, {"unplug_ms":MS}

Ends with standard input."#;

/// Arguments of `simulate`.
#[derive(Debug, Args)]
pub(super) struct Simulate {
    #[command(subcommand)]
    device: Device,
}

#[derive(Debug, Subcommand)]
enum Device {
    /// A passport reader.
    Mrz(Line),
    /// A boarding-pass scanner.
    BoardingPass(Line),
    /// A note counter: XFS4IoT over WebSocket.
    NoteCounter(Service),
    /// A note counter that prints, in the layout of the example profile.
    TextReport(Line),
    /// An X-ray station: results over TCP, to a broker, or into a directory.
    Xray(Results),
    /// A note validator that speaks CCNET.
    Ccnet(Line),
    /// A note validator that speaks SSP.
    Ssp(Line),
    /// A scale that speaks MT-SICS.
    Scale(Line),
    /// A scale that sends Toledo's continuous output.
    Toledo(Line),
    /// A scanner of bag tags, with the airline's messages.
    Bag(Line),
    /// A receiver of ships' AIS.
    Vessel(Line),
    /// Lines of text.
    Lines(Line),
    /// The device of a capture, made by `tidewaiter-bridge record`.
    Play(Play),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Line {
    /// Where the link to its pseudo-terminal is put.
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// Where it listens instead, over TCP; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
struct Service {
    /// Where the device listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Its certificate, a PEM file: it is reached by wss://.
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// The certificate's key, a PEM file.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Results {
    /// Where the station listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// The directory that it writes results into.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// The broker and topic that it publishes results at.
    #[arg(long, num_args = 2, value_names = ["HOST:PORT", "TOPIC"])]
    mqtt: Option<Vec<String>>,
}

#[derive(Debug, Args)]
struct Play {
    /// The capture.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    line: Line,
}

impl Line {
    fn end(&self) -> anyhow::Result<End> {
        let listen = || self.listen.map(End::Listen);
        self.link.clone().map(End::Link).or_else(listen).context("neither --link nor --listen")
    }
}

impl Simulate {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let mut device = self.device.open()?;
        obey(device.as_mut(), std::io::stdin().lock(), std::io::stdout().lock())?;
        Ok(Verdict::Well)
    }
}

impl Device {
    fn open(&self) -> anyhow::Result<Box<dyn Simulated>> {
        match self {
            Self::Mrz(line) => opened(reader::Reader::open(line.end()?)),
            Self::BoardingPass(line) => opened(boarding_pass::Scanner::open(line.end()?)),
            Self::NoteCounter(service) => opened(service.open()),
            Self::TextReport(line) => opened(printer::Printer::open(line.end()?)),
            Self::Xray(results) => opened(results.open()),
            Self::Ccnet(line) => opened(validator::Validator::ccnet(line.end()?)),
            Self::Ssp(line) => opened(validator::Validator::ssp(line.end()?)),
            Self::Scale(line) => opened(scale::Scale::open(line.end()?)),
            Self::Toledo(line) => opened(scale::Scale::toledo(line.end()?)),
            Self::Bag(line) => opened(bag::Scanner::open(line.end()?)),
            Self::Vessel(line) => opened(vessel::Receiver::open(line.end()?)),
            Self::Lines(line) => opened(lines::Lines::open(line.end()?)),
            Self::Play(play) => opened(player::Player::open(play.capture()?, play.line.end()?)),
        }
    }
}

fn opened<D: Simulated + 'static>(device: io::Result<D>) -> anyhow::Result<Box<dyn Simulated>> {
    Ok(Box::new(device.context("the device has no line")?))
}

impl Service {
    fn open(&self) -> io::Result<note_counter::NoteCounter> {
        match (&self.certificate, &self.key) {
            (Some(chain), Some(key)) => {
                let certificate = Certificate { chain: chain.clone(), key: key.clone() };
                note_counter::NoteCounter::listen_secure(self.listen, &certificate)
            }
            _ => note_counter::NoteCounter::listen(self.listen),
        }
    }
}

impl Results {
    fn open(&self) -> io::Result<xray::Station> {
        match (self.listen, &self.directory, self.mqtt.as_deref()) {
            (Some(address), ..) => xray::Station::listen(address),
            (_, Some(directory), _) => xray::Station::into_directory(directory),
            (.., Some([broker, topic])) => xray::Station::publish(broker, topic),
            _ => Err(io::Error::other("--listen, --directory or --mqtt is needed")),
        }
    }
}

impl Play {
    fn capture(&self) -> anyhow::Result<Capture> {
        let named = || self.file.display().to_string();
        let file = File::open(&self.file).with_context(named)?;
        Capture::read(BufReader::new(file)).with_context(named)
    }
}
