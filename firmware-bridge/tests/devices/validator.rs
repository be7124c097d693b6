//! Note validators and a scale on pseudo-terminals.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::json;
use tempfile::TempDir;
use tidewaiter_bridge::configuration::{DeviceConfig, DriverKind};
use tidewaiter_bridge::simulate::Simulated;
use tidewaiter_bridge::simulate::scale::Scale;
use tidewaiter_bridge::simulate::validator::Validator;
use tidewaiter_proto::body::{Body, CashCounted, Certainty};
use tidewaiter_proto::bus::Availability;
use tidewaiter_proto::cash::CountedItem;

use crate::driven::{Driven, device, drive};

/// Each protocol must do it; they wait at the same time.
async fn both(test: impl AsyncFn(DriverKind)) {
    tokio::join!(test(DriverKind::Ccnet), test(DriverKind::Ssp));
}

fn on(driver: DriverKind, link: &Path) -> Driven {
    drive(DeviceConfig { serial: Some(link.to_owned()), ..device(driver) })
}

fn validator(driver: DriverKind, link: &Path) -> Validator {
    if driver == DriverKind::Ccnet { Validator::ccnet(link) } else { Validator::ssp(link) }.unwrap()
}

async fn count(driven: &mut Driven) -> CashCounted {
    match driven.reading().await {
        Body::CashCounted(count) => count,
        body => panic!("{body:?}"),
    }
}

type Pieces = BTreeMap<(String, Decimal), u64>;

fn counted(count: &CashCounted) -> Pieces {
    let pieces = count.items.iter().map(|item| match item {
        CountedItem::Pieces { currency, denomination, pieces } => {
            ((currency.to_string(), *denomination), *pieces)
        }
        CountedItem::Item(item) => panic!("{item:?}"),
    });
    pieces.collect()
}

fn stacked(validator: &Validator) -> Pieces {
    let stacked = validator.stacked().into_iter();
    stacked.map(|(currency, value, n)| ((currency.to_owned(), value), n as u64)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_put_in_one_by_one_are_one_exact_count() {
    both(async |driver| {
        let folder = TempDir::new().unwrap();
        let link = folder.path().join("notes.tty");
        let mut validator = validator(driver, &link);
        let mut driven = on(driver, &link);
        driven.state(Availability::Online).await;
        validator
            .play(&json!({"notes": [
                {"currency": "USD", "denomination": "100", "pieces": 3},
                {"currency": "EUR", "denomination": "500", "pieces": 1},
            ]}))
            .unwrap();
        let count = count(&mut driven).await;
        assert_eq!((count.certainty, count.officer.as_str()), (Certainty::Exact, "o-7"));
        assert_eq!(counted(&count), stacked(&validator), "{driver:?}");
        assert_eq!(counted(&count).values().sum::<u64>(), 4);
        driven.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_bad_line_each_note_is_counted_once_or_the_count_is_uncertain() {
    both(async |driver| {
        let folder = TempDir::new().unwrap();
        let link = folder.path().join("notes.tty");
        let mut validator = validator(driver, &link);
        let mut driven = on(driver, &link);
        driven.state(Availability::Online).await;
        validator
            .play(&json!({"notes": [{"currency": "USD", "denomination": "20", "pieces": 6}]}))
            .unwrap();
        for round in 0..12 {
            let fault = if round % 2 == 0 { json!({"flip": 1}) } else { json!({"drop": 1}) };
            validator.obey(&fault).unwrap();
            tokio::time::sleep(Duration::from_millis(430)).await;
        }
        let count = count(&mut driven).await;
        assert_eq!(counted(&count).values().sum::<u64>(), 6, "{driver:?}");
        assert_eq!(counted(&count), stacked(&validator), "{driver:?}");
        driven.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_makes_the_count_uncertain_and_the_next_is_exact() {
    both(async |driver| {
        let folder = TempDir::new().unwrap();
        let link = folder.path().join("notes.tty");
        let mut validator = validator(driver, &link);
        let mut driven = on(driver, &link);
        driven.state(Availability::Online).await;
        validator
            .play(&json!({"notes": [{"currency": "USD", "denomination": "50", "pieces": 1}]}))
            .unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        validator.play(&json!({"power_cut": true})).unwrap();
        let first = count(&mut driven).await;
        assert_eq!(first.certainty, Certainty::Uncertain, "{driver:?}");
        validator
            .play(&json!({"notes": [{"currency": "USD", "denomination": "5", "pieces": 2}]}))
            .unwrap();
        let second = count(&mut driven).await;
        assert_eq!(second.certainty, Certainty::Exact, "{driver:?}");
        assert_eq!(counted(&second).values().sum::<u64>(), 2);
        driven.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_count_is_told_when_the_validator_is_pulled() {
    both(async |driver| {
        let folder = TempDir::new().unwrap();
        let link = folder.path().join("notes.tty");
        let mut pulled = validator(driver, &link);
        let mut driven = on(driver, &link);
        driven.state(Availability::Online).await;
        pulled
            .play(&json!({"notes": [{"currency": "USD", "denomination": "10", "pieces": 1}]}))
            .unwrap();
        tokio::time::sleep(Duration::from_millis(2500)).await;
        drop(pulled);
        let half = count(&mut driven).await;
        assert_eq!((half.certainty, half.items.len()), (Certainty::Uncertain, 1), "{driver:?}");
        let mut back = validator(driver, &link);
        back.play(&json!({"notes": [{"currency": "USD", "denomination": "10", "pieces": 1}]}))
            .unwrap();
        let count = count(&mut driven).await;
        assert_eq!((count.certainty, count.items.len()), (Certainty::Exact, 1), "{driver:?}");
        driven.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_on_the_scale_is_weighed_when_it_rests() {
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("scale-1.tty");
    let mut scale = Scale::open(&link).unwrap();
    let mut driven = on(DriverKind::Scale, &link);
    driven.state(Availability::Online).await;
    scale.play(&json!({"weight": {"value": "0.80", "unit": "kg", "stable": false}})).unwrap();
    driven.nothing().await;
    scale.play(&json!({"weight": {"value": "1.923", "unit": "kg"}})).unwrap();
    let Body::WeightMeasured(weight) = driven.reading().await else { panic!("no weight") };
    assert_eq!((weight.value.to_string().as_str(), weight.unit.as_str()), ("1.923", "kg"));
    driven.nothing().await;
    drop(scale);
    driven.state(Availability::Offline).await;
    driven.stop().await;
}
