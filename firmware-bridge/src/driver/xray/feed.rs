//! Results that a station publishes on a broker of its own, one JSON object a message (MQTT 5).

use rumqttc::v5::MqttOptions;
use tidewaiter_proto::bus::Availability;
use tokio_util::sync::CancellationToken;

use super::read;
use crate::configuration::{DeviceConfig, MqttSource};
use crate::driver::report::Reporter;
use crate::driver::session::{Broken, Outcome};
use crate::mqtt::{Connection, Heard};

/// Listens until the connection breaks.
pub(super) async fn session(
    device: &DeviceConfig,
    source: &MqttSource,
    reporter: &mut Reporter,
    stop: &CancellationToken,
) -> Result<(), Broken> {
    let broker = source.broker.rsplit_once(':');
    let address = broker.and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    let Some((host, port)) = address else {
        return Err(Broken::Faulty(format!("{:?} is no HOST:PORT", source.broker)));
    };
    let options = MqttOptions::new(format!("tidewaiter-{}", device.id), host, port);
    let mut connection = Connection::open(options, vec![source.topic.clone()]);
    loop {
        let heard = tokio::select! {
            () = stop.cancelled() => {
                connection.close().await;
                return Ok(());
            }
            heard = connection.heard() => heard,
        };
        match heard {
            Heard::Connected => reporter.say(Availability::Online, String::new()).await?,
            Heard::Message(message) => {
                reporter.heard(&message.payload).await;
                match read(&message.payload) {
                    Outcome::Reading(body) => {
                        reporter.understood();
                        reporter.reading(body).await?;
                    }
                    Outcome::Refused(kind, detail) => {
                        reporter.refused(kind).await?;
                        reporter.fault(kind, detail).await?;
                    }
                }
                connection.acknowledge(&message);
            }
            Heard::Lost(why) => {
                return Err(Broken::Gone(format!("{} cannot be reached: {why}", source.broker)));
            }
        }
    }
}
