//! Alerts about a station's ledger itself: what the sync found, in words.

use jiff::Timestamp;
use tidewaiter_proto::alert::{Alert, AlertCode, AlertState, Outcome, Reason, Seen, Severity};
use tidewaiter_proto::station::StationId;

use crate::ingest::clock::CLOCK_OFFSET_MS_MAX;
use crate::store::LedgerFinding;

/// What is said of a finding.
struct Words {
    code: AlertCode,
    severity: Severity,
    /// What tells it from others of its code at the same station.
    apart: String,
    text: String,
    seen: Vec<Seen>,
    records: Vec<u64>,
}

/// The alert that a finding makes. The same finding gives the same alert.
pub(super) fn alert(station: &StationId, finding: &LedgerFinding, now: Timestamp) -> Alert {
    let words = words(station, finding);
    let place = station.as_str().replace('/', "-");
    let rule = format!("ledger.{}", words.code);
    Alert {
        id: format!("{}-{place}-{}", words.code, words.apart),
        code: words.code,
        severity: words.severity,
        score: 50,
        station: station.clone(),
        inspection: None,
        subject: None,
        amount: None,
        outcomes: match words.severity {
            Severity::Critical => vec![Outcome::SupervisorProtocol],
            _ => Vec::new(),
        },
        reasons: vec![Reason {
            rule,
            rule_version: env!("CARGO_PKG_VERSION").to_owned(),
            text: words.text,
            seen: words.seen,
            records: words.records,
            legal_basis: String::new(),
        }],
        hits: Vec::new(),
        group: Vec::new(),
        lists: None,
        state: AlertState::New,
        raised_at: now,
    }
}

fn seen(path: &str, value: impl ToString, test: &str) -> Seen {
    Seen { path: path.to_owned(), value: value.to_string(), test: test.to_owned() }
}

fn words(station: &StationId, finding: &LedgerFinding) -> Words {
    match finding {
        LedgerFinding::Fork { epoch, seq, branch_seq, branch_hash } => Words {
            code: AlertCode::LedgerFork,
            severity: Severity::Critical,
            apart: format!("{epoch}-{seq}"),
            text: format!(
                "Two different histories of station {station} begin at record {seq}: its ledger \
                 was restored and written on, or copied. Both are kept."
            ),
            seen: vec![seen("head", branch_hash, &format!("signed for record {branch_seq}"))],
            records: vec![*seq],
        },
        LedgerFinding::Rollback { epoch, seq, known_epoch, known_seq } => Words {
            code: AlertCode::LedgerRollback,
            severity: Severity::Critical,
            apart: format!("{known_epoch}-{known_seq}"),
            text: format!(
                "The ledger of station {station} went back to record {seq}, although record \
                 {known_seq} had arrived."
            ),
            seen: vec![
                seen("epoch", epoch, &format!("≥ {known_epoch}")),
                seen("seq", seq, &format!("≥ {known_seq}")),
            ],
            records: vec![*seq],
        },
        LedgerFinding::Gap { epoch, first, last, count } => Words {
            code: AlertCode::LedgerGap,
            severity: Severity::High,
            apart: format!("{epoch}-{first}"),
            text: format!(
                "{count} records of station {station} between {first} and {last} are missing \
                 although the station was asked for them."
            ),
            seen: vec![seen("missing", count, "= 0")],
            records: vec![*first, *last],
        },
        LedgerFinding::Refused { reason } => Words {
            code: AlertCode::LedgerBroken,
            severity: Severity::High,
            apart: "refused".to_owned(),
            text: format!("A message in the name of station {station} was refused: {reason}."),
            seen: Vec::new(),
            records: Vec::new(),
        },
        LedgerFinding::Unreadable { key } => Words {
            code: AlertCode::LedgerBroken,
            severity: Severity::High,
            apart: format!("key-{key}"),
            text: format!(
                "Records of station {station} arrived that cannot be opened: their key did not \
                 come, or does not fit."
            ),
            seen: vec![seen("key", key, "opens with the server's key")],
            records: Vec::new(),
        },
        LedgerFinding::Clock { quality, offset_ms, day } => Words {
            code: AlertCode::ClockFault,
            severity: Severity::Medium,
            apart: day.clone(),
            text: format!(
                "The clock of station {station} cannot be trusted: it calls itself {quality}, and \
                 differs by {} s from the server's. Its records keep their order.",
                offset_ms / 1000
            ),
            seen: vec![
                seen("clock", quality, "synced or holdover"),
                seen("offset_ms", offset_ms, &format!("within {CLOCK_OFFSET_MS_MAX}")),
            ],
            records: Vec::new(),
        },
        LedgerFinding::Silent { since } => Words {
            code: AlertCode::StationSilent,
            severity: Severity::Medium,
            apart: since.clone(),
            text: format!("Station {station} has not been heard since {since}."),
            seen: vec![seen("seen_at", since, "recent")],
            records: Vec::new(),
        },
    }
}
