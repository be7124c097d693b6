//! The recorder's client on the bus: takes events and states, answers on `…/recorded`.

use rumqttc::v5::mqttbytes::v5::Publish;
use tidewaiter_proto::bus::{DeviceEvent, DeviceStatus, Recorded};
use tidewaiter_proto::topic::Topic;
use tokio_util::sync::CancellationToken;

use super::{AGAIN_AFTER, BusLink};
use crate::mqtt::{Connection, Heard};
use crate::station::Station;

/// Takes what is said on the bus until `stop`, connecting again for ever.
///
/// # Errors
/// None; the signature is that of a task.
pub async fn run(
    link: BusLink,
    station: Station,
    stop: CancellationToken,
) -> Result<(), std::convert::Infallible> {
    loop {
        let ended = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            why = connection(&link, &station) => why,
        };
        station.bus(false);
        tracing::warn!(broker = %link.address, "the bus is away: {ended}");
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(AGAIN_AFTER) => {}
        }
    }
}

/// One connection, until it is lost; gives why.
async fn connection(link: &BusLink, station: &Station) -> String {
    let name = station.name();
    let mut options = link.options(&format!("recorder-{}", name.as_str().replace('/', "-")));
    // A broker that keeps sessions gives again what was not recorded when this program ended.
    options.set_manual_acks(true);
    options.set_clean_start(link.embedded);
    if !link.embedded {
        options.set_session_expiry_interval(Some(SESSION_SECONDS));
    }
    let filters = vec![Topic::event_filter(name), Topic::device_state_filter(name)];
    let mut connection = Connection::open(options, filters);
    loop {
        match connection.heard().await {
            Heard::Connected => station.bus(true),
            Heard::Lost(why) => return why,
            Heard::Message(message) => {
                take(&connection, station, &message).await;
                connection.acknowledge(&message);
            }
        }
    }
}

async fn take(connection: &Connection, station: &Station, message: &Publish) {
    let topic = String::from_utf8_lossy(&message.topic);
    match topic.parse::<Topic>() {
        Ok(Topic::Event(_, device)) => {
            let answer = event(station, &device, &message.payload).await;
            let topic = Topic::Recorded(station.name().clone(), device).to_string();
            if let Ok(payload) = serde_json::to_vec(&answer)
                && !connection.publish(&topic, payload, false)
            {
                tracing::warn!(topic, "an answer found no room; the device will ask again");
            }
        }
        Ok(Topic::DeviceState(_, device)) => {
            // An empty message clears what was retained.
            if !message.payload.is_empty() {
                state(station, device, &message.payload).await;
            }
        }
        Ok(_) | Err(_) => tracing::warn!(%topic, "a message on a topic of nobody"),
    }
}

async fn event(station: &Station, device: &str, payload: &[u8]) -> Recorded {
    let refused = |id: String, error: String, retry: bool| {
        tracing::warn!(device, id, error, "an event was not recorded");
        Recorded::Refused { id, error, retry }
    };
    let event: DeviceEvent = match serde_json::from_slice(payload) {
        Ok(event) => event,
        Err(error) => return refused(id_of(payload), format!("not an event: {error}"), false),
    };
    match station.event(device, &event).await {
        Ok(taken) => Recorded::Done {
            id: event.id,
            epoch: taken.appended.epoch,
            seq: taken.appended.seq,
            hash: taken.appended.hash.to_string(),
        },
        Err(error) => refused(event.id, error.to_string(), error.passes()),
    }
}

/// The id of an event that is otherwise wrong, so that who sent it knows which it was.
fn id_of(payload: &[u8]) -> String {
    let value: Option<serde_json::Value> = serde_json::from_slice(payload).ok();
    let id = value.as_ref().and_then(|value| value["id"].as_str()).unwrap_or_default();
    id.chars().take(128).collect()
}

async fn state(station: &Station, device: String, payload: &[u8]) {
    if !station.knows(&device) {
        tracing::warn!(device, "the state of a device that is in no configuration");
        return;
    }
    match serde_json::from_slice::<DeviceStatus>(payload) {
        Ok(status) => station.device(&device, status).await,
        Err(error) => tracing::warn!(device, %error, "a device's state cannot be read"),
    }
}

const SESSION_SECONDS: u32 = 24 * 60 * 60;
