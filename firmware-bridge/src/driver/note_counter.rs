//! Bulk note counters: an XFS4IoT host over WebSocket, into `cash_counted`.
//!
//! This file owns the connection: it sends what the dialogue says, hands it what comes, and gives
//! a counter up that does not answer. What is said is [`dialogue`]'s.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tidewaiter_proto::body::Body;
use tidewaiter_proto::bus::Availability;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use super::report::Reporter;
use super::session::Broken;
use crate::configuration::DeviceConfig;

mod condition;
mod connection;
mod dialogue;

use connection::Socket;
pub(super) use dialogue::Dialogue;
use dialogue::Output;

/// Connects to the counter and counts with it until the connection breaks.
pub(super) async fn session(
    device: &DeviceConfig,
    dialogue: &mut Dialogue,
    reporter: &mut Reporter,
    stop: &CancellationToken,
) -> Result<(), Broken> {
    let connected = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        connected = connection::connect(device) => connected,
    };
    let mut link = Link { socket: connected?, asked: Instant::now() };
    let outputs = dialogue.connected();
    link.perform(outputs, reporter).await?;
    reporter.say(Availability::Online, String::new()).await?;
    let mut ping = interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        // Notes may be awaited for hours; every other answer is due at once.
        let due = if dialogue.is_waiting_for_notes() {
            heard + SILENCE
        } else {
            (link.asked + ANSWER).min(heard + SILENCE)
        };
        let message = tokio::select! {
            () = stop.cancelled() => {
                // The counter keeps an unfinished transaction for the next host to end.
                let _ = link.socket.close(None).await;
                return Ok(());
            }
            message = link.socket.next() => message,
            _ = ping.tick() => {
                link.send(Message::Ping(Vec::new().into())).await?;
                continue;
            }
            () = sleep_until(due) => {
                return Err(Broken::Gone("the counter does not answer".to_owned()));
            }
        };
        heard = Instant::now();
        match message {
            Some(Ok(Message::Text(text))) => {
                reporter.heard(text.as_bytes()).await;
                let outputs = dialogue.heard(&text);
                match outputs.iter().find_map(Output::refusal) {
                    Some(kind) => reporter.refused(kind).await?,
                    None => reporter.understood(),
                }
                link.perform(outputs, reporter).await?;
            }
            Some(Ok(Message::Close(_))) | None => {
                return Err(Broken::Gone("the counter closed the connection".to_owned()));
            }
            // Pings are answered by the library; binary frames are none of the standard's.
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                return Err(Broken::Gone(format!("the connection broke: {error}")));
            }
        }
    }
}

struct Link {
    socket: Socket,
    asked: Instant,
}

impl Link {
    async fn perform(
        &mut self,
        outputs: Vec<Output>,
        reporter: &mut Reporter,
    ) -> Result<(), Broken> {
        for output in outputs {
            match output {
                Output::Send(command) => {
                    reporter.sent(command.as_bytes()).await;
                    self.send(Message::text(command)).await?;
                    self.asked = Instant::now();
                }
                Output::Counted(count) => reporter.reading(Body::CashCounted(count)).await?,
                Output::Fault(kind, detail) => reporter.fault(kind, detail).await?,
                Output::Well => reporter.say(Availability::Online, String::new()).await?,
                Output::GiveUp(detail) => return Err(Broken::Faulty(detail)),
            }
        }
        Ok(())
    }

    async fn send(&mut self, message: Message) -> Result<(), Broken> {
        match timeout(ANSWER, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Broken::Gone(format!("the connection broke: {error}"))),
            Err(_) => Err(Broken::Gone("the counter takes no commands".to_owned())),
        }
    }
}

const PING: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(15);
const ANSWER: Duration = Duration::from_secs(10);
