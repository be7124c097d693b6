//! How the station is, in words: may it record, what does the server have, devices, disk, clock.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use tidewaiter_proto::bus::Availability;
use tidewaiter_proto::record::ClockQuality;
use tidewaiter_web::answer::page;
use tidewaiter_web::frame::Frame;
use tidewaiter_web::text::Text;
use tidewaiter_web::timeline::{Entry, timeline};
use tidewaiter_web::visit::Visit;

use crate::http::backlog;
use crate::station::Station;

/// How the station is, as pages show it.
pub(super) struct HealthView {
    /// The worst of all lines.
    pub(super) level: &'static str,
    /// It in a few words.
    pub(super) words: String,
    /// What the officer must know, worst first; empty when all is well.
    pub(super) lines: Vec<Line>,
    /// How far the server is.
    pub(super) sync: Line,
    pub(super) devices: Vec<Device>,
}

/// One sentence and how grave it is.
pub(super) struct Line {
    pub(super) level: &'static str,
    pub(super) text: String,
}

/// A device in a list.
pub(super) struct Device {
    /// What it is, and which where there are several: "Counter".
    pub(super) name: String,
    pub(super) level: &'static str,
    pub(super) state: String,
    pub(super) cause: String,
    pub(super) last_reading: Option<Timestamp>,
}

#[derive(Template)]
#[template(path = "station/health.html")]
struct HealthPage {
    frame: Frame,
    health: HealthView,
    epoch: u64,
    seq: u64,
    hash: String,
    free: String,
    clock: String,
    policy: String,
    lists: Vec<(String, String)>,
    loose: Vec<Entry>,
}

pub(super) async fn show(State(station): State<Station>, visit: Visit) -> Response {
    let text = visit.text;
    let health = station.health();
    let (epoch, head) = health.head;
    let applied = station.applied();
    page(&HealthPage {
        frame: super::frame(&visit, &station, text.say("station-page"), "/station"),
        health: HealthView::read(text, &station),
        epoch,
        seq: head.seq,
        hash: head.hash.to_string(),
        free: bytes(health.ledger.free_bytes),
        clock: text.code("clock", clock_code(health.clock)).into_owned(),
        policy: applied.policy.clone(),
        lists: applied
            .lists
            .iter()
            .map(|(name, version)| (name.clone(), version.clone()))
            .collect(),
        loose: timeline(text, &station.loose(), &[]),
    })
}

impl HealthView {
    pub(super) fn read(text: Text, station: &Station) -> Self {
        let health = station.health();
        let mut lines: Vec<Line> = Vec::new();
        let mut line = |level, text: String| lines.push(Line { level, text });
        if let Some(refusal) = &health.ledger.refusal {
            line(
                "critical",
                text.say1("health-refusal", "cause", refusal.to_string()).into_owned(),
            );
        }
        for damage in &health.ledger.damage {
            line("critical", text.say1("health-damage", "what", damage.to_string()).into_owned());
        }
        if health.progress.is_some_and(|progress| progress.contradicted) {
            line("critical", text.say("health-contradicted").into_owned());
        }
        let free = bytes(health.ledger.free_bytes);
        match &health.ledger.full {
            Some(full) => {
                line("high", text.say1("health-full", "cause", full.to_string()).into_owned());
            }
            None if health.ledger.low => {
                line("high", text.say1("health-low", "free", free).into_owned());
            }
            None => {}
        }
        match health.clock {
            ClockQuality::Synced => {}
            ClockQuality::Holdover => line("low", text.say("health-clock-holdover").into_owned()),
            ClockQuality::Unset => line("high", text.say("health-clock-unset").into_owned()),
        }
        if !health.bus {
            line("high", text.say("health-bus").into_owned());
        }
        let devices: Vec<Device> =
            health.devices.iter().map(|(id, status)| device(text, station, id, status)).collect();
        for device in devices.iter().filter(|device| device.level != "good") {
            // "Counter: lid open" says more than that it has a fault.
            let wrong = if device.cause.is_empty() { &device.state } else { &device.cause };
            let sentence = text.say2("health-device", "device", &device.name, "state", wrong);
            line(device.level, sentence.into_owned());
        }
        for notice in &health.notices {
            line("low", notice.clone());
        }
        let sync = sync(text, station, &health);
        lines.sort_by_key(|line| rank(line.level));
        let worst = lines.first().map_or("good", |line| line.level);
        let worst = if rank(sync.level) < rank(worst) { sync.level } else { worst };
        let waiting = backlog(station, &health);
        let words: std::borrow::Cow<'static, str> = match lines.first() {
            Some(first) if first.level != "low" => first.text.clone().into(),
            _ if sync.level != "good" => text.say1("health-short-offline", "count", waiting),
            _ if waiting > 0 => text.say1("health-short-waiting", "count", waiting),
            Some(first) => first.text.clone().into(),
            None => text.say("health-short-good"),
        };
        let words = words.into_owned();
        Self { level: worst, words, lines, sync, devices }
    }

    /// Whether nothing can be recorded now, or soon.
    pub(super) fn grave(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| matches!(line.level, "critical" | "high"))
    }
}

fn sync(text: Text, station: &Station, health: &crate::station::Health) -> Line {
    let waiting = backlog(station, health);
    let online = health.progress.is_some_and(|progress| progress.online);
    let (level, text) = match (online, waiting) {
        (true, 0) => ("good", text.say("sync-all")),
        (true, _) => ("good", text.say1("sync-sending", "count", waiting)),
        (false, 0) => ("low", text.say("sync-offline-all")),
        (false, _) => ("low", text.say1("sync-offline", "count", waiting)),
    };
    Line { level, text: text.into_owned() }
}

fn device(
    text: Text,
    station: &Station,
    id: &str,
    status: &tidewaiter_proto::bus::DeviceStatus,
) -> Device {
    let (level, code) = match status.state {
        Availability::Online => ("good", "online"),
        Availability::Offline => ("medium", "offline"),
        Availability::Fault => ("high", "fault"),
    };
    let name = match station.kind(id) {
        Some((profile, alone)) => {
            let kind = text.code("device", profile.name());
            if alone { kind.into_owned() } else { format!("{kind} {id}") }
        }
        None => id.to_owned(),
    };
    Device {
        name,
        level,
        state: text.code("device-state", code).into_owned(),
        cause: status.cause.clone().unwrap_or_default(),
        last_reading: status.last_reading,
    }
}

fn clock_code(clock: ClockQuality) -> &'static str {
    match clock {
        ClockQuality::Synced => "synced",
        ClockQuality::Holdover => "holdover",
        ClockQuality::Unset => "unset",
    }
}

fn rank(level: &str) -> usize {
    LEVELS.iter().position(|known| *known == level).unwrap_or(LEVELS.len())
}

/// `12.3 GB`
fn bytes(bytes: u64) -> String {
    let tenths = bytes / 100_000_000;
    format!("{}.{} GB", tenths / 10, tenths % 10)
}

const LEVELS: &[&str] = &["critical", "high", "medium", "low", "info", "good"];
