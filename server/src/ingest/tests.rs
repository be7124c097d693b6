//! Silence. The rest of taking is tested with the real programs, in `tests/whole_way`.

use std::time::Duration;

use super::silence::Silence;
use crate::store::LedgerFinding;
use crate::store::tests::{Sender, fresh, now};

#[tokio::test]
async fn a_station_that_is_not_heard_any_more_is_found_once() {
    let (_directory, store) = fresh().await;
    let sender = Sender::new("ruvvo/dep-07");
    store.register_station(&sender.station, sender.signing.verifying(), now()).await.unwrap();
    store.presence(&sender.station, &sender.presence(), now()).await.unwrap();
    // It was there when the program stopped.
    let mut silence = Silence::of(&store).await.unwrap().with_limit(Duration::ZERO);
    let found = silence.found(&store, now()).await.unwrap();
    let since = now().to_string();
    assert_eq!(found, [(sender.station.clone(), LedgerFinding::Silent { since })]);
    assert!(!store.station(&sender.station).await.unwrap().unwrap().online);
    assert!(silence.found(&store, now()).await.unwrap().is_empty());
    silence.heard(&sender.station);
    silence.left(&sender.station);
    assert!(silence.found(&store, now()).await.unwrap().is_empty());
}
