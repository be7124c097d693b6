//! Mosquitto as `config/mosquitto` sets it up, asked by stations for what is not theirs.

use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAckReason};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use tidewaiter_proto::receipt::Down;
use tidewaiter_proto::topic::Topic;
use tokio::time::timeout;

use crate::site::{LIMIT, Site};
use crate::station::Station;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_guarded_mosquitto_keeps_each_station_to_its_own_topics() {
    let mut site = Site::new();
    let mut honest = Station::enrolled(&site, "ruvvo/dep-07");
    let foreign = Station::enrolled(&site, "ruvvo/dep-08");
    site.use_guarded_mosquitto();
    site.start_mosquitto();
    site.start_server();

    // Nobody without a certificate.
    let plain = MqttOptions::new("ruvvo/dep-07", "127.0.0.1", site.door());
    let (_client, mut events) = AsyncClient::new(plain, 8);
    assert!(timeout(LIMIT, events.poll()).await.unwrap().is_err());

    // The other station listens to everything, under the honest one's client id.
    let (spy, mut events) = foreign.client(&site, "ruvvo/dep-07");
    for filter in ["#", "tidewaiter/v1/ruvvo/dep-07/down", "tidewaiter/v1/+/+/up"] {
        spy.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
    }
    wait(&mut events, |packet| matches!(packet, Packet::SubAck(_))).await;

    honest.connect(&site).await;
    // Retained there, for whoever comes later.
    assert!(honest.law().lists.contains_key("un"));
    honest.announce().await;
    honest.told(|down| matches!(down, Down::Welcome(_)));
    honest.note("a", "Said over a broker that is somebody else's.");
    honest.send(1, 1).await;
    assert_eq!(honest.receipted(1), 1);

    // What it may not say is refused, and said to be.
    let forbidden = [
        "tidewaiter/v1/ruvvo/dep-07/up",
        "tidewaiter/v1/ruvvo/dep-07/state",
        "tidewaiter/v1/ruvvo/dep-07/down",
        "tidewaiter/v1/ruvvo/dep-08/down",
        "tidewaiter/v1/policy",
    ];
    for topic in forbidden {
        spy.publish(topic, QoS::AtLeastOnce, false, "nothing of ours").await.unwrap();
        let (heard, reason) = answer(&mut events).await;
        assert_eq!(reason, PubAckReason::NotAuthorized, "{topic}");
        assert_eq!(heard, Vec::<String>::new(), "{topic}");
    }
    // Its own topic it may use: what it says there reaches the server, and is refused there.
    let own = "tidewaiter/v1/ruvvo/dep-08/up";
    spy.publish(own, QoS::AtLeastOnce, false, "nothing of ours").await.unwrap();
    let (heard, reason) = answer(&mut events).await;
    assert_eq!(reason, PubAckReason::Success);
    // The refusal, on the one topic that it may hear; a moment later perhaps.
    assert!(heard.iter().all(|topic| topic == "tidewaiter/v1/ruvvo/dep-08/down"), "{heard:?}");
    site.wait("the server has the one message", |site| {
        site.text("/metrics").contains("tidewaiter_quarantined 1").then_some(())
    });

    // Nobody took the honest station's connection away.
    honest.note("a", "Still here.");
    honest.send(2, 2).await;
    assert_eq!(honest.receipted(2), 2);
}

async fn wait(events: &mut EventLoop, wanted: impl Fn(&Packet) -> bool) -> Packet {
    loop {
        match timeout(LIMIT, events.poll()).await.unwrap().unwrap() {
            Event::Incoming(packet) if wanted(&packet) => return packet,
            _ => {}
        }
    }
}

/// The broker's answer to what was published, and the topics of what was heard before it and
/// shortly after.
async fn answer(events: &mut EventLoop) -> (Vec<String>, PubAckReason) {
    let (mut heard, mut reason) = (Vec::new(), None);
    loop {
        let patience = if reason.is_some() { Duration::from_millis(300) } else { LIMIT };
        match timeout(patience, events.poll()).await {
            Ok(event) => match event.unwrap() {
                // What is the same for all is everybody's to hear.
                Event::Incoming(Packet::Publish(publish))
                    if *publish.topic == *Topic::Policy.to_string().as_bytes() => {}
                Event::Incoming(Packet::Publish(publish)) => {
                    heard.push(String::from_utf8_lossy(&publish.topic).into_owned());
                }
                Event::Incoming(Packet::PubAck(ack)) => reason = Some(ack.reason),
                _ => {}
            },
            Err(_) => return (heard, reason.unwrap()),
        }
    }
}
