//! Drivers: each keeps one device connected and turns its bytes into bodies of records.
//!
//! A driver owns the connection (it reconnects for ever, and says why it has to) and the step
//! from a decoded frame to a body. Framing and checks are the codec's; what becomes of a reading
//! is the recorder's. Bytes whose check fails never become a reading, with one exception that the
//! officer must see: a travel document's zone with its failing digits named in `checks`.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tidewaiter_proto::body::Body;
use tidewaiter_proto::bus::Availability;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::capture::Chunk;
use crate::configuration::{DeviceConfig, DriverKind};

mod bag;
mod boarding_pass;
#[cfg(test)]
mod example;
mod line;
mod mrz;
mod note_counter;
mod polled;
mod report;
mod scale;
mod serial;
mod session;
mod text;
pub(crate) mod text_report;
mod validator;
mod vessel;
mod wedge;
mod xray;

use report::Reporter;
use session::Broken;

/// What a driver tells the agent.
#[expect(
    clippy::large_enum_variant,
    reason = "readings are the rule, states the exception; a box would only move the bytes"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum DriverEvent {
    /// Something was read; the agent publishes it until the recorder has it.
    Reading {
        /// Unique for this reading.
        id: String,
        /// What was read.
        body: Body,
    },
    /// The device came, went or is faulty, and why in words an officer understands.
    State(Availability, String),
    /// What the device said was refused.
    Refused {
        /// The kind of fault.
        kind: &'static str,
        /// What it said since its last good reading; empty where there was too much of it.
        bytes: Vec<u8>,
    },
}

/// The clock that dates without a year are read by.
type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Drives one device until `stop`, or until nobody takes its events.
pub async fn run(
    device: DeviceConfig,
    now: impl Fn() -> Timestamp + Send + Sync + 'static,
    events: Sender<DriverEvent>,
    stop: CancellationToken,
) {
    drive(device, Arc::new(now), events, stop, None).await;
}

/// The same, and everything that is said on the line goes to `chunks` too.
pub async fn record(
    device: DeviceConfig,
    now: impl Fn() -> Timestamp + Send + Sync + 'static,
    events: Sender<DriverEvent>,
    stop: CancellationToken,
    chunks: Sender<Chunk>,
) {
    drive(device, Arc::new(now), events, stop, Some(chunks)).await;
}

async fn drive(
    device: DeviceConfig,
    now: Clock,
    events: Sender<DriverEvent>,
    stop: CancellationToken,
    tap: Option<Sender<Chunk>>,
) {
    let mut reporter = Reporter::new(device.id.clone(), events, stop.clone(), tap);
    let officer = device.officer.clone().unwrap_or_default();
    let mut counter = note_counter::Dialogue::new(officer.clone(), device.inked);
    let mut ccnet = validator::ccnet::Master::new(officer.clone());
    let mut ssp = validator::ssp::Master::new(officer);
    let mut scale = scale::Scale::new();
    // Of the life of the driver: a connection that breaks costs no message about a bag.
    let mut bags = bag::Bags::new();
    let mut ships = vessel::Receiver::new();
    let mut backoff = Backoff::default();
    loop {
        let began = Instant::now();
        let ended = match device.driver {
            DriverKind::Mrz => {
                let decoder = mrz::Reader::new(Arc::clone(&now));
                line::session(&device, decoder, &mut reporter, &stop).await
            }
            DriverKind::BoardingPass => {
                let decoder = boarding_pass::Scanner::new(Arc::clone(&now));
                line::session(&device, decoder, &mut reporter, &stop).await
            }
            DriverKind::NoteCounter => {
                note_counter::session(&device, &mut counter, &mut reporter, &stop).await
            }
            DriverKind::Xray => xray::session(&device, &mut reporter, &stop).await,
            DriverKind::Bag => line::session(&device, &mut bags, &mut reporter, &stop).await,
            DriverKind::Vessel => line::session(&device, &mut ships, &mut reporter, &stop).await,
            DriverKind::TextReport => match device.report.clone() {
                Some(layout) => {
                    let officer = device.officer.clone().unwrap_or_default();
                    let decoder = text_report::Printer::new(layout, officer);
                    line::session(&device, decoder, &mut reporter, &stop).await
                }
                None => Err(Broken::Faulty("its profile has no report".to_owned())),
            },
            DriverKind::Ccnet => polled::session(&device, &mut ccnet, &mut reporter, &stop).await,
            DriverKind::Ssp => polled::session(&device, &mut ssp, &mut reporter, &stop).await,
            DriverKind::Scale => polled::session(&device, &mut scale, &mut reporter, &stop).await,
        };
        let told = match ended {
            Err(Broken::Gone(why)) => reporter.say(Availability::Offline, why).await,
            Err(Broken::Faulty(why)) => reporter.say(Availability::Fault, why).await,
            Err(Broken::Deaf) => return,
            Ok(()) => return,
        };
        if told.is_err() {
            return;
        }
        tokio::select! {
            () = sleep(backoff.next(began.elapsed())) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// How long to wait before the next attempt; a connection that held starts it anew.
#[derive(Debug, Default)]
struct Backoff {
    failures: u32,
}

impl Backoff {
    fn next(&mut self, held: Duration) -> Duration {
        self.failures = if held >= HELD { 0 } else { self.failures.saturating_add(1) };
        let doubled = FIRST_WAIT.saturating_mul(1 << self.failures.saturating_sub(1).min(16));
        doubled.min(LONGEST_WAIT)
    }
}

const FIRST_WAIT: Duration = Duration::from_millis(200);
/// A cable put back is noticed within this.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
/// A connection this long was a good one.
const HELD: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::{Backoff, FIRST_WAIT, HELD, LONGEST_WAIT};
    use std::time::Duration;

    #[test]
    fn waits_grow_to_a_limit_and_begin_anew_after_a_good_connection() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.next(Duration::ZERO), FIRST_WAIT);
        assert_eq!(backoff.next(Duration::ZERO), FIRST_WAIT * 2);
        for _ in 0..100 {
            assert!(backoff.next(Duration::ZERO) <= LONGEST_WAIT);
        }
        assert_eq!(backoff.next(HELD), FIRST_WAIT);
    }
}
