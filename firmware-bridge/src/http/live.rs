//! What changes, as it changes: server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, Sse};
use futures_util::{Stream, StreamExt, stream};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_stream::wrappers::{IntervalStream, WatchStream};
use tokio_util::sync::CancellationToken;

use crate::station::Station;

/// `event: change`, `id: N`, `data: {"change": N}` whenever anything that a page may show changed;
/// several changes at once are one event. A `ping` comes every 15 s.
pub(super) async fn live(
    State(station): State<Station>,
    State(stop): State<CancellationToken>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = WatchStream::from_changes(station.changes()).map(|number| {
        let data = format!("{{\"change\":{number}}}");
        Event::default().id(number.to_string()).event("change").data(data)
    });
    let mut interval = interval_at(Instant::now() + PING, PING);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let pings = IntervalStream::new(interval).map(|_| Event::default().event("ping").data("{}"));
    // Something at once, so that the reader knows that it is connected.
    let first = stream::once(async { Event::default().comment("tidewaiter") });
    let all = first.chain(stream::select(changes, pings)).map(Ok);
    Sse::new(all.take_until(stop.cancelled_owned()))
}

const PING: Duration = Duration::from_secs(15);
