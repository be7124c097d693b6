//! What happened at the checkpoint: two cases of 2018 and an ordinary traveller, played as bytes
//! from the devices and an officer's entries.
//!
//! Facts: NK News, October and November 2018. Names, numbers and days of birth are invented; the
//! seat, the booking and the times of day too.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::checkpoint::Checkpoint;
use crate::programs::wait_for;

/// What a story must lead to.
#[derive(Debug)]
pub struct Told {
    /// Its title.
    pub title: &'static str,
    /// The inspection at the station.
    pub inspection: String,
    /// Codes of alerts that must reach the supervisor; none for an innocent traveller.
    pub alerts: &'static [&'static str],
}

/// The day the demonstration begins.
pub const FIRST_DAY: &str = "2018-10-02T08:10:00Z";

/// 2 October 2018: the master of a reefer in from Chongjin comes ashore with USD 180,000.
///
/// # Errors
/// When a device or the station does not take it.
pub fn ships_master(checkpoint: &mut Checkpoint) -> Result<Told> {
    checkpoint.set_clock(FIRST_DAY)?;
    let opened = checkpoint.station().post(
        "/api/v1/inspections",
        &json!({
            "direction": "entry", "role": "master", "channel": "green",
            "movement": {
                "mode": "sea", "from": "KPCHO", "to": "RUVVO",
                "vessel": {"name": "Tu Ru Bong 2", "flag": "KP"},
            },
        }),
    )?;
    let inspection = name_of(&opened)?;
    checkpoint.devices.reader.tell(&json!({"document": {
        "type": "passport", "number": "000000002", "issuing_state": "PRK",
        "surname": "PAK", "given_names": "YONG", "date_of_birth": "1968-08-20", "sex": "M",
        "nationality": "PRK", "expires_on": "2022-08-19",
    }}))?;
    checkpoint.devices.counter.tell(&json!({"count": [
        {"currency": "USD", "denomination": "100", "pieces": 1800},
    ]}))?;
    await_records(checkpoint, &inspection, &["document_read", "cash_counted"])?;
    decide(checkpoint, &inspection, "detained", "170000", "S-2018-10-02-1")?;
    Ok(Told {
        title: "October 2018: the ship's master, USD 180,000",
        inspection,
        alerts: &["undeclared_cash", "port_high_risk", "inspect_mandatory", "crew_cash"],
    })
}

/// 16 November 2018: a passenger to Pyongyang with USD 192,300 and EUR 1,000 in a shoe box.
///
/// # Errors
/// When a device or the station does not take it.
pub fn shoe_box(checkpoint: &mut Checkpoint) -> Result<Told> {
    checkpoint.set_clock("2018-11-16T03:10:00Z")?;
    shoe_box_without_clock(checkpoint)
}

/// The same, on the clock as it is: with the server gone there is none to set.
///
/// # Errors
/// When a device or the station does not take it.
pub fn shoe_box_without_clock(checkpoint: &mut Checkpoint) -> Result<Told> {
    next_traveller(checkpoint)?;
    checkpoint.devices.reader.tell(&json!({"document": {
        "type": "passport", "number": "000000001", "issuing_state": "PRK",
        "surname": "KIM", "given_names": "CHOL SU", "date_of_birth": "1975-03-02", "sex": "M",
        "nationality": "PRK", "expires_on": "2023-03-01",
    }}))?;
    let inspection = await_open(checkpoint)?;
    checkpoint.devices.scanner.tell(&json!({
        "passenger": "KIM/CHOLSU", "pnr": "JSDEMO", "from": "VVO", "to": "FNJ", "carrier": "JS",
        "number": "272", "date": "2018-11-16", "seat": "12C", "sequence": "0042",
    }))?;
    checkpoint.devices.xray.tell(&json!({"result": {
        "schema": "baggage.xray.result/1", "scan_id": "VVO-XR01-20181116-000041",
        "device": {"id": "xr01", "vendor": "simulated", "model": "sim", "modality": "dx"},
        "bag": {"tray": "T0007"}, "scanned_at": "2018-11-16T03:12:00Z",
        "report_type": "MACHINE", "decision": "ALARM",
        "algorithm": {"name": "sim-currency", "version": "1"},
        "objects": [{
            "id": 1, "category": "CURRENCY_LIKE", "assessment": "THREAT", "probability": 0.93,
            "regions": [{"view": 0, "bbox": [0.31, 0.42, 0.47, 0.58]}],
        }],
    }}))?;
    checkpoint.devices.counter.tell(&json!({"count": [
        {"currency": "USD", "denomination": "100", "pieces": 1923},
        {"currency": "EUR", "denomination": "500", "pieces": 2},
    ]}))?;
    let wanted = ["document_read", "boarding_pass_read", "scan_result", "cash_counted"];
    await_records(checkpoint, &inspection, &wanted)?;
    Ok(Told {
        title: "November 2018: the shoe box, USD 192,300 and EUR 1,000 to Pyongyang",
        inspection,
        alerts: &["undeclared_cash", "route_high_risk", "inspect_mandatory", "list_match"],
    })
}

/// The same day: a traveller who declares USD 12,000, is counted and goes.
///
/// # Errors
/// When a device or the station does not take it.
pub fn ordinary_traveller(checkpoint: &mut Checkpoint) -> Result<Told> {
    checkpoint.set_clock("2018-11-16T05:00:00Z")?;
    next_traveller(checkpoint)?;
    checkpoint.devices.reader.tell(&json!({"document": {
        "type": "passport", "number": "M00000003", "issuing_state": "KOR",
        "surname": "SEO", "given_names": "HANEUL", "date_of_birth": "1988-06-11", "sex": "F",
        "nationality": "KOR", "expires_on": "2026-06-10",
    }}))?;
    let inspection = await_open(checkpoint)?;
    checkpoint.devices.scanner.tell(&json!({
        "passenger": "SEO/HANEUL", "pnr": "KEDEMO", "from": "VVO", "to": "ICN", "carrier": "KE",
        "number": "982", "date": "2018-11-16", "seat": "31A", "sequence": "0107",
    }))?;
    checkpoint.station().post(
        &format!("/api/v1/inspections/{inspection}/declaration"),
        &json!({
            "reference": "DEMO-2018-1", "form": "eaeu",
            "items": [{"kind": "currency", "currency": "USD", "amount": "12000"}],
            "owner": "self", "recipient": "self", "provenance": ["labour"],
            "intended_use": ["personal"], "signed_at": "2018-11-16T05:00:00Z",
        }),
    )?;
    checkpoint.devices.counter.tell(&json!({"count": [
        {"currency": "USD", "denomination": "100", "pieces": 120},
    ]}))?;
    let wanted = ["document_read", "boarding_pass_read", "declaration_made", "cash_counted"];
    await_records(checkpoint, &inspection, &wanted)?;
    checkpoint.station().post(
        &format!("/api/v1/inspections/{inspection}/outcome"),
        &json!({"decision": "released", "reasons": [], "officer": "o-12"}),
    )?;
    Ok(Told { title: "An ordinary traveller declares USD 12,000", inspection, alerts: &[] })
}

/// Waits until every alert a story must lead to is on the supervisor's page; for an innocent
/// traveller, until the inspection is there, without an alert above `info`.
///
/// # Errors
/// With what is missing, or what is too much.
pub fn await_alerts(checkpoint: &Checkpoint, told: &Told, limit: Duration) -> Result<Vec<Value>> {
    let desk = checkpoint.desk();
    let path = format!("/api/v1/alerts?inspection={}", told.inspection);
    let whole = if told.alerts.is_empty() { &["outcome_recorded"][..] } else { &[] };
    let mut missing = Vec::new();
    let found = wait_for(told.title, limit, || {
        let alerts = items(&desk.get(&path)?);
        let codes: Vec<&str> = alerts.iter().filter_map(|a| a["code"].as_str()).collect();
        missing = told.alerts.iter().filter(|code| !codes.contains(code)).copied().collect();
        if !missing.is_empty() {
            bail!("missing at the supervisor: {}", missing.join(", "));
        }
        let records = desk.get(&format!(
            "/api/v1/inspections/{}/{}",
            crate::checkpoint::STATION,
            told.inspection
        ))?;
        let text = records.to_string();
        let arrived = whole.iter().all(|kind| text.contains(kind));
        Ok(arrived.then_some(alerts))
    })?;
    if told.alerts.is_empty() {
        let grave = |alert: &&Value| alert["severity"] != "info";
        if let Some(alert) = found.iter().find(grave) {
            bail!("{}: an alert that should not be: {alert}", told.title);
        }
    }
    Ok(found)
}

/// Makes the night's bundle and waits until headquarters has accepted it and the server has the
/// receipt.
///
/// # Errors
/// When it is refused, or not answered in time.
pub fn night(checkpoint: &Checkpoint, limit: Duration) -> Result<Value> {
    let desk = checkpoint.desk();
    let made = desk.post("/api/v1/bundles", &json!({}))?;
    let number = made["number"].as_i64().context("no bundle was made: nothing had arrived")?;
    wait_for("headquarters accepts the night's bundle", limit, || {
        let bundles = items(&desk.get("/api/v1/bundles")?);
        let Some(bundle) = bundles.into_iter().find(|bundle| bundle["number"] == number) else {
            return Ok(None);
        };
        match bundle["state"].as_str() {
            Some("accepted") => Ok(Some(bundle)),
            Some("refused") => bail!("headquarters refused the bundle: {}", bundle["receipt"]),
            _ => Ok(None),
        }
    })
}

/// Every record of the station that the server holds, and how many it lacks.
///
/// # Errors
/// When the server does not answer.
pub fn held(checkpoint: &Checkpoint) -> Result<(u64, u64)> {
    let stations = items(&checkpoint.desk().get("/api/v1/stations")?);
    let station = stations.first().context("the server knows no station")?;
    let number = |name: &str| station[name].as_u64().unwrap_or_default();
    Ok((number("held"), number("missing")))
}

/// Waits for an open inspection at the lane and gives its name.
///
/// # Errors
/// When none is opened within ten seconds.
pub fn await_open(checkpoint: &Checkpoint) -> Result<String> {
    wait_for("the document opens an inspection", Duration::from_secs(10), || {
        let page = checkpoint.station().get("/api/v1/inspections")?;
        Ok(page["open"].as_str().map(str::to_owned))
    })
}

/// Waits until the station has recorded these in an inspection.
///
/// # Errors
/// When they are not there within ten seconds.
pub fn await_records(checkpoint: &Checkpoint, inspection: &str, wanted: &[&str]) -> Result<()> {
    let path = format!("/api/v1/inspections/{inspection}");
    wait_for("the station records the readings", Duration::from_secs(10), || {
        let shown = checkpoint.station().get(&path)?;
        let records = shown["records"].as_array().cloned().unwrap_or_default();
        let has = |kind: &&str| records.iter().any(|record| record["body"]["type"] == **kind);
        let missing: Vec<&str> = wanted.iter().filter(|kind| !has(kind)).copied().collect();
        if missing.is_empty() { Ok(Some(())) } else { bail!("missing: {}", missing.join(", ")) }
    })
}

fn next_traveller(checkpoint: &Checkpoint) -> Result<()> {
    checkpoint.station().post("/api/v1/next", &json!({}))?;
    Ok(())
}

fn decide(
    checkpoint: &Checkpoint,
    inspection: &str,
    decision: &str,
    amount: &str,
    seal: &str,
) -> Result<()> {
    checkpoint.station().post(
        &format!("/api/v1/inspections/{inspection}/outcome"),
        &json!({
            "decision": decision, "officer": "o-11", "seal": seal,
            "items": [{"kind": "currency", "currency": "USD", "amount": amount}],
            "reasons": ["Cash over the limit was not declared"],
            "legal_basis": "EAEU Customs Code Art. 260",
        }),
    )?;
    Ok(())
}

fn name_of(value: &Value) -> Result<String> {
    let name = value["inspection"].as_str().or_else(|| value["id"].as_str());
    name.map(str::to_owned).with_context(|| format!("no inspection in {value}"))
}

fn items(page: &Value) -> Vec<Value> {
    page["items"].as_array().cloned().unwrap_or_default()
}

/// Waits until the server holds as many records as the station wrote, none missing; gives their
/// number.
///
/// # Errors
/// When that does not come within `limit`: something is lost, or there twice.
pub fn await_all(checkpoint: &Checkpoint, limit: Duration) -> Result<u64> {
    wait_for("the server holds every record", limit, || {
        let ledger = checkpoint.station().get("/api/v1/ledger")?;
        let written = ledger["seq"].as_u64().unwrap_or(u64::MAX);
        let (held, missing) = held(checkpoint)?;
        Ok((held == written && missing == 0).then_some(held))
    })
}
