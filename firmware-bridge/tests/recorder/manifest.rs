//! The server's manifest of policy and lists at the station.

use std::collections::BTreeMap;

use tidewaiter_bridge::station::Station;
use tidewaiter_bridge::sync::policy::Policy;
use tidewaiter_proto::manifest::Manifest;
use tidewaiter_proto::signing::Signing;
use tokio_util::sync::CancellationToken;

use crate::common::station;

fn payload(
    signing: &Signing,
    serial: u64,
    policy: &str,
    lists: &BTreeMap<String, String>,
) -> Vec<u8> {
    let since = "2018-11-16T03:00:00Z".parse().unwrap();
    let (policy, lists) = (policy.to_owned(), lists.clone());
    let manifest = Manifest { serial, since, policy, lists };
    serde_json::to_vec(&manifest.sign(signing).unwrap()).unwrap()
}

fn notices(station: &Station) -> Vec<String> {
    station.health().notices
}

#[tokio::test]
async fn a_manifest_is_believed_by_its_signature_and_never_an_older_one_again() {
    let (folder, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let station = station(folder.path(), &stop);
    let server = Signing::from_seed(&[3; 32]);
    let mut policy = Policy::open(server.verifying(), &station);
    let own = station.applied().clone();
    let same = payload(&server, 10, &own.policy, &own.lists);

    policy.heard(&same, &station).await;
    assert_eq!(policy.known().map(|known| known.serial), Some(10));
    assert_eq!(notices(&station), Vec::<String>::new(), "the station judges by the same");

    let forged = payload(&Signing::from_seed(&[4; 32]), 99, "theirs", &own.lists);
    policy.heard(&forged, &station).await;
    assert_eq!(policy.known().map(|known| known.serial), Some(10));
    assert!(notices(&station)[0].contains("does not verify"), "{:?}", notices(&station));

    let mut lists = own.lists.clone();
    lists.insert("un".to_owned(), "2018-11-15".to_owned());
    let newer = payload(&server, 11, &own.policy, &lists);
    policy.heard(&newer, &station).await;
    assert_eq!(policy.known().map(|known| known.serial), Some(11));
    let said = notices(&station).pop().unwrap();
    assert!(said.contains("the server judges under list un 2018-11-15 (here "), "{said}");

    // The retained one of before, played again by a broker; also after a restart.
    policy.heard(&same, &station).await;
    let mut reopened = Policy::open(server.verifying(), &station);
    reopened.heard(&same, &station).await;
    for policy in [&policy, &reopened] {
        assert_eq!(policy.known().map(|known| known.serial), Some(11));
    }
    let said = notices(&station).pop().unwrap();
    assert!(said.contains("manifest 10 is older than manifest 11"), "{said}");
    stop.cancel();
}
