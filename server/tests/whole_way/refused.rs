//! Bad input at the real server: refused with a reason, counted, kept within bounds, raised; and
//! the stations beside it never wait.

use std::time::Duration;

use tidewaiter_proto::batch::BATCH_BYTES_MAX;
use tidewaiter_proto::presence::PRESENCE_BYTES_MAX;
use tidewaiter_proto::receipt::Down;
use tidewaiter_proto::signing::Signing;

use crate::items;
use crate::site::Site;
use crate::station::Station;

const BAD: &str = "ruvvo/dep-07";
const GOOD: &str = "ruvvo/dep-08";

/// Two stations at a site.
async fn two(site: &mut Site) -> (Station, Station) {
    let (mut bad, mut good) = (Station::enrolled(site, BAD), Station::enrolled(site, GOOD));
    site.start_server();
    for station in [&mut bad, &mut good] {
        station.connect(site).await;
        station.announce().await;
        station.told(|down| matches!(down, Down::Welcome(_)));
    }
    (bad, good)
}

fn with(bytes: &[u8], at: usize, byte: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= byte;
    bytes
}

/// Payloads on the bad station's `up` topic, and what the reason must say.
fn batches(bad: &Station, good: &Station) -> Vec<(Vec<u8>, &'static str)> {
    let batch = bad.batch(1, 2, bad.signing());
    let unsigned = [&batch[..batch.len() - 64], &[0; 64][..]].concat();
    let other = Signing::from_seed(&[6; 32]);
    // Magic, the name and its length, epoch and seq: the number of records.
    let count = 4 + 1 + BAD.len() + 8 + 8;
    vec![
        (Vec::new(), "ends within its magic"),
        (batch[..batch.len() / 2].to_vec(), "ends within its"),
        (batch[..batch.len() - 1].to_vec(), "ends within its signature"),
        ([&batch[..], &[0][..]].concat(), "1 bytes follow the batch"),
        ([&batch[..], &vec![0; BATCH_BYTES_MAX][..]].concat(), "bytes, 65536 at most"),
        (unsigned, "the signature does not verify"),
        (bad.batch(1, 2, &other), "the signature does not verify"),
        (good.batch(1, 1, good.signing()), "came on the topic of ruvvo/dep-07"),
        (with(&batch, 3, 1), "not a batch of a version known"),
        (with(&batch, count + 1, 2), "range is not valid"),
        // A byte of the last record: what was signed is a chain that it is no part of.
        (with(&batch, batch.len() - 70, 1), "do not chain to the head"),
        // The name of a station that nobody enrolled.
        (with(&batch, 4 + BAD.len(), 1), "came on the topic of ruvvo/dep-07"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bad_input_is_refused_counted_kept_and_raised_and_holds_nobody_up() {
    let mut site = Site::new();
    let (mut bad, mut good) = two(&mut site).await;
    for station in [&mut bad, &mut good] {
        station.note("a", "One.");
        station.note("a", "Two.");
    }
    let up = format!("tidewaiter/v1/{BAD}/up");
    let state = format!("tidewaiter/v1/{BAD}/state");
    let presence = bad.presence();
    let forged =
        String::from_utf8(presence.clone()).unwrap().replace("\"backlog\":0", "\"backlog\":9");
    let mut wanted = Vec::new();
    let mut sent = 0;
    let batches = batches(&bad, &good).into_iter().map(|(payload, reason)| (&up, payload, reason));
    let states = [
        (&state, b"{}".to_vec(), "not a presence"),
        (&state, forged.into_bytes(), "the signature does not verify"),
        (&state, vec![b' '; PRESENCE_BYTES_MAX + 1], "16384 at most"),
    ];
    for (topic, payload, reason) in batches.chain(states) {
        bad.publish(topic, payload).await;
        wanted.push((topic.clone(), reason));
        // The station beside it has its receipt at once.
        good.note("a", reason);
        sent += 1;
        good.send(2 + sent, 2 + sent).await;
        good.receipted(2 + sent);
    }
    let all = wanted.len();
    site.wait("all are counted", |site| {
        site.text("/metrics").contains(&format!("tidewaiter_quarantined {all}\n")).then_some(())
    });
    let refused = site.refused().await;
    for ((topic, reason), (said, on)) in wanted.iter().zip(&refused) {
        assert!(said.contains(reason) && on == topic, "{reason:?} on {topic}: {said:?} on {on}");
    }
    let Down::Refused { reason, .. } = bad.told(|down| matches!(down, Down::Refused { .. })) else {
        panic!("not told")
    };
    assert!(reason.contains("ends within its magic"), "{reason}");
    let alerts = site.wait("it is raised", |site| {
        let alerts = items(&site.get("/api/v1/alerts?code=ledger_broken"));
        (!alerts.is_empty()).then_some(alerts)
    });
    assert!(alerts.iter().all(|alert| alert["station"] == BAD), "{alerts:?}");

    // A replay is nothing bad and nothing new: the same receipt, one record.
    bad.send(1, 2).await;
    bad.receipted(2);
    bad.send(1, 2).await;
    bad.receipted(2);
    // Nor does an old presence, signed and all, make the server go back.
    bad.publish(&state, presence).await;
    bad.send(1, 1).await;
    bad.receipted(1);
    let rows = items(&site.get("/api/v1/stations"));
    let row = rows.iter().find(|row| row["station"] == BAD).unwrap();
    assert_eq!(row["held"], 2, "{row}");
    assert_eq!(site.refused().await.len(), all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_quarantine_is_bounded_and_a_flood_of_nonsense_holds_nobody_up() {
    let mut site = Site::new();
    let (bad, mut good) = two(&mut site).await;
    let up = format!("tidewaiter/v1/{BAD}/up");
    for number in 1..=FLOOD {
        bad.publish(&up, format!("nonsense {number}").into_bytes()).await;
        if number % 100 == 0 {
            good.note("a", "Beside a flood.");
            good.send(number / 100, number / 100).await;
            good.receipted(number / 100);
        }
    }
    site.wait("the latest are kept", |site| {
        site.text("/metrics").contains(&format!("tidewaiter_quarantined {KEPT}\n")).then_some(())
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(site.text("/metrics").contains(&format!("tidewaiter_quarantined {KEPT}\n")));
}

const KEPT: u64 = 1000;
const FLOOD: u64 = 1200;
