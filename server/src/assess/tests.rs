//! The assessor over a real store: control of movements, old lists, and a law that changes.

use tidewaiter_proto::alert::{AlertCode, Severity};
use tidewaiter_risk::lists::plain;
use tidewaiter_risk::lists::{ListBundle, SourceFile, write_bundle};

use super::Assessor;
use crate::authority::Authority;
use crate::clock::Clock;
use crate::configuration::Policy;
use crate::inspection::Opener;
use crate::law::force::Force;
use crate::store::tests::Sender;
use crate::store::{AlertRow, Store};

const MOVEMENT: &str = r#"{"mode":"air","carrier":"JS","number":"272","from":"VVO","to":"FNJ",
    "scheduled":"2026-02-02T09:00:00Z"}"#;

struct Bench {
    directory: tempfile::TempDir,
    store: Store,
    sender: Sender,
    clock: Clock,
    sent: usize,
    /// The law of the server that was started last.
    force: Option<Force>,
}

impl Bench {
    async fn new(now: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("store.sqlite")).await.unwrap();
        let clock = Clock::demonstration(now.parse().unwrap());
        let sender = Sender::new("ruvvo/dep-07");
        Self { directory, store, sender, clock, sent: 0, force: None }
    }

    fn loose(&mut self, body: &str, at: &str) {
        let at: jiff::Timestamp = at.parse().unwrap();
        self.sender.loose(body, at);
    }

    fn record(&mut self, inspection: &str, body: &str, at: &str) {
        let at: jiff::Timestamp = at.parse().unwrap();
        self.sender.record_at(inspection, body, at);
    }

    /// A traveller of the flight who was scanned.
    fn inspected(&mut self, inspection: &str, at: &str) {
        let opened = format!(
            r#"{{"type":"inspection_opened","direction":"exit","role":"passenger","movement":{MOVEMENT}}}"#
        );
        self.record(inspection, &opened, at);
        self.record(
            inspection,
            r#"{"type":"scan_result","modality":"xray","decision":"clear","objects":[]}"#,
            at,
        );
    }

    async fn send(&mut self) {
        let head = usize::try_from(self.sender.head().seq).unwrap();
        let batch = self.sender.batch(self.sent + 1, head);
        self.store.accept(&batch, self.clock.now()).await.unwrap();
        self.sent = head;
    }

    /// A server that starts now, with these lists or the built-in ones.
    async fn start(&mut self, lists: Option<&[ListBundle]>) -> Assessor {
        let mut policy = Policy { jurisdiction: Some("RU".to_owned()), ..Policy::default() };
        if let Some(lists) = lists {
            policy.lists = Some(self.write(lists));
        }
        let authority = Authority::open(&self.directory.path().join("keys")).unwrap();
        let force = Force::open(&policy, &self.store).await.unwrap();
        self.force = Some(force.clone());
        let opener = Opener::new(self.store.clone(), self.sender.server.clone());
        let (store, law, clock) = (self.store.clone(), policy.jurisdiction, self.clock.clone());
        let mut assessor = Assessor::new(store, opener, force, law, &authority, clock);
        assessor.remember().await.unwrap();
        assessor.law_changed().await.unwrap();
        assessor.watch_again().await.unwrap();
        assessor
    }

    /// Puts these lists where the server looks for them, in place of others.
    fn write(&self, lists: &[ListBundle]) -> std::path::PathBuf {
        let folder = self.directory.path().join("lists");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for list in lists {
            let file = folder.join(format!("{}.list.json", list.name));
            std::fs::write(file, write_bundle(list)).unwrap();
        }
        folder
    }

    /// The running server looks whether its law has changed.
    async fn look(&self) {
        self.force.as_ref().unwrap().look().await.unwrap();
    }

    async fn all(&self, assessor: &mut Assessor) {
        while assessor.work().await.unwrap() > 0 {}
        assessor.look_at_movements().await.unwrap();
    }

    async fn alerts(&self, code: AlertCode) -> Vec<AlertRow> {
        let filter = crate::store::AlertFilter::default();
        let page = self.store.alerts(&filter, None, 100).await.unwrap();
        page.rows.into_iter().filter(|row| row.alert.code == code && row.standing).collect()
    }

    fn set(&self, now: &str) {
        assert!(self.clock.set(now.parse().unwrap()));
    }
}

#[tokio::test]
async fn a_flight_that_left_unwatched_is_a_gap_until_late_records_show_that_it_was_not() {
    let mut bench = Bench::new("2026-02-02T10:00:00Z").await;
    let mut assessor = bench.start(None).await;
    let seen = format!(r#"{{"type":"movement_seen","movement":{MOVEMENT}}}"#);
    bench.loose(&seen, "2026-02-02T05:00:00Z");
    bench.send().await;
    bench.all(&mut assessor).await;
    assert!(bench.alerts(AlertCode::CoverageGap).await.is_empty(), "records may still come");
    bench.set("2026-02-02T15:00:00Z");
    bench.all(&mut assessor).await;
    let gap = bench.alerts(AlertCode::CoverageGap).await;
    assert_eq!(gap.len(), 1, "{gap:?}");
    assert!(gap[0].alert.sentence().contains("0 of 2"), "{}", gap[0].alert.sentence());
    // A server that starts again does not say it twice.
    let mut assessor = bench.start(None).await;
    bench.all(&mut assessor).await;
    assert_eq!(bench.alerts(AlertCode::CoverageGap).await.len(), 1);
    bench.inspected("a", "2026-02-02T08:00:00Z");
    bench.inspected("b", "2026-02-02T08:10:00Z");
    bench.send().await;
    bench.all(&mut assessor).await;
    assert!(bench.alerts(AlertCode::CoverageGap).await.is_empty(), "two of them were inspected");
}

#[tokio::test]
async fn a_decision_under_old_lists_is_said_once_for_the_station() {
    let mut bench = Bench::new("2026-02-20T10:00:00Z").await;
    let mut assessor = bench.start(None).await;
    let applied = |day: &str| {
        format!(r#"{{"type":"policy_applied","policy":"p","lists":{{"ofac":"{day} abc"}}}}"#)
    };
    bench.loose(&applied("2026-02-01"), "2026-02-01T05:00:00Z");
    bench.inspected("a", "2026-02-08T08:00:00Z");
    bench.send().await;
    bench.all(&mut assessor).await;
    assert!(bench.alerts(AlertCode::StaleLists).await.is_empty(), "seven days are fresh enough");
    bench.inspected("b", "2026-02-09T08:00:00Z");
    bench.send().await;
    bench.all(&mut assessor).await;
    let stale = bench.alerts(AlertCode::StaleLists).await;
    assert_eq!(stale.len(), 1, "{stale:?}");
    assert_eq!(stale[0].alert.inspection.as_deref(), Some("b"));
    // A server that starts again finds what the station had applied in its store.
    let mut assessor = bench.start(None).await;
    bench.inspected("b", "2026-02-09T08:30:00Z");
    bench.send().await;
    bench.all(&mut assessor).await;
    assert_eq!(bench.alerts(AlertCode::StaleLists).await.len(), 1);
    bench.loose(&applied("2026-02-19"), "2026-02-19T05:00:00Z");
    bench.inspected("a", "2026-02-20T08:00:00Z");
    bench.send().await;
    bench.all(&mut assessor).await;
    let stale = bench.alerts(AlertCode::StaleLists).await;
    assert_eq!(stale.len(), 1, "the new lists are fresh: {stale:?}");
}

fn list(rows: &str) -> ListBundle {
    let text = format!(
        "entry,kind,name,aliases,programme,listed_on,birth_dates,nationalities,identifiers,addresses,note\n{rows}"
    );
    let file = SourceFile { name: "own.csv", bytes: text.as_bytes() };
    plain::import(&[file], "own", "2026-02-01".parse().unwrap(), "test").unwrap()
}

const DECLARED: &str = r#"{"type":"declaration_made","reference":"RU-1","form":"eaeu",
    "items":[{"kind":"currency","currency":"USD","amount":"20000"}],"owner":"self","recipient":
    {"kind":"organisation","name":"Zhelty Parus Shipping"},"provenance":["business"],
    "intended_use":["wages"],"signed_at":"2026-02-02T08:00:00Z"}"#;

#[tokio::test]
async fn a_list_that_changes_is_held_against_old_records_and_said_so_once() {
    let mut bench = Bench::new("2026-02-02T10:00:00Z").await;
    let before = list("o-1,organisation,Quite Another Company,,,,,,,,\n");
    let mut assessor = bench.start(Some(&[before])).await;
    bench.inspected("a", "2026-02-02T08:00:00Z");
    bench.record("a", DECLARED, "2026-02-02T08:01:00Z");
    bench.send().await;
    bench.all(&mut assessor).await;
    assert!(bench.alerts(AlertCode::ListMatch).await.is_empty());
    // The same law again asks for nothing.
    drop(assessor);
    let before = list("o-1,organisation,Quite Another Company,,,,,,,,\n");
    drop(bench.start(Some(&[before])).await);
    assert_eq!(bench.store.pending_count().await.unwrap(), 0);
    let after = || {
        list(
            "o-1,organisation,Quite Another Company,,,,,,,,\no-2,organisation,Zhelty Parus Shipping,,,,,,,,\n",
        )
    };
    let mut assessor = bench.start(Some(&[after()])).await;
    assert_eq!(bench.store.pending_count().await.unwrap(), 1);
    bench.set("2026-02-05T10:00:00Z");
    bench.all(&mut assessor).await;
    assert_eq!(bench.alerts(AlertCode::ListMatch).await.len(), 1);
    let retro = bench.alerts(AlertCode::RetroMatch).await;
    assert_eq!(retro.len(), 1, "{retro:?}");
    assert_eq!((retro[0].alert.severity, retro[0].alert.hits.len()), (Severity::High, 1));
    assert_eq!(retro[0].alert.hits[0].entry, "o-2");
    assert_eq!(bench.store.activations(10).await.unwrap().len(), 2);
    // Assessed once more it stands, as it was, and there is no second one.
    bench.store.ask_again().await.unwrap();
    bench.all(&mut assessor).await;
    let again = bench.alerts(AlertCode::RetroMatch).await;
    assert_eq!((again.len(), again[0].version), (1, retro[0].version));
    // Off the list, off the desk.
    let mut assessor =
        bench.start(Some(&[list("o-1,organisation,Quite Another Company,,,,,,,,\n")])).await;
    bench.all(&mut assessor).await;
    assert!(bench.alerts(AlertCode::RetroMatch).await.is_empty());
    assert!(bench.alerts(AlertCode::ListMatch).await.is_empty());
}

const ANOTHER: &str = "o-1,organisation,Quite Another Company,,,,,,,,\n";

#[tokio::test]
async fn a_list_that_arrives_while_the_server_runs_is_held_against_old_records() {
    let mut bench = Bench::new("2026-02-02T10:00:00Z").await;
    let mut assessor = bench.start(Some(&[list(ANOTHER)])).await;
    bench.record("a", DECLARED, "2026-02-02T08:01:00Z");
    bench.send().await;
    bench.all(&mut assessor).await;
    assert!(bench.alerts(AlertCode::ListMatch).await.is_empty());
    // What is not valid leaves the lists in force alone.
    let folder = bench.write(&[list(ANOTHER)]);
    std::fs::write(folder.join("own.list.json"), "{").unwrap();
    bench.look().await;
    bench.all(&mut assessor).await;
    assert_eq!(bench.store.activations(10).await.unwrap().len(), 1);
    bench.write(&[list(&format!("{ANOTHER}o-2,organisation,Zhelty Parus Shipping,,,,,,,,\n"))]);
    bench.set("2026-02-05T10:00:00Z");
    bench.look().await;
    bench.all(&mut assessor).await;
    let retro = bench.alerts(AlertCode::RetroMatch).await;
    assert_eq!(retro.len(), 1, "{retro:?}");
    assert_eq!(retro[0].alert.hits[0].entry, "o-2");
    assert_eq!(bench.store.activations(10).await.unwrap().len(), 2);
}
