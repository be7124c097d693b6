//! One connection to a device that only speaks: bytes are read and decoded until it breaks.

use std::io;
use std::time::Duration;

use tidewaiter_codec::stream::Fault;
use tidewaiter_proto::body::Body;
use tidewaiter_proto::bus::Availability;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::report::Reporter;

/// Why a connection ended, other than by being told to stop.
#[derive(Debug)]
pub(super) enum Broken {
    /// The device is not there.
    Gone(String),
    /// It is there and does not do what it must.
    Faulty(String),
    /// Nobody takes the events any more.
    Deaf,
}

impl Broken {
    pub(super) fn unplugged(error: &io::Error) -> Self {
        Self::Gone(format!("the connection broke: {error}"))
    }
}

/// What came of some bytes.
#[expect(clippy::large_enum_variant, reason = "a box would only move the bytes")]
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    /// Something was read.
    Reading(Body),
    /// Something was refused: the kind of fault, and what to tell the officer.
    Refused(&'static str, String),
}

impl Outcome {
    /// What an officer is told of bytes that became no frame.
    pub(super) fn fault(fault: &Fault) -> Self {
        Self::Refused(fault.name(), format!("{fault}: read it again"))
    }

    /// The kind of fault, where something was refused.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        match self {
            Self::Reading(_) => None,
            Self::Refused(kind, _) => Some(kind),
        }
    }
}

/// The connection is over. Half a frame is none, and no beginning of the next connection's: it is
/// dropped, counted, and kept for the engineer. Half a count is told, as uncertain.
async fn torn(decoder: &mut impl Decoder, reporter: &mut Reporter) -> Result<(), Broken> {
    let outcomes = decoder.idle();
    match outcomes.iter().find_map(Outcome::refusal) {
        Some(kind) => reporter.refused(kind).await?,
        None => reporter.understood(),
    }
    for outcome in outcomes {
        if let Outcome::Reading(body) = outcome {
            reporter.reading(body).await?;
        }
    }
    Ok(())
}

/// The step from bytes to bodies of one kind of device.
pub(super) trait Decoder {
    /// Takes the next bytes, however they are split.
    fn feed(&mut self, bytes: &[u8]) -> Vec<Outcome>;

    /// The line was silent for [`Decoder::silence`]: what is unfinished will stay so.
    fn idle(&mut self) -> Vec<Outcome>;

    /// The silence that ends what is unfinished; `None` where only the connection's end does.
    fn silence(&self) -> Option<Duration>;
}

/// A decoder that outlives its connections.
impl<D: Decoder> Decoder for &mut D {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Outcome> {
        (**self).feed(bytes)
    }

    fn idle(&mut self) -> Vec<Outcome> {
        (**self).idle()
    }

    fn silence(&self) -> Option<Duration> {
        (**self).silence()
    }
}

/// Reads a connection until it breaks (never `Ok` but when told to stop).
pub(super) async fn listen(
    mut line: impl AsyncRead + Unpin,
    mut decoder: impl Decoder,
    reporter: &mut Reporter,
    stop: &CancellationToken,
) -> Result<(), Broken> {
    reporter.say(Availability::Online, String::new()).await?;
    let mut buffer = vec![0; 4096];
    // Silence after silence has nothing new to end.
    let mut unfinished = false;
    loop {
        let patience = decoder.silence().filter(|_| unfinished);
        let outcomes = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            read = line.read(&mut buffer) => match read {
                Ok(0) => {
                    torn(&mut decoder, reporter).await?;
                    return Err(Broken::Gone("the device closed the connection".to_owned()));
                }
                Ok(length) => {
                    unfinished = true;
                    let bytes = buffer.get(..length).unwrap_or_default();
                    reporter.heard(bytes).await;
                    decoder.feed(bytes)
                }
                Err(error) => {
                    torn(&mut decoder, reporter).await?;
                    return Err(Broken::unplugged(&error));
                }
            },
            () = sleep(patience.unwrap_or_default()), if patience.is_some() => {
                unfinished = false;
                decoder.idle()
            }
        };
        match outcomes.iter().find_map(Outcome::refusal) {
            Some(kind) => reporter.refused(kind).await?,
            None if !outcomes.is_empty() => reporter.understood(),
            None => {}
        }
        for outcome in outcomes {
            match outcome {
                Outcome::Reading(body) => reporter.reading(body).await?,
                Outcome::Refused(kind, detail) => reporter.fault(kind, detail).await?,
            }
        }
    }
}
