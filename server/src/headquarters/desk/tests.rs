//! Bundles made by a server's night, taken by headquarters, and answered back.

use std::path::Path;

use tidewaiter_proto::seal::ServerSecret;

use super::Desk;
use crate::authority::Authority;
use crate::bundle::receipt::{BundleReceipt, SignedReceipt};
use crate::bundle::seal::{Checker, Signer};
use crate::bundle::{Night, NightSettings, part};
use crate::clock::Clock;
use crate::configuration::Policy;
use crate::headquarters::keys::Keys;
use crate::law::force::Force;
use crate::store::tests::{Sender, now};
use crate::store::{BundleState, Note, Store};

/// A server with one station, and headquarters.
struct Both {
    directory: tempfile::TempDir,
    server: Store,
    night: Night,
    desk: Desk,
    sender: Sender,
}

impl Both {
    async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name);
        let (server_data, data) = (place("server"), place("headquarters"));
        std::fs::create_dir_all(&server_data).unwrap();
        std::fs::create_dir_all(&data).unwrap();
        std::fs::create_dir_all(place("bundles")).unwrap();
        let authority = Authority::open(&server_data).unwrap();
        let keys = Keys::open(&data).unwrap();
        let card = keys.write_card(&data, "headquarters").unwrap();
        let server = Store::open(&server_data.join("server.sqlite")).await.unwrap();
        let clock = Clock::demonstration(now());
        let settings = NightSettings {
            server: "ruvvo".to_owned(),
            directory: place("bundles"),
            headquarters: Some(card),
            sealing: ServerSecret::from_bytes([9; 32]),
            derive: [1; 32],
            signer: Signer::read(&authority.bundle_key_file()).unwrap(),
            checker: Checker::read(&authority.bundle_public_file()).unwrap(),
            force: Force::open(&Policy::default(), &server).await.unwrap(),
        };
        let night = Night::new(settings, server.clone(), clock.clone());
        let desk = Desk {
            name: "headquarters".to_owned(),
            incoming: place("bundles"),
            servers: [("ruvvo".to_owned(), authority.bundle_public_file())].into(),
            keys,
            store: Store::open(&data.join("headquarters.sqlite")).await.unwrap(),
            clock,
        };
        let mut sender = Sender::new("ruvvo/dep-07");
        sender.notes(6);
        let key = sender.signing.verifying();
        server.register_station(&sender.station, key, now()).await.unwrap();
        Self { directory, server, night, desk, sender }
    }

    /// The bundle of these records.
    async fn bundle(&self, from: usize, to: usize) {
        self.server.accept(&self.sender.batch(from, to), now()).await.unwrap();
        self.night.run().await.unwrap().unwrap();
    }

    fn place(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join("bundles").join(name)
    }

    fn receipt(&self, place: &Path) -> BundleReceipt {
        let text = std::fs::read_to_string(place.join(part::RECEIPT)).unwrap();
        SignedReceipt::verify(&text, &self.desk.keys.signing.verifying()).unwrap()
    }

    fn failed(&self, place: &Path) -> Vec<String> {
        let receipt = self.receipt(place);
        assert!(!receipt.accepted);
        receipt.checks.into_iter().filter(|check| !check.passed).map(|check| check.name).collect()
    }
}

#[tokio::test]
async fn bundles_are_taken_in_order_once_and_answered() {
    let both = Both::open().await;
    both.bundle(1, 4).await;
    both.bundle(5, 6).await;
    assert_eq!(both.desk.look().await.unwrap(), 2);
    assert_eq!(both.desk.look().await.unwrap(), 0);
    let receipt = both.receipt(&both.place("ruvvo-000001"));
    assert!(receipt.accepted, "{receipt:?}");
    assert_eq!(receipt.records, 4);
    assert_eq!(both.desk.store.record_count().await.unwrap(), 6);
    // The records can be opened there, by headquarters' own key.
    let key = Sender::body_key("a").0.0;
    let opener =
        crate::inspection::Opener::new(both.desk.store.clone(), both.desk.keys.sealing.clone());
    assert_eq!(opener.open(&both.sender.station, &key).await.unwrap().records.len(), 6);
    assert_eq!(both.night.take_receipts().await.unwrap(), 2);
    let last = both.server.last_bundle().await.unwrap().unwrap();
    assert_eq!(last.state, BundleState::Accepted);
}

#[tokio::test]
async fn a_lost_receipt_is_given_again_and_nothing_is_taken_twice() {
    let both = Both::open().await;
    both.bundle(1, 4).await;
    both.desk.look().await.unwrap();
    let file = both.place("ruvvo-000001").join(part::RECEIPT);
    let first = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(both.desk.look().await.unwrap(), 1);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), first);
    assert_eq!(both.desk.store.record_count().await.unwrap(), 4);
}

#[tokio::test]
async fn a_bundle_that_was_altered_is_refused_and_put_aside() {
    let both = Both::open().await;
    both.bundle(1, 4).await;
    let file = both.place("ruvvo-000001").join(part::RECORDS);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(both.desk.look().await.unwrap(), 1);
    assert!(!both.place("ruvvo-000001").exists());
    assert_eq!(both.failed(&both.place("refused/ruvvo-000001")), ["files"]);
    assert_eq!(both.desk.store.record_count().await.unwrap(), 0);
    assert_eq!(both.night.take_receipts().await.unwrap(), 1);
    let row = both.server.last_bundle().await.unwrap().unwrap();
    assert_eq!(row.state, BundleState::Refused);
    // Refused again, it is put beside the first.
    std::fs::rename(both.place("refused/ruvvo-000001"), both.place("ruvvo-000001")).unwrap();
    std::fs::create_dir(both.place("refused/ruvvo-000001")).unwrap();
    std::fs::remove_file(both.place("ruvvo-000001").join(part::RECEIPT)).unwrap();
    assert_eq!(both.desk.look().await.unwrap(), 1);
    assert!(both.place("refused/ruvvo-000001.1").exists());
}

#[tokio::test]
async fn a_bundle_that_does_not_follow_is_refused_until_the_one_before_is_there() {
    let both = Both::open().await;
    both.bundle(1, 4).await;
    both.bundle(5, 6).await;
    let (first, second) = (both.place("ruvvo-000001"), both.place("ruvvo-000002"));
    let away = both.directory.path().join("away");
    std::fs::rename(&first, &away).unwrap();
    both.desk.look().await.unwrap();
    assert_eq!(both.failed(&both.place("refused/ruvvo-000002")), ["continuity", "witness"]);
    // Both come in their order: both are taken.
    std::fs::rename(&away, &first).unwrap();
    std::fs::rename(both.place("refused/ruvvo-000002"), &second).unwrap();
    std::fs::remove_file(second.join(part::RECEIPT)).unwrap();
    assert_eq!(both.desk.look().await.unwrap(), 2);
    assert!(both.receipt(&second).accepted);
    assert_eq!(both.night.take_receipts().await.unwrap(), 2);
}

#[tokio::test]
async fn a_server_that_nobody_knows_is_refused() {
    let mut both = Both::open().await;
    both.bundle(1, 4).await;
    both.desk.servers.clear();
    both.desk.look().await.unwrap();
    assert_eq!(both.failed(&both.place("refused/ruvvo-000001")), ["signature", "server"]);
}

#[tokio::test]
async fn what_is_not_whole_yet_is_left_alone() {
    let both = Both::open().await;
    both.bundle(1, 4).await;
    let whole = both.place("ruvvo-000001");
    std::fs::rename(&whole, both.place(".ruvvo-000001")).unwrap();
    std::fs::create_dir(both.place("empty")).unwrap();
    assert_eq!(both.desk.look().await.unwrap(), 0);
    std::fs::rename(both.place(".ruvvo-000001"), &whole).unwrap();
    assert_eq!(both.desk.look().await.unwrap(), 1);
}

#[tokio::test]
async fn an_audit_that_was_cut_or_written_anew_is_refused_by_who_holds_its_end() {
    let both = Both::open().await;
    let did = |what: &'static str| Note::done("s-1", what, "x");
    for what in ["alert_read", "search", "sign_out"] {
        both.server.note(did(what), now()).await.unwrap();
    }
    both.bundle(1, 4).await;
    assert_eq!(both.desk.look().await.unwrap(), 1);
    let receipt = both.receipt(&both.place("ruvvo-000001"));
    let audit = receipt.checks.iter().find(|check| check.name == "audit").unwrap();
    assert_eq!((audit.passed, audit.detail.as_str()), (true, "3 entries, the last is 3"));
    // Somebody who manages the database takes the rules out, and with them the whole audit; what is
    // written since is a chain of its own that holds in itself.
    let file = both.directory.path().join("server/server.sqlite");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut thief = sqlx::ConnectOptions::connect(&options).await.unwrap();
    for text in [
        "DROP TRIGGER audit_not_removed",
        "DELETE FROM audit",
        "UPDATE counter SET value = 0 WHERE name = 'audit'",
    ] {
        sqlx::query(text).execute(&mut thief).await.unwrap();
    }
    both.server.note(did("sign_in"), now()).await.unwrap();
    assert!(both.server.verify_audit().await.unwrap().is_ok(), "here nothing is to be seen of it");
    both.bundle(5, 6).await;
    assert_eq!(both.desk.look().await.unwrap(), 1);
    assert_eq!(both.failed(&both.place("refused/ruvvo-000002")), ["continuity"]);
}
