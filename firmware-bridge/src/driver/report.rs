//! What a driver says: readings, and the device's state where it changed.
//!
//! Faults of a noisy line come by the hundred: one of a kind is said every ten seconds. A reading
//! is never held back. Every byte of the line passes here too: what was heard since the last good
//! reading is given to the agent where it is refused, and all of it to whoever records the line.
//! Logs have the kind of a fault, never its words or bytes: they may be a traveller's.

use std::time::Duration;

use tidewaiter_proto::body::Body;
use tidewaiter_proto::bus::Availability;
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::DriverEvent;
use super::session::Broken;
use crate::capture::{Chunk, Side};

/// Speaks for one device.
#[derive(Debug)]
pub(super) struct Reporter {
    device: String,
    events: Sender<DriverEvent>,
    stop: CancellationToken,
    said: Option<(Availability, String)>,
    fault: Option<(&'static str, Instant)>,
    /// What was heard since the last good reading, the end of it.
    heard: Vec<u8>,
    /// Refused bytes that were given to the agent, and since when they are counted.
    kept: (u32, Instant),
    tap: Option<Tap>,
}

/// Whoever records the line.
#[derive(Debug)]
struct Tap {
    chunks: Sender<Chunk>,
    began: Instant,
}

impl Reporter {
    pub(super) fn new(
        device: String,
        events: Sender<DriverEvent>,
        stop: CancellationToken,
        tap: Option<Sender<Chunk>>,
    ) -> Self {
        let now = Instant::now();
        let tap = tap.map(|chunks| Tap { chunks, began: now });
        Self {
            device,
            events,
            stop,
            said: None,
            fault: None,
            heard: Vec::new(),
            kept: (0, now),
            tap,
        }
    }

    /// The device said this.
    pub(super) async fn heard(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
        let surplus = self.heard.len().saturating_sub(HEARD);
        self.heard.drain(..surplus);
        self.record(Side::Device, bytes).await;
    }

    /// The bridge said this.
    pub(super) async fn sent(&mut self, bytes: &[u8]) {
        self.record(Side::Bridge, bytes).await;
    }

    async fn record(&self, from: Side, bytes: &[u8]) {
        if let Some(tap) = &self.tap {
            let chunk = Chunk { at: tap.began.elapsed(), from, bytes: bytes.to_vec() };
            // Whoever recorded has left; the device goes on.
            let _ = tap.chunks.send(chunk).await;
        }
    }

    /// What was heard is understood: nobody needs its bytes.
    pub(super) fn understood(&mut self) {
        self.heard.clear();
    }

    /// What was heard is refused for this: counted, and its bytes kept unless there were many.
    pub(super) async fn refused(&mut self, kind: &'static str) -> Result<(), Broken> {
        let mut bytes = std::mem::take(&mut self.heard);
        let (given, since) = &mut self.kept;
        if since.elapsed() >= KEPT_WITHIN {
            (*given, *since) = (0, Instant::now());
        }
        *given = given.saturating_add(1);
        if *given > KEPT_MOST {
            bytes.clear();
        }
        self.send(DriverEvent::Refused { kind, bytes }).await
    }

    /// Passes a reading on, and that the device is well where it was not.
    pub(super) async fn reading(&mut self, body: Body) -> Result<(), Broken> {
        self.reading_as(Uuid::now_v7().to_string(), body).await
    }

    /// The same for a reading that has a name of its own: said twice, it is recorded once.
    pub(super) async fn reading_as(&mut self, id: String, body: Body) -> Result<(), Broken> {
        let kind = body.type_name().to_owned();
        tracing::debug!(device.id = self.device, event.id = id, kind, "reading");
        self.send(DriverEvent::Reading { id, body }).await?;
        self.say(Availability::Online, String::new()).await
    }

    /// Says the device's state, once.
    pub(super) async fn say(&mut self, state: Availability, detail: String) -> Result<(), Broken> {
        let state = (state, detail);
        if self.said.as_ref() == Some(&state) {
            return Ok(());
        }
        self.said = Some(state.clone());
        if state.0 != Availability::Fault {
            self.fault = None;
        }
        let cause = if state.0 == Availability::Offline { state.1.as_str() } else { "" };
        tracing::info!(device.id = self.device, state = ?state.0, cause, "device state");
        self.send(DriverEvent::State(state.0, state.1)).await
    }

    /// Says a fault of a named kind, unless that kind was said a moment ago.
    pub(super) async fn fault(&mut self, kind: &'static str, detail: String) -> Result<(), Broken> {
        let again = self.fault.is_some_and(|(said, at)| said == kind && at.elapsed() < QUIET);
        if again {
            return Ok(());
        }
        self.fault = Some((kind, Instant::now()));
        tracing::warn!(device.id = self.device, kind, "device fault");
        self.say(Availability::Fault, detail).await
    }

    async fn send(&self, event: DriverEvent) -> Result<(), Broken> {
        tokio::select! {
            // An event that fits goes out even while stopping.
            biased;
            sent = self.events.send(event) => sent.map_err(|_| Broken::Deaf),
            () = self.stop.cancelled() => Err(Broken::Deaf),
        }
    }
}

const QUIET: Duration = Duration::from_secs(10);
/// A frame of any device, and what stood before it.
const HEARD: usize = 16 * 1024;
/// A line that gives nothing but noise is not kept for ever: so many times within so long.
const KEPT_MOST: u32 = 30;
const KEPT_WITHIN: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::{DriverEvent, Reporter};
    use tidewaiter_proto::bus::Availability;
    use tokio::sync::mpsc;
    use tokio_util::sync::CancellationToken;

    #[tokio::test]
    async fn a_noisy_line_is_said_once() {
        let (events, mut heard) = mpsc::channel(100);
        let mut reporter = Reporter::new("d".into(), events, CancellationToken::new(), None);
        for bytes in 0..50 {
            reporter.fault("noise", format!("{bytes} bytes of noise")).await.unwrap();
        }
        reporter.say(Availability::Online, String::new()).await.unwrap();
        reporter.say(Availability::Online, String::new()).await.unwrap();
        reporter.fault("noise", "again".into()).await.unwrap();
        drop(reporter);
        let mut states = Vec::new();
        while let Some(DriverEvent::State(state, _)) = heard.recv().await {
            states.push(state);
        }
        assert_eq!(states, [Availability::Fault, Availability::Online, Availability::Fault]);
    }

    #[tokio::test]
    async fn a_full_agent_does_not_keep_a_driver_from_stopping() {
        let (events, _heard) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let mut reporter = Reporter::new("d".into(), events, stop.clone(), None);
        reporter.say(Availability::Online, String::new()).await.unwrap();
        stop.cancel();
        assert!(reporter.say(Availability::Offline, String::new()).await.is_err());
    }

    #[tokio::test]
    async fn refused_bytes_are_given_whole_and_a_flood_of_them_only_counted() {
        let (events, mut heard) = mpsc::channel(100);
        let mut reporter = Reporter::new("d".into(), events, CancellationToken::new(), None);
        reporter.heard(b"good").await;
        reporter.understood();
        reporter.heard(b"to").await;
        reporter.heard(b"rn").await;
        for _ in 0..40 {
            reporter.refused("partial").await.unwrap();
            reporter.heard(&vec![0; 40_000]).await;
        }
        drop(reporter);
        let mut bytes = Vec::new();
        while let Some(DriverEvent::Refused { kind: "partial", bytes: of }) = heard.recv().await {
            bytes.push(of);
        }
        assert_eq!((bytes.len(), bytes[0].as_slice()), (40, b"torn".as_slice()));
        assert!(bytes.iter().all(|bytes| bytes.len() <= super::HEARD));
        assert_eq!(bytes.iter().filter(|bytes| !bytes.is_empty()).count(), 30);
    }
}
