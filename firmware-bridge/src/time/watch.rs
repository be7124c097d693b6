//! Watches the machine's clock. A step is a record, and so is each change of how far the clock can
//! be trusted; records are ordered by their numbers, whatever it shows.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tidewaiter_proto::body::{Body, ClockStepped, DeviceState};
use tidewaiter_proto::record::{ClockQuality, Source};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::station::Station;

/// Looks at the clock every second until `stop`. A demonstration's clock is set by hand, and that is
/// no step.
///
/// # Errors
/// None; the signature is that of a task.
pub async fn run(station: Station, stop: CancellationToken) -> Result<(), Infallible> {
    if station.clock().is_demonstration() {
        stop.cancelled().await;
        return Ok(());
    }
    let began = Instant::now();
    let last = station.ledger().recent(1).ok().and_then(|recent| recent.first().map(|r| r.at));
    let kept = station.ledger().state(STATE);
    let mut watch = Watch::new(last, kept.as_deref().and_then(quality));
    let mut every = interval(LOOK_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = every.tick() => {}
        }
        let (shown, quality) = (station.clock().now(), station.clock_quality());
        watch.look(shown, began.elapsed(), quality);
        while let Some(body) = watch.due.front() {
            let source = Source::Agent("clock".to_owned());
            if let Err(error) = station.record(source, None, body.clone(), None).await {
                tracing::warn!(%error, "what the clock did waits to be recorded");
                break;
            }
            watch.due.pop_front();
            let code = code(quality).as_bytes().to_vec();
            if let Err(error) = station.ledger().set_state(STATE, code).await {
                tracing::warn!(%error, "the clock's quality is not kept");
            }
        }
    }
}

/// What the clock showed, and what of it is to be recorded.
#[derive(Debug)]
struct Watch {
    /// The clock at the last look, with the time since the start; the last record's time before
    /// the first.
    shown: Option<(Timestamp, Option<Duration>)>,
    quality: Option<ClockQuality>,
    due: VecDeque<Body>,
}

impl Watch {
    fn new(last_record: Option<Timestamp>, quality: Option<ClockQuality>) -> Self {
        Self { shown: last_record.map(|at| (at, None)), quality, due: VecDeque::new() }
    }

    /// `steady` is a time that nobody sets.
    fn look(&mut self, shown: Timestamp, steady: Duration, quality: ClockQuality) {
        if let Some((before, since)) = self.shown {
            let moved = shown.duration_since(before);
            let step = match since {
                Some(since) => moved - signed(steady.saturating_sub(since)),
                // Across a restart only the way back is known to be one.
                None => moved.min(SignedDuration::ZERO),
            };
            if step.abs() > STEP {
                let step_ms = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
                self.note(Body::ClockStepped(ClockStepped { step_ms }));
            }
        }
        self.shown = Some((shown, Some(steady)));
        // A station that begins with a good clock says nothing of it.
        let known = self.quality.replace(quality).unwrap_or(ClockQuality::Synced);
        if known != quality {
            self.note(Body::DeviceState(DeviceState {
                device: "clock".to_owned(),
                state: if quality == ClockQuality::Synced { "online" } else { "fault" }.to_owned(),
                cause: Some(code(quality).to_owned()),
            }));
        }
    }

    fn note(&mut self, body: Body) {
        // A disk that takes nothing must not fill memory instead: the first tell how it began.
        if self.due.len() < DUE_MAX {
            self.due.push_back(body);
        }
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

fn code(quality: ClockQuality) -> &'static str {
    match quality {
        ClockQuality::Synced => "synced",
        ClockQuality::Holdover => "holdover",
        ClockQuality::Unset => "unset",
    }
}

fn quality(code: &[u8]) -> Option<ClockQuality> {
    [ClockQuality::Synced, ClockQuality::Holdover, ClockQuality::Unset]
        .into_iter()
        .find(|quality| self::code(*quality).as_bytes() == code)
}

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A time service that is at work moves the clock by less between two looks.
const STEP: SignedDuration = SignedDuration::from_secs(2);
const DUE_MAX: usize = 64;
const STATE: &str = "clock";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use tidewaiter_proto::body::Body;
    use tidewaiter_proto::record::ClockQuality::{self, Holdover, Synced, Unset};

    use super::Watch;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// What is recorded of these looks, one a second: what the clock shows, and its quality.
    fn recorded(last: Option<&str>, looks: &[(&str, ClockQuality)]) -> Vec<String> {
        let mut watch = Watch::new(last.map(at), None);
        for ((shown, quality), second) in looks.iter().zip(0..) {
            watch.look(at(shown), Duration::from_secs(second), *quality);
        }
        let said = watch.due.iter().map(|body| match body {
            Body::ClockStepped(stepped) => stepped.step_ms.to_string(),
            Body::DeviceState(state) => {
                format!("{} {}", state.state, state.cause.clone().unwrap_or_default())
            }
            other => format!("{other:?}"),
        });
        said.collect()
    }

    #[test]
    fn steps_either_way_are_recorded_with_their_length() {
        let said = recorded(
            None,
            &[
                ("2026-11-25T10:00:00Z", Synced),
                ("2026-11-25T10:00:01Z", Synced),
                // Slewed, or looked at late.
                ("2026-11-25T10:00:03.5Z", Synced),
                // Three days back, then ten years ahead.
                ("2026-11-22T10:00:04.5Z", Synced),
                ("2036-11-22T10:00:05.5Z", Synced),
                ("2036-11-22T10:00:06.5Z", Synced),
            ],
        );
        assert_eq!(said, ["-259200000", "315619200000"]);
    }

    #[test]
    fn a_clock_that_lost_its_battery_while_the_program_was_away_is_a_step_back() {
        let last = Some("2026-11-25T10:00:00Z");
        assert_eq!(recorded(last, &[("1970-01-01T00:00:10Z", Unset)])[0], "-1795600790000");
        assert_eq!(recorded(last, &[("2026-11-26T10:00:00Z", Synced)]), Vec::<String>::new());
    }

    #[test]
    fn each_change_of_what_the_clock_is_worth_is_recorded_once() {
        let looks = [Synced, Holdover, Holdover, Unset, Synced, Synced];
        let times: Vec<String> =
            (0..looks.len()).map(|second| format!("2026-11-25T10:00:0{second}Z")).collect();
        let looks: Vec<_> = times.iter().map(String::as_str).zip(looks).collect();
        assert_eq!(recorded(None, &looks), ["fault holdover", "fault unset", "online synced"]);
    }
}
