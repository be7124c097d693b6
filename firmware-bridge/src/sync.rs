//! Records to the server: drives the protocol of [`tidewaiter_proto::sync::station`] over MQTT.
//!
//! The protocol decides, this carries out: one loop hands over what happened and does what it is
//! told. What the network lost is read from the ledger again; nothing is kept here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use rumqttc::v5::MqttOptions;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::LastWill;
use rumqttc::{TlsConfiguration, Transport};
use tidewaiter_ledger::ReadError;
use tidewaiter_proto::batch::{BATCH_BYTES_MAX, Place, pack};
use tidewaiter_proto::body::{Body, DeviceState};
use tidewaiter_proto::presence::Presence;
use tidewaiter_proto::record::{ClockQuality, Source};
use tidewaiter_proto::seal::random;
use tidewaiter_proto::signing::{Signing, Verifying};
use tidewaiter_proto::sync::finding::Finding;
use tidewaiter_proto::sync::station::{
    Announcement, Effect, Order, Pace, Question, Station as Protocol,
};
use tidewaiter_proto::topic::Topic;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::mqtt::{Connection, Heard};
use crate::officers::Officers;
use crate::station::Station;

mod order;
pub mod policy;

use policy::Policy;

/// How the server is reached.
pub struct SyncSettings {
    /// Where it takes stations.
    pub broker: (String, u16),
    /// With which certificates.
    pub tls: Arc<rustls::ClientConfig>,
    /// What batches and presence are signed with.
    pub signing: Signing,
    /// What the server's receipts are checked with.
    pub server: Verifying,
    /// How fast.
    pub pace: Pace,
    /// How long records stay here that the server has.
    pub retention: SignedDuration,
    /// Who may sign in here, as the server says.
    pub officers: Officers,
}

/// Brings records to the server until `stop`.
///
/// # Errors
/// When the ledger cannot be read at the start, or there are no random bytes.
pub async fn run(
    settings: SyncSettings,
    station: Station,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut sync = Sync::new(settings, station)?;
    let mut heads = sync.station.ledger().heads();
    loop {
        while let Some(effect) = sync.protocol.effect() {
            sync.perform(effect).await?;
        }
        let now = sync.now();
        sync.station.progress(sync.protocol.progress(now));
        let wake = sync.protocol.wake(now).unwrap_or(IDLE + now);
        let wake = sync.began + wake.max(now);
        tokio::select! {
            () = stop.cancelled() => break,
            changed = heads.changed() => {
                if changed.is_err() {
                    break;
                }
                let (epoch, head) = *heads.borrow_and_update();
                sync.protocol.recorded(epoch, head, sync.now());
            }
            heard = hear(&mut sync.connection) => sync.heard(heard).await,
            () = tokio::time::sleep_until(wake) => {}
        }
        sync.protocol.tick(sync.now());
    }
    sync.leave().await;
    Ok(())
}

struct Sync {
    settings: SyncSettings,
    station: Station,
    protocol: Protocol,
    policy: Policy,
    connection: Option<Connection>,
    /// Of the connection that is being made.
    session: u64,
    began: Instant,
    /// When records of an epoch were let go last.
    let_go: BTreeMap<u64, Instant>,
}

async fn hear(connection: &mut Option<Connection>) -> Heard {
    match connection {
        Some(connection) => connection.heard().await,
        None => std::future::pending().await,
    }
}

impl Sync {
    fn new(settings: SyncSettings, station: Station) -> anyhow::Result<Self> {
        let protocol = Protocol::new(
            station.name().clone(),
            settings.server,
            settings.pace,
            u64::from_be_bytes(random()?),
            station.ledger().stands()?,
            Duration::ZERO,
        );
        let policy = Policy::open(settings.server, &station);
        let (connection, session, began) = (None, 0, Instant::now());
        Ok(Self {
            settings,
            station,
            protocol,
            policy,
            connection,
            session,
            began,
            let_go: BTreeMap::new(),
        })
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    async fn heard(&mut self, heard: Heard) {
        match heard {
            Heard::Connected => {
                tracing::info!("connected to the server");
                self.protocol.connected(self.session, self.now());
            }
            Heard::Message(message) => {
                if *message.topic == *Topic::Policy.to_string().as_bytes() {
                    self.policy.heard(&message.payload, &self.station).await;
                } else if let Err(error) = self.protocol.heard(&message.payload, self.now()) {
                    tracing::warn!(%error, "a message that is not the server's");
                }
                if let Some(connection) = &self.connection {
                    connection.acknowledge(&message);
                }
            }
            Heard::Lost(why) => {
                tracing::info!("the connection to the server is lost: {why}");
                self.connection = None;
                self.protocol.disconnected(self.now());
            }
        }
    }

    async fn perform(&mut self, effect: Effect) -> anyhow::Result<()> {
        match effect {
            Effect::Connect => self.connect()?,
            Effect::Drop { reason } => {
                tracing::warn!(reason, "the connection to the server is given up");
                self.connection = None;
            }
            Effect::Announce(announcement) => {
                if let Some(connection) = &self.connection {
                    let presence = self.presence(&announcement, true);
                    // The next beat comes if there is no room for this.
                    let _ = connection.publish(&self.topic(Topic::State), presence, true);
                }
            }
            Effect::Send(order) => self.send(order).await,
            Effect::Compare(question) => self.compare(question).await,
            Effect::Delivered { epoch, ranges, verified } => {
                let done = self.station.ledger().delivered(epoch, &ranges, verified).await;
                noted(done);
            }
            Effect::Returned { epoch, ranges } => {
                let done = self.station.ledger().returned(epoch, &ranges).await;
                noted(done);
            }
            Effect::Confirmed { epoch } => self.let_go(epoch),
            Effect::BeginEpoch(epoch) => self.begin(epoch).await,
            Effect::Raise(finding) => self.raise(finding).await,
            Effect::Ask(asked) => order::show(&self.station, asked).await,
            Effect::Accounts(piece) => self.settings.officers.take(piece).await,
        }
        Ok(())
    }

    fn connect(&mut self) -> anyhow::Result<()> {
        self.session = u64::from_be_bytes(random()?);
        let (host, port) = &self.settings.broker;
        let mut options = MqttOptions::new(self.station.name().as_str(), host, *port);
        let tls = TlsConfiguration::Rustls(self.settings.tls.clone());
        options.set_transport(Transport::Tls(tls));
        options.set_keep_alive(KEEP_ALIVE);
        options.set_clean_start(true);
        // Each message is acknowledged by hand: a second acknowledgement of the client's own would
        // make the broker end the connection.
        options.set_manual_acks(true);
        options.set_max_packet_size(u32::try_from(BATCH_BYTES_MAX + ENVELOPE_BYTES).ok());
        let (epoch, head) = self.protocol.present();
        let will = Announcement {
            session: self.session,
            beat: 0,
            epoch,
            head,
            backlog: self.protocol.progress(self.now()).backlog,
            answers: None,
            contradicted: false,
        };
        let (topic, will) = (self.topic(Topic::State), self.presence(&will, false));
        options.set_last_will(LastWill::new(topic, will, QoS::AtLeastOnce, true, None));
        let subscriptions = vec![self.topic(Topic::Down), Topic::Policy.to_string()];
        self.connection = Some(Connection::open(options, subscriptions));
        Ok(())
    }

    fn topic(&self, kind: impl Fn(tidewaiter_proto::station::StationId) -> Topic) -> String {
        kind(self.station.name().clone()).to_string()
    }

    fn presence(&self, announcement: &Announcement, online: bool) -> Vec<u8> {
        let applied = self.station.applied();
        let mut presence = Presence {
            online,
            epoch: announcement.epoch,
            seq: announcement.head.seq,
            head: announcement.head.hash,
            session: announcement.session,
            beat: announcement.beat,
            answers: announcement.answers,
            contradicted: announcement.contradicted,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            backlog: announcement.backlog,
            policy: applied.policy.clone(),
            lists: applied.lists.clone(),
            clock: self.station.clock_quality(),
            at: Some(self.station.clock().now()),
            signature: String::new(),
        };
        presence.sign(self.station.name(), &self.settings.signing);
        serde_json::to_vec(&presence).unwrap_or_default()
    }

    async fn send(&mut self, order: Order) {
        let ledger = self.station.ledger().clone();
        let Order { epoch, from, to, bytes_max, .. } = order;
        let read = move || ledger.run(epoch, from, to, bytes_max);
        let run = match tokio::task::spawn_blocking(read).await {
            Ok(Ok(run)) => run,
            Ok(Err(error)) => {
                self.unread(&order, &error);
                return;
            }
            Err(error) => {
                tracing::error!(%error, "reading the ledger ended by itself");
                self.protocol.unsent(order.id, self.now());
                return;
            }
        };
        let place = Place { station: self.station.name(), epoch, from, previous: run.previous };
        let signing = &self.settings.signing;
        let (bytes, last) = match pack(&place, &run.keys, &run.records, bytes_max, signing) {
            Ok(packed) => packed,
            Err(error) => {
                tracing::error!(epoch, from, %error, "records do not make a batch");
                self.protocol.unreadable(&order, from, self.now());
                return;
            }
        };
        let now = self.now();
        if !self.protocol.sent(order.id, last, bytes.len(), now) {
            return;
        }
        let topic = self.topic(Topic::Up);
        let taken = self.connection.as_ref().is_some_and(|c| c.publish(&topic, bytes, false));
        if !taken {
            self.protocol.unsent(order.id, now);
        }
    }

    fn unread(&mut self, order: &Order, error: &ReadError) {
        let now = self.now();
        match error {
            // It will be there again.
            ReadError::IndexAway | ReadError::Io(_) => {
                tracing::warn!(%error, "the ledger cannot be read now");
                self.protocol.unsent(order.id, now);
            }
            ReadError::Damaged(_) | ReadError::Missing { .. } | ReadError::Index(_) => {
                tracing::error!(epoch = order.epoch, from = order.from, %error, "not readable");
                self.protocol.unreadable(order, order.from, now);
            }
        }
    }

    async fn compare(&mut self, question: Question) {
        let ledger = self.station.ledger().clone();
        let Question { id, epoch, seqs } = question;
        let look = move || {
            let hash = |seq: &u64| Some((*seq, ledger.hash(epoch, *seq).ok()?));
            seqs.iter().filter_map(hash).collect::<BTreeMap<_, _>>()
        };
        let hashes = tokio::task::spawn_blocking(look).await.unwrap_or_default();
        self.protocol.compared(id, &hashes, self.now());
    }

    /// Lets go of what the server has and whose time is over, beside the work. Only with a clock
    /// that is known to be right: what a wrong one lets go would be gone too early.
    fn let_go(&mut self, epoch: u64) {
        let now = Instant::now();
        let lately = self.let_go.get(&epoch).is_some_and(|last| now - *last < LET_GO_EVERY);
        if lately || self.station.clock_quality() != ClockQuality::Synced {
            return;
        }
        self.let_go.insert(epoch, now);
        let (ledger, age) = (self.station.ledger().clone(), self.settings.retention);
        let today = self.station.clock().now();
        tokio::spawn(async move {
            match ledger.expire(epoch, today, age).await {
                Ok(gone) if gone.records > 0 => tracing::info!(
                    epoch,
                    records = gone.records,
                    keys = gone.keys,
                    bytes = gone.bytes,
                    "records were let go after their time: the server has them"
                ),
                Ok(_) => {}
                Err(error) => tracing::warn!(epoch, %error, "records cannot be let go now"),
            }
        });
    }

    async fn begin(&mut self, epoch: u64) {
        match self.station.ledger().begin_epoch(epoch).await {
            Ok(()) => {
                self.station.notice(format!("the ledger began epoch {epoch} on the server's word"));
                let (epoch, head) = self.station.ledger().head();
                self.protocol.recorded(epoch, head, self.now());
            }
            Err(error) => self.station.notice(format!("epoch {epoch} cannot begin: {error}")),
        }
    }

    /// What must not be is shown to the officer and, where the ledger still records, recorded.
    async fn raise(&self, finding: Finding) {
        let text = match &finding {
            Finding::Contradicted { epoch, seq, theirs, ours } => {
                self.station.ledger().contradicted(
                    *epoch,
                    tidewaiter_proto::chain::Head { seq: *seq, hash: *theirs },
                );
                let ours = ours.seq;
                format!(
                    "the server holds another record {seq} of epoch {epoch} than this ledger \
                     (which ends at {ours}): it was restored from a copy, or copied"
                )
            }
            Finding::Unreadable { epoch, from, to } => {
                format!("records {from} to {to} of epoch {epoch} cannot be read for the server")
            }
            Finding::BatchRefused { reason } => format!("the server refused records: {reason}"),
            Finding::Fork { .. }
            | Finding::Rollback { .. }
            | Finding::Gap { .. }
            | Finding::Refused { .. } => return,
        };
        self.station.notice(text.clone());
        let body = Body::DeviceState(DeviceState {
            device: "ledger".to_owned(),
            state: "fault".to_owned(),
            cause: Some(text),
        });
        let source = Source::Agent("sync".to_owned());
        if let Err(error) = self.station.record(source, None, body, None).await {
            tracing::warn!(%error, "what the sync found is shown and not recorded");
        }
    }

    /// Says that the station goes, so that nobody waits for the network to notice.
    async fn leave(mut self) {
        let Some(connection) = self.connection.take() else { return };
        let (epoch, head) = self.protocol.present();
        let death = Announcement {
            session: self.session,
            beat: 0,
            epoch,
            head,
            backlog: self.protocol.progress(self.now()).backlog,
            answers: None,
            contradicted: false,
        };
        let _ = connection.publish(&self.topic(Topic::State), self.presence(&death, false), true);
        connection.close().await;
    }
}

fn noted(done: Result<(), tidewaiter_ledger::AppendError>) {
    if let Err(error) = done {
        // Not noted, it is sent once more after the next start: twice is once.
        tracing::warn!(%error, "a receipt could not be noted");
    }
}

const KEEP_ALIVE: Duration = Duration::from_secs(20);
const ENVELOPE_BYTES: usize = 8 * 1024;
/// Records are let go this often at most: it reads the oldest part of the journal.
const LET_GO_EVERY: Duration = Duration::from_hours(1);
/// Looked at again after this time though nothing is due.
const IDLE: Duration = Duration::from_mins(1);
