//! The note counter over WebSocket.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tidewaiter_bridge::configuration::{DeviceConfig, DriverKind};
use tidewaiter_bridge::simulate::Simulated;
use tidewaiter_bridge::simulate::note_counter::NoteCounter;
use tidewaiter_proto::body::{Body, CashCounted, Certainty};
use tidewaiter_proto::bus::Availability;

use crate::driven::{Driven, device, drive};

fn anywhere() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

fn at(counter: &NoteCounter) -> Driven {
    drive(DeviceConfig { url: Some(counter.address()), ..device(DriverKind::NoteCounter) })
}

fn dollars(pieces: u64) -> Value {
    json!({"count": [{"currency": "USD", "denomination": "100", "pieces": pieces}]})
}

async fn count(driven: &mut Driven) -> CashCounted {
    match driven.reading().await {
        Body::CashCounted(count) => count,
        body => panic!("{body:?}"),
    }
}

fn amounts(count: &CashCounted) -> Vec<String> {
    let amounts = count.items.iter().filter_map(tidewaiter_proto::cash::CountedItem::amount);
    amounts.map(|(currency, sum)| format!("{currency} {}", sum.normalize())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shoe_box_is_counted_whole() {
    let mut counter = NoteCounter::listen(anywhere()).unwrap();
    let mut driven = at(&counter);
    driven.state(Availability::Online).await;
    let mut box_of_shoes = dollars(1923);
    let euros = json!({"currency": "EUR", "denomination": "500", "pieces": 2});
    box_of_shoes["count"].as_array_mut().unwrap().push(euros);
    counter.play(&box_of_shoes).unwrap();
    let count = count(&mut driven).await;
    assert_eq!(amounts(&count), ["EUR 1000", "USD 192300"]);
    assert_eq!((count.count, count.blind, count.officer.as_str()), (1, true, "o-7"));
    assert_eq!((count.certainty, count.suspect), (Certainty::Exact, None));
    driven.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hopper_is_a_count_and_a_new_note_is_learnt() {
    let mut counter = NoteCounter::listen(anywhere()).unwrap();
    counter.play(&dollars(1)).unwrap();
    let mut driven = at(&counter);
    assert_eq!(amounts(&count(&mut driven).await), ["USD 100"]);
    // Not in the table that the driver has.
    counter
        .play(&json!({"count": [{"currency": "KWD", "denomination": "0.25", "pieces": 4}]}))
        .unwrap();
    let count = count(&mut driven).await;
    assert_eq!((amounts(&count), count.certainty), (vec!["KWD 1".to_owned()], Certainty::Exact));
    driven.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_feed_is_said_and_makes_the_count_uncertain() {
    let mut counter = NoteCounter::listen(anywhere()).unwrap();
    let mut driven = at(&counter);
    driven.state(Availability::Online).await;
    let mut wrong = dollars(40);
    wrong["feed_error"] = json!("doubleNote");
    counter.play(&wrong).unwrap();
    let why = driven.state(Availability::Fault).await;
    assert!(why.contains("count again"), "{why}");
    assert_eq!(count(&mut driven).await.certainty, Certainty::Uncertain);
    counter.play(&dollars(40)).unwrap();
    assert_eq!(count(&mut driven).await.certainty, Certainty::Exact);
    driven.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pulled_cable_costs_no_count_and_makes_none_up() {
    let mut counter = NoteCounter::listen(anywhere()).unwrap();
    let mut driven = at(&counter);
    driven.state(Availability::Online).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    counter.unplug();
    let why = driven.state(Availability::Offline).await;
    assert!(why.contains("connection"), "{why}");
    counter.play(&dollars(7)).unwrap();
    assert_eq!(amounts(&count(&mut driven).await), ["USD 700"]);
    driven.nothing().await;
    driven.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_switched_off_and_on_counts_again() {
    let counter = NoteCounter::listen(anywhere()).unwrap();
    let mut driven = at(&counter);
    driven.state(Availability::Online).await;
    let address = counter.address();
    let port = address.strip_prefix("ws://").and_then(|rest| rest.split('/').next()).unwrap();
    let port: SocketAddr = port.parse().unwrap();
    drop(counter);
    driven.state(Availability::Offline).await;
    let mut counter = again(port);
    driven.state(Availability::Online).await;
    counter.play(&dollars(3)).unwrap();
    assert_eq!(amounts(&count(&mut driven).await), ["USD 300"]);
    driven.stop().await;
}

fn again(port: SocketAddr) -> NoteCounter {
    for _ in 0..100 {
        if let Ok(counter) = NoteCounter::listen(port) {
            return counter;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{port} stays taken")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_the_bridge_left_open_is_ended() {
    let mut counter = NoteCounter::listen(anywhere()).unwrap();
    let mut driven = at(&counter);
    driven.state(Availability::Online).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    driven.stop().await;
    // The transaction is still open at the counter; it is ended, and nothing was in it.
    let mut driven = at(&counter);
    driven.state(Availability::Online).await;
    driven.nothing().await;
    counter.play(&dollars(2)).unwrap();
    assert_eq!(count(&mut driven).await.certainty, Certainty::Exact);
    driven.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_that_are_none_are_refused() {
    let mut counter = NoteCounter::listen(anywhere()).unwrap();
    for (currency, denomination) in [("usd", "100"), ("USDX", "100"), ("USD", "0"), ("USD", "-5")] {
        let note = json!({"currency": currency, "denomination": denomination, "pieces": 1});
        assert!(counter.play(&json!({ "count": [note] })).is_err(), "{currency} {denomination}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_is_found_by_its_service_publisher() {
    let mut counter = NoteCounter::listen(anywhere()).unwrap();
    let address = counter.address();
    let host = address.trim_start_matches("ws://").split('/').next().unwrap().to_owned();
    let mut driven =
        drive(DeviceConfig { discover: Some(host), ..device(DriverKind::NoteCounter) });
    driven.state(Availability::Online).await;
    counter.play(&dollars(12)).unwrap();
    assert_eq!(count(&mut driven).await.certainty, Certainty::Exact);
    driven.stop().await;
}
