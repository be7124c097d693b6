//! What a driver says: readings, and the device's state where it changed.
//!
//! Faults of a noisy line come by the hundred: one of a kind is said every ten seconds. A reading
//! is never held back.

use std::time::Duration;

use tidewaiter_proto::body::Body;
use tidewaiter_proto::bus::Availability;
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::DriverEvent;
use super::session::Broken;

/// Speaks for one device.
#[derive(Debug)]
pub(super) struct Reporter {
    device: String,
    events: Sender<DriverEvent>,
    stop: CancellationToken,
    said: Option<(Availability, String)>,
    fault: Option<(&'static str, Instant)>,
}

impl Reporter {
    pub(super) fn new(
        device: String,
        events: Sender<DriverEvent>,
        stop: CancellationToken,
    ) -> Self {
        Self { device, events, stop, said: None, fault: None }
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
        tracing::info!(device.id = self.device, state = ?state.0, detail = state.1, "device state");
        self.send(DriverEvent::State(state.0, state.1)).await
    }

    /// Says a fault of a named kind, unless that kind was said a moment ago.
    pub(super) async fn fault(&mut self, kind: &'static str, detail: String) -> Result<(), Broken> {
        let again = self.fault.is_some_and(|(said, at)| said == kind && at.elapsed() < QUIET);
        if again {
            return Ok(());
        }
        self.fault = Some((kind, Instant::now()));
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

#[cfg(test)]
mod tests {
    use super::{DriverEvent, Reporter};
    use tidewaiter_proto::bus::Availability;
    use tokio::sync::mpsc;
    use tokio_util::sync::CancellationToken;

    #[tokio::test]
    async fn a_noisy_line_is_said_once() {
        let (events, mut heard) = mpsc::channel(100);
        let mut reporter = Reporter::new("d".into(), events, CancellationToken::new());
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
        let mut reporter = Reporter::new("d".into(), events, stop.clone());
        reporter.say(Availability::Online, String::new()).await.unwrap();
        stop.cancel();
        assert!(reporter.say(Availability::Offline, String::new()).await.is_err());
    }
}
