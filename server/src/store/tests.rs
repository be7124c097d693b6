//! The store contract: what every engine behind [`Store`] must do.

use jiff::Timestamp;
use proptest::prelude::*;
use tidewaiter_proto::alert::{Alert, AlertCode, AlertState, Severity};
use tidewaiter_proto::batch::{Batch, BatchKey, build};
use tidewaiter_proto::chain::{ChainHash, Head, link};
use tidewaiter_proto::presence::Presence;
use tidewaiter_proto::record::{ClockQuality, Draft, Source};
use tidewaiter_proto::seal::{BodyKey, KeyId, ServerSecret};
use tidewaiter_proto::signing::Signing;
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::stored::seal;
use tidewaiter_proto::sync::finding::Finding;
use tidewaiter_proto::sync::server::Judgement;

use super::{
    Act, ActError, Action, AlertFilter, LedgerFinding, Pending, PendingWork, Store, Upserted,
};

/// A station that makes records as a bridge does.
pub(crate) struct Sender {
    pub(crate) station: StationId,
    pub(crate) signing: Signing,
    pub(crate) server: ServerSecret,
    pub(crate) epoch: u64,
    keys: Vec<BatchKey>,
    records: Vec<Vec<u8>>,
    hashes: Vec<ChainHash>,
}

impl Sender {
    pub(crate) fn new(station: &str) -> Self {
        let station: StationId = station.parse().unwrap();
        let server = ServerSecret::from_bytes([9; 32]);
        let wrapped = |inspection| {
            let (id, key) = Self::body_key(inspection);
            (id, key.wrap_for_server(id, &server.public(), [2; 32]))
        };
        Self {
            keys: vec![wrapped("a"), wrapped("b")],
            hashes: vec![Head::genesis(&station, 1).hash],
            station,
            signing: Signing::from_seed(&[5; 32]),
            server,
            epoch: 1,
            records: Vec::new(),
        }
    }

    pub(crate) fn body_key(inspection: &str) -> (KeyId, BodyKey) {
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(inspection.bytes().chain([1; 16])) {
            *to = from;
        }
        (KeyId(id), BodyKey::from_bytes([3; 32]))
    }

    pub(crate) fn record(&mut self, inspection: &str, body: &str) {
        self.record_at(inspection, body, "2018-11-16T03:12:45Z".parse().unwrap());
    }

    pub(crate) fn record_at(&mut self, inspection: &str, body: &str, at: Timestamp) {
        self.seal(inspection, Some(inspection.to_owned()), body, at);
    }

    /// A record that belongs to no inspection.
    pub(crate) fn loose(&mut self, body: &str, at: Timestamp) {
        self.seal("b", None, body, at);
    }

    fn seal(&mut self, key_name: &str, inspection: Option<String>, body: &str, at: Timestamp) {
        let value: serde_json::Value = serde_json::from_str(body).unwrap();
        let draft = Draft {
            at,
            clock: ClockQuality::Synced,
            inspection,
            source: Source::Officer("o-11".to_owned()),
            subject: None,
            type_name: value["type"].as_str().unwrap().to_owned(),
            body_json: body.to_owned(),
        };
        let (id, key) = Self::body_key(key_name);
        let seq = self.records.len() as u64 + 1;
        let stored = seal(&self.station, self.epoch, seq, &draft, id, &key, &[7; 24]).unwrap();
        self.hashes.push(link(*self.hashes.last().unwrap(), &stored));
        self.records.push(stored);
    }

    pub(crate) fn notes(&mut self, count: usize) {
        for number in 0..count {
            self.record("a", &format!(r#"{{"type":"note_added","text":"{number}"}}"#));
        }
    }

    /// Forgets records from `seq` on, as a restored disk does.
    pub(crate) fn forget_from(&mut self, seq: usize) {
        self.records.truncate(seq - 1);
        self.hashes.truncate(seq);
    }

    pub(crate) fn head(&self) -> Head {
        Head { seq: self.records.len() as u64, hash: *self.hashes.last().unwrap() }
    }

    pub(crate) fn bytes(&self, from: usize, to: usize) -> Vec<u8> {
        build(
            &self.station,
            self.epoch,
            from as u64,
            self.hashes[from - 1],
            &self.keys,
            &self.records[from - 1..to],
            &self.signing,
        )
        .unwrap()
    }

    pub(crate) fn batch(&self, from: usize, to: usize) -> Batch {
        Batch::verify(&self.bytes(from, to), &self.signing.verifying()).unwrap()
    }

    pub(crate) fn presence(&self) -> Presence {
        let mut presence = Presence {
            online: true,
            epoch: self.epoch,
            seq: self.head().seq,
            head: self.head().hash,
            session: 1,
            beat: 1,
            answers: None,
            contradicted: false,
            at: None,
            version: "0.1.0".to_owned(),
            backlog: 0,
            policy: "p".to_owned(),
            lists: std::collections::BTreeMap::new(),
            clock: ClockQuality::Synced,
            signature: String::new(),
        };
        presence.sign(&self.station, &self.signing);
        presence
    }
}

pub(crate) fn now() -> Timestamp {
    "2018-11-16T04:00:00Z".parse().unwrap()
}

pub(crate) async fn fresh() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("server.sqlite")).await.unwrap();
    (directory, store)
}

#[tokio::test]
async fn the_same_batch_twice_is_stored_once() {
    let (_directory, store) = fresh().await;
    let mut sender = Sender::new("ruvvo/dep-07");
    sender.notes(3);
    assert_eq!(store.accept(&sender.batch(1, 3), now()).await.unwrap().new_records(), 3);
    let second = store.accept(&sender.batch(1, 3), now()).await.unwrap();
    assert_eq!(second.new_records(), 0);
    assert_eq!(second.life.verified(), sender.head());
    assert_eq!(store.last_arrival().await.unwrap(), 3);
}

#[tokio::test]
async fn what_was_accepted_is_there_after_the_store_is_opened_again() {
    let (directory, store) = fresh().await;
    let mut sender = Sender::new("ruvvo/dep-07");
    sender.notes(3);
    store.accept(&sender.batch(1, 3), now()).await.unwrap();
    store.close().await;
    let store = Store::open(&directory.path().join("server.sqlite")).await.unwrap();
    assert_eq!(store.life(&sender.station, 1).await.unwrap().verified(), sender.head());
    assert_eq!(store.pending_count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_gap_is_stated_and_closes_when_its_records_come() {
    let (_directory, store) = fresh().await;
    let mut sender = Sender::new("ruvvo/dep-07");
    sender.notes(9);
    store.accept(&sender.batch(7, 9), now()).await.unwrap();
    store.accept(&sender.batch(1, 3), now()).await.unwrap();
    let standing = store.standing(&sender.station, 1).await.unwrap();
    assert_eq!(standing.ranges().as_slice(), [(1, 3), (7, 9)]);
    assert_eq!(standing.verified.seq, 3);
    let after = store.accept(&sender.batch(2, 8), now()).await.unwrap();
    assert_eq!(after.new_records(), 3);
    assert_eq!(after.life.verified(), sender.head());
    let lives = store.lives(&sender.station).await.unwrap();
    assert_eq!(lives.len(), 1);
    assert_eq!(lives[0].ranges().as_slice(), [(1, 9)]);
}

#[tokio::test]
async fn a_batch_that_contradicts_is_kept_beside_and_changes_nothing() {
    let (_directory, store) = fresh().await;
    let mut sender = Sender::new("ruvvo/dep-07");
    sender.notes(3);
    store.accept(&sender.batch(1, 3), now()).await.unwrap();
    let (before, arrivals) = (sender.head(), store.last_arrival().await.unwrap());
    sender.forget_from(3);
    sender.record("a", r#"{"type":"note_added","text":"another story"}"#);
    sender.notes(2);
    let same_number = store.accept(&sender.batch(3, 3), now()).await.unwrap();
    assert_eq!(same_number.judgement, Judgement::Branch { at: 3 });
    let next_number = store.accept(&sender.batch(4, 5), now()).await.unwrap();
    assert_eq!(next_number.judgement, Judgement::Branch { at: 4 });
    let standing = store.standing(&sender.station, 1).await.unwrap();
    assert_eq!(standing.verified, before);
    assert_eq!(standing.ranges().as_slice(), [(1, 3)]);
    let kept: Vec<_> = standing.kept.iter().map(|held| (held.from, held.to)).collect();
    assert_eq!(kept, [(3, 3), (4, 5)]);
    assert_eq!(standing.kept[1].hash, sender.head().hash);
    assert_eq!(store.last_arrival().await.unwrap(), arrivals);
    // The program may be killed before it says a word: the alarm is on disk with the branch.
    let waiting = store.pending(10).await.unwrap();
    let forks: Vec<_> = waiting
        .iter()
        .filter_map(|pending| match &pending.work {
            PendingWork::Ledger(_, LedgerFinding::Fork { seq, branch_seq, .. }) => {
                Some((*seq, *branch_seq))
            }
            _ => None,
        })
        .collect();
    assert_eq!(forks, [(3, 3), (4, 5)]);
}

#[tokio::test]
async fn a_first_record_without_the_genesis_hash_is_never_taken() {
    let (_directory, store) = fresh().await;
    let mut sender = Sender::new("ruvvo/dep-07");
    sender.hashes = vec![ChainHash([1; 32])];
    sender.notes(2);
    let after = store.accept(&sender.batch(1, 2), now()).await.unwrap();
    assert_eq!(after.judgement, Judgement::Branch { at: 1 });
    assert_eq!(after.life.verified(), Head::genesis(&sender.station, 1));
}

#[tokio::test]
async fn what_is_new_is_assessed_before_what_fills_in_the_past() {
    let (_directory, store) = fresh().await;
    let mut sender = Sender::new("ruvvo/dep-07");
    for inspection in ["a", "c", "d", "e"] {
        sender.record(inspection, r#"{"type":"note_added","text":"said"}"#);
    }
    // The new record first, as after an outage; then the backlog, and another new one amid it.
    for (from, to) in [(3, 3), (1, 2), (4, 4)] {
        store.accept(&sender.batch(from, to), now()).await.unwrap();
    }
    let waiting = async || store.pending(10).await.unwrap();
    let names = |waiting: &[Pending]| -> Vec<u8> {
        let key = |pending: &Pending| match &pending.work {
            PendingWork::Inspection(_, key) => key[0],
            PendingWork::Ledger(..) => b'?',
        };
        waiting.iter().map(key).collect()
    };
    assert_eq!(names(&waiting().await), b"de");
    // What waits behind comes forward with a new record of its own.
    sender.record("c", r#"{"type":"note_added","text":"and again"}"#);
    store.accept(&sender.batch(5, 5), now()).await.unwrap();
    assert_eq!(names(&waiting().await), b"dec");
    for pending in waiting().await {
        store.drop_pending(pending).await.unwrap();
    }
    assert_eq!(names(&waiting().await), b"a");
}

#[tokio::test]
async fn what_the_sync_finds_waits_for_its_alert() {
    let (_directory, store) = fresh().await;
    let mut sender = Sender::new("ruvvo/dep-07");
    sender.notes(3);
    let fork = Finding::Fork {
        station: sender.station.clone(),
        epoch: 1,
        seq: 2,
        branch: sender.batch(2, 3).signed,
    };
    store.raise(&fork).await.unwrap();
    store.raise(&fork).await.unwrap();
    let waiting = store.pending(10).await.unwrap();
    assert_eq!(waiting.len(), 1);
    let PendingWork::Ledger(_, LedgerFinding::Fork { seq: 2, branch_seq: 3, .. }) =
        &waiting[0].work
    else {
        panic!("{waiting:?}")
    };
}

#[tokio::test]
async fn a_presence_stands_until_the_next() {
    let (_directory, store) = fresh().await;
    let mut sender = Sender::new("ruvvo/dep-07");
    sender.notes(1);
    store.register_station(&sender.station, sender.signing.verifying(), now()).await.unwrap();
    store.presence(&sender.station, &sender.presence(), now()).await.unwrap();
    let row = store.station(&sender.station).await.unwrap().unwrap();
    assert!(row.online);
    assert_eq!((row.seen_at, row.presence), (Some(now()), Some(sender.presence())));
}

#[tokio::test]
async fn a_revoked_station_has_no_key() {
    let (_directory, store) = fresh().await;
    let sender = Sender::new("ruvvo/dep-07");
    let key = sender.signing.verifying();
    assert_eq!(store.station_key(&sender.station).await.unwrap(), None);
    store.register_station(&sender.station, key, now()).await.unwrap();
    assert_eq!(store.station_key(&sender.station).await.unwrap(), Some(key));
    assert!(store.revoke_station(&sender.station, now()).await.unwrap());
    assert_eq!(store.station_key(&sender.station).await.unwrap(), None);
}

#[tokio::test]
async fn the_quarantine_keeps_the_latest_and_no_more() {
    let (_directory, store) = fresh().await;
    let reasons: Vec<String> =
        (0..super::quarantine::KEPT_MAX + 5).map(|number| format!("refused {number}")).collect();
    // Asked for together, they share their commits.
    for group in reasons.chunks(64) {
        let kept = group.iter().map(|reason| store.quarantine("t", b"x", reason, now()));
        futures_util::future::try_join_all(kept).await.unwrap();
    }
    let kept = store.quarantined(5000).await.unwrap();
    assert_eq!(kept.len(), 1000);
    assert_eq!(kept[0].reason, "refused 1004");
}

#[tokio::test]
async fn work_asked_for_again_meanwhile_stays_waiting() {
    let (_directory, store) = fresh().await;
    let mut sender = Sender::new("ruvvo/dep-07");
    sender.notes(2);
    store.accept(&sender.batch(1, 1), now()).await.unwrap();
    let taken = store.pending(10).await.unwrap().remove(0);
    store.accept(&sender.batch(2, 2), now()).await.unwrap();
    store.drop_pending(taken).await.unwrap();
    let again = store.pending(10).await.unwrap();
    assert_eq!(again.len(), 1);
    store.drop_pending(again[0].clone()).await.unwrap();
    assert_eq!(store.pending_count().await.unwrap(), 0);
}

pub(crate) fn alert(severity: Severity) -> Alert {
    Alert {
        id: "undeclared_cash-ruvvo-dep-07-a".to_owned(),
        code: AlertCode::UndeclaredCash,
        severity,
        score: 50,
        station: "ruvvo/dep-07".parse().unwrap(),
        inspection: Some("a".to_owned()),
        subject: None,
        amount: None,
        outcomes: Vec::new(),
        reasons: Vec::new(),
        hits: Vec::new(),
        group: Vec::new(),
        lists: None,
        state: AlertState::New,
        raised_at: now(),
    }
}

fn decided(officer: &str, action: Action, reason: &str, text: &str, version: i64) -> Act {
    let (officer, reason, text) = (officer.to_owned(), reason.to_owned(), text.to_owned());
    Act { action, officer, version, reason, text, to: String::new(), until: None }
}

fn work() -> Pending {
    let station = "ruvvo/dep-07".parse().unwrap();
    Pending { number: 0, work: PendingWork::Inspection(station, [0; 16]) }
}

#[tokio::test]
async fn assessment_never_reopens_what_was_closed_and_passes_up_what_grew() {
    let (_directory, store) = fresh().await;
    let put = |severity| store.put_ledger_alert(work(), alert(severity), now());
    assert_eq!(put(Severity::High).await.unwrap(), Upserted::Raised);
    assert_eq!(put(Severity::High).await.unwrap(), Upserted::Same);
    let id = alert(Severity::High).id;
    let close = store
        .act(&id, &decided("s-1", Action::Close, "cleared", "", 1), None, now())
        .await
        .unwrap();
    assert_eq!((close.alert.state, close.version), (AlertState::Closed, 2));
    assert_eq!(put(Severity::Medium).await.unwrap(), Upserted::Altered);
    assert_eq!(store.alert(&id).await.unwrap().unwrap().alert.state, AlertState::Closed);
    assert_eq!(put(Severity::Critical).await.unwrap(), Upserted::Escalated);
    assert_eq!(store.alert(&id).await.unwrap().unwrap().alert.state, AlertState::Escalated);
    let history = store.decisions(&id).await.unwrap();
    let actions: Vec<&str> = history.iter().map(|line| line.action.as_str()).collect();
    assert_eq!(actions, ["raised", "close", "altered", "escalated"]);
}

#[tokio::test]
async fn two_people_cannot_decide_on_the_same_version() {
    let (_directory, store) = fresh().await;
    store.put_ledger_alert(work(), alert(Severity::High), now()).await.unwrap();
    let id = alert(Severity::High).id;
    store.act(&id, &decided("s-1", Action::Claim, "", "", 1), None, now()).await.unwrap();
    let late = store.act(&id, &decided("s-2", Action::Close, "cleared", "", 1), None, now()).await;
    let Err(ActError::Changed { seen: 1, current }) = late else { panic!("{late:?}") };
    assert_eq!(current.assignee.as_deref(), Some("s-1"));
    assert_eq!(store.decisions(&id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn closing_needs_a_reason_and_a_closed_alert_takes_only_comments() {
    let (_directory, store) = fresh().await;
    store.put_ledger_alert(work(), alert(Severity::High), now()).await.unwrap();
    let id = alert(Severity::High).id;
    let bare = store.act(&id, &decided("s-1", Action::Close, "", "", 1), None, now()).await;
    assert!(matches!(bare, Err(ActError::Incomplete(_))));
    store.act(&id, &decided("s-1", Action::Close, "seized", "", 1), None, now()).await.unwrap();
    let again = store.act(&id, &decided("s-1", Action::Claim, "", "", 2), None, now()).await;
    assert!(matches!(again, Err(ActError::NotNow { .. })));
    store.act(&id, &decided("s-1", Action::Comment, "", "sealed", 2), None, now()).await.unwrap();
    let none = store.act("no", &decided("s-1", Action::Claim, "", "", 1), None, now()).await;
    assert!(matches!(none, Err(ActError::Unknown(_))));
}

#[tokio::test]
async fn pages_of_alerts_hold_each_alert_once_gravest_first() {
    let (_directory, store) = fresh().await;
    for number in 0..25 {
        let severity = if number % 3 == 0 { Severity::Critical } else { Severity::Low };
        let alert = Alert { id: format!("a_{number:02}"), ..alert(severity) };
        store.put_ledger_alert(work(), alert, now()).await.unwrap();
    }
    let (mut seen, mut after) = (Vec::new(), None::<String>);
    loop {
        let filter = AlertFilter::default();
        let page = store.alerts(&filter, after.as_deref(), 7).await.unwrap();
        seen.extend(page.rows.into_iter().map(|row| (row.alert.severity, row.alert.id)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 25);
    assert!(seen.is_sorted_by_key(|(severity, _)| std::cmp::Reverse(*severity)));
    let only = AlertFilter { severity: "critical,high".to_owned(), ..AlertFilter::default() };
    assert_eq!(store.alerts(&only, None, 100).await.unwrap().rows.len(), 9);
    let site = AlertFilter { site: "nosuch".to_owned(), ..AlertFilter::default() };
    assert!(store.alerts(&site, None, 100).await.unwrap().rows.is_empty());
    let text = AlertFilter { text: "UNDECLARED%".to_owned(), ..AlertFilter::default() };
    assert!(store.alerts(&text, None, 100).await.unwrap().rows.is_empty(), "% is a character");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However a ledger is cut into batches, ordered and repeated, all of it arrives once.
    #[test]
    fn any_order_of_batches_ends_with_the_whole_ledger_once(
        cuts in proptest::collection::vec((1usize..=20, 1usize..=8), 1..30),
        seed in 0usize..20,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_directory, store) = fresh().await;
            let mut sender = Sender::new("ruvvo/dep-07");
            sender.notes(20);
            let cut = cuts.into_iter().map(|(from, length)| (from, (from + length).min(20)));
            let rest = (1..=20).map(|seq| (seq + seed) % 20 + 1).map(|seq| (seq, seq));
            let batches: Vec<_> = cut.chain(rest).map(|(from, to)| sender.batch(from, to)).collect();
            // Asked for together, they are taken in this order and share their commits.
            let accepting = batches.iter().map(|batch| store.accept(batch, now()));
            let accepted = futures_util::future::try_join_all(accepting).await.unwrap();
            let new: u64 = accepted.iter().map(super::Accepted::new_records).sum();
            assert_eq!(new, 20);
            let standing = store.standing(&sender.station, 1).await.unwrap();
            assert_eq!(standing.ranges().as_slice(), [(1, 20)]);
            assert_eq!(standing.verified, sender.head());
        });
    }
}

/// It was once looked for among all the station's records, in their order.
#[tokio::test]
async fn the_records_of_a_key_are_found_by_the_key() {
    let (_directory, store) = fresh().await;
    let plan = format!("EXPLAIN QUERY PLAN {}", super::inspection::RECORDS_OF_KEY);
    let steps: Vec<(i64, i64, i64, String)> = sqlx::query_as(sqlx::AssertSqlSafe(plan))
        .bind("ruvvo/dep-07")
        .bind([0_u8; 16].as_slice())
        .bind(10)
        .fetch_all(&store.readers)
        .await
        .unwrap();
    let steps: Vec<String> = steps.into_iter().map(|(.., step)| step).collect();
    assert_eq!(steps, ["SEARCH record USING INDEX record_key (station=? AND key_id=?)"]);
}
