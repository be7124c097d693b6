//! Another policy over the real programs: proposed by one, agreed to by another, judged by at the
//! next record, told to stations, in the audit and in the night's bundle; and drafts tried on what
//! stations have sent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tidewaiter_people::account::{Account, Scope};
use tidewaiter_people::role::Role;
use tidewaiter_server::authority::Authority;
use tidewaiter_server::people::{Actor, NewAccount, People, Shown, SignIn};
use tidewaiter_server::store::Store;

use crate::bridge::{self, Bridge};
use crate::site::{Site, program};
use crate::station::Station;
use crate::{items, text};

/// A rule that the shoe box meets.
const RULE: &str = "inspect-2321-13";
const STORY: &str = "vladivostok-2018-shoe-box";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_two_agree_to_is_judged_by_at_the_next_record_told_to_stations_and_bundled() {
    let mut site = Site::new();
    let mut station = Station::enrolled(&site, "ruvvo/dep-07");
    let lane = tempfile::tempdir().unwrap();
    bridge::enrol(&site, lane.path(), "ruvvo/dep-08");
    site.start_headquarters();
    site.start_server();
    station.connect(&site).await;
    let before = station.law();
    let bridge = Bridge::start(lane.path(), "ruvvo/dep-08", site.door(), bridge::quick());
    let first = station.record_scenario_as(STORY, "a");
    station.send(1, first).await;
    station.receipted(first);
    assert_eq!(judged(&site, "a"), ("1".to_owned(), "high".to_owned()));

    let [author, approver, supervisor] = people(&site).await;
    site.speak_as(&author);
    let asked = site.post(
        "/api/v1/policies",
        &json!({"reason": "no luggage is let by",
        "files": {"rules/movements.toml": movements(Some("critical"))}}),
    );
    let version = text(&asked, "version");
    assert_ne!(version, before.policy, "{asked}");
    assert_eq!(site.get("/api/v1/policies")["versions"]["policy"], json!(before.policy));
    site.speak_as(&approver);
    let matter = format!("/api/v1/matters/{}", text(&asked, "matter"));
    site.post(&matter, &json!({"agree": true}));

    let after = station.law();
    assert_eq!((&after.policy, &after.lists), (&version, &before.lists));
    assert!(after.replaces(&before).unwrap());
    let said = format!("the server judges under policy {version}");
    site.wait("a bridge's officer is told", |_| {
        let notices = bridge.station.health().notices;
        notices.iter().any(|notice| notice.starts_with(&said)).then_some(())
    });
    site.speak_as(&supervisor);
    let second = first + station.record_scenario_as(STORY, "b");
    station.send(first + 1, second).await;
    station.receipted(second);
    assert_eq!(judged(&site, "b"), ("2".to_owned(), "critical".to_owned()));
    site.wait("what was known is judged again", |site| {
        (judged(site, "a") == ("2".to_owned(), "critical".to_owned())).then_some(())
    });

    let policy = site.get("/api/v1/policies");
    let activation = &policy["activations"][0];
    assert_eq!(activation["versions"]["policy"], json!(version));
    let by = (&activation["proposed_by"], &activation["confirmed_by"]);
    assert_eq!(by, (&json!("author"), &json!("approver")));
    let noted = items(&site.get(&format!("/api/v1/audit?object={version}")));
    for (event, actor) in [("policy_proposed", "author"), ("policy_activated", "approver")] {
        let own = |entry: &&Value| entry.to_string().contains(event);
        let entry = noted.iter().find(own).unwrap_or_else(|| panic!("no {event}: {noted:?}"));
        assert_eq!(entry["actor"], actor, "{entry}");
    }
    assert_eq!(site.get("/api/v1/audit/check")["whole"], true);
    site.night();
    assert!(site.verifies("ruvvo-000001"));
    let manifest = site.folder().join("bundles/ruvvo-000001/manifest.json");
    let manifest: Value = serde_json::from_slice(&std::fs::read(manifest).unwrap()).unwrap();
    assert_eq!(manifest["versions"]["policy"], json!(version), "in force when it was made");
    bridge.stop().await;

    // A draft is held against what was agreed to, which no file of the configuration says.
    let report = backtest(&site, &draft(&site, None), "2018-11-16", "2018-11-16");
    let inspected = &report["by_code"]["inspect_mandatory"];
    assert_eq!(inspected, &json!({"added": 0, "dropped": 0, "kept": 2, "reweighed": 2}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_draft_is_tried_on_what_stations_sent_and_on_the_days_asked_about() {
    let mut site = Site::new();
    let mut station = Station::enrolled(&site, "ruvvo/dep-07");
    site.start_server();
    station.connect(&site).await;
    let first = station.record_scenario_as(STORY, "a");
    let all = first + station.record_scenario_as("shoe-box-innocent-twin", "b");
    station.send(1, all).await;
    station.receipted(all);
    judged(&site, "a");
    site.kill_server();

    let days = ("2018-11-16", "2018-11-16");
    let report = backtest(&site, &draft(&site, Some("retired")), days.0, days.1);
    assert_eq!(report["crossings"], 2, "{report}");
    // Both left for Pyongyang; only one of them with a shoe box.
    let dropped = json!({"added": 0, "dropped": 2, "kept": 0, "reweighed": 0});
    assert_eq!(report["by_rule"][RULE], dropped);
    assert_eq!(report["by_code"]["inspect_mandatory"], dropped);
    assert_eq!(report["by_site_and_day"]["ruvvo"][days.0]["dropped"], 2);
    let example = &report["examples"][0];
    assert_eq!((&example["inspection"], &example["added"]), (&json!("a"), &json!(false)));
    let kept = &report["by_code"]["undeclared_cash"];
    assert_eq!(kept, &json!({"added": 0, "dropped": 0, "kept": 1, "reweighed": 0}));
    // The other way round: what is in force raises it, and a draft that is the same changes nothing.
    let same = backtest(&site, &draft(&site, None), days.0, days.1);
    assert_eq!((&same["alerts"]["added"], &same["alerts"]["dropped"]), (&json!(0), &json!(0)));
    assert!(same["alerts"]["kept"].as_u64() > report["alerts"]["kept"].as_u64(), "{same}");
    let before = backtest(&site, &draft(&site, Some("retired")), "2018-11-01", "2018-11-15");
    assert_eq!(before["crossings"], 0, "{before}");
}

/// Waits until an inspection is judged; gives the version of the rule that ordered it inspected, and
/// how much that weighs.
fn judged(site: &Site, inspection: &str) -> (String, String) {
    let alert = site.wait("the order to inspect", |site| {
        let page = site.get(&format!("/api/v1/alerts?inspection={inspection}"));
        items(&page).into_iter().find(|alert| alert["code"] == "inspect_mandatory")
    });
    let detail = site.get(&format!("/api/v1/alerts/{}", text(&alert, "id")));
    let reasons = reasons(&detail);
    let reason = reasons.iter().find(|reason| reason["rule"] == RULE);
    let reason = reason.unwrap_or_else(|| panic!("not by {RULE}: {detail}"));
    (text(reason, "rule_version"), text(&alert, "severity"))
}

/// An alert's reasons, however the answer wraps it.
fn reasons(detail: &Value) -> Vec<Value> {
    let alert = detail.get("alert").unwrap_or(detail);
    alert["reasons"].as_array().cloned().unwrap_or_default()
}

/// A rule author, another person who approves, and a supervisor who may read the audit, signed in
/// with passwords of their own; gives their tokens.
async fn people(site: &Site) -> [String; 3] {
    let data = site.folder().join("server");
    let store = Store::open(&data.join("server.sqlite")).await.unwrap();
    let signing = Authority::open(&data).unwrap().signing;
    let people = People::new(store.clone(), SignIn::Required, &signing);
    let author = signed_in(&people, "author", &[Role::RuleAuthor]).await;
    let approver = signed_in(&people, "approver", &[Role::RuleApprover]).await;
    let supervisor = signed_in(&people, "supervisor", &[Role::Supervisor, Role::Auditor]).await;
    store.close().await;
    [author, approver, supervisor]
}

async fn signed_in(people: &People, id: &str, roles: &[Role]) -> String {
    let roles: BTreeSet<Role> = roles.iter().copied().collect();
    let grants: BTreeMap<Scope, BTreeSet<Role>> = [(Scope::Everywhere, roles)].into();
    let administrator = Actor {
        account: Account {
            id: "root-1".parse().unwrap(),
            name: "First Administrator".to_owned(),
            grants: [(Scope::Everywhere, [Role::Administrator].into())].into(),
        },
        session: None,
        must_change: false,
    };
    let new = NewAccount { id: id.to_owned(), name: format!("Person {id}"), grants };
    let first = people.make(&administrator, new).await.unwrap().as_str().to_owned();
    let shown = |password: &str| Shown {
        account: id.to_owned(),
        password: password.to_owned(),
        ..Shown::default()
    };
    let token = people.sign_in(shown(&first), None).await.unwrap();
    let actor = people.actor(Some(token.as_str())).await.unwrap().unwrap();
    people.change_password(&actor, first, PASSWORD.to_owned()).await.unwrap();
    people.sign_in(shown(PASSWORD), None).await.unwrap().as_str().to_owned()
}

const PASSWORD: &str = "tide tables of the lower estuary";

/// The shipped rules of movements; the rule with another severity as its version 2, if one is given.
fn movements(severity: Option<&str>) -> String {
    let shipped = shipped().join("rules/movements.toml");
    let text = std::fs::read_to_string(shipped).unwrap();
    let Some(severity) = severity else { return text };
    altered(&text, |rule| {
        rule.replacen("version = \"1\"", "version = \"2\"", 1).replacen(
            "severity = \"high\"",
            &format!("severity = \"{severity}\""),
            1,
        )
    })
}

/// The text with its rule changed.
fn altered(text: &str, change: impl Fn(&str) -> String) -> String {
    let start = text.find(&format!("id = \"{RULE}\"")).unwrap();
    let end = text[start..].find("[[rule]]").map_or(text.len(), |end| start + end);
    let rule = change(&text[start..end]);
    assert_ne!(rule, text[start..end], "nothing was changed");
    format!("{}{rule}{}", &text[..start], &text[end..])
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/policy")
}

/// A folder with a draft: the shipped rules of movements, the rule with another status if one is
/// given.
fn draft(site: &Site, status: Option<&str>) -> PathBuf {
    let folder = site.folder().join(format!("draft-{}", status.unwrap_or("same")));
    std::fs::create_dir_all(folder.join("rules")).unwrap();
    let text = movements(None);
    let text = match status {
        Some(status) => altered(&text, |rule| {
            rule.replacen("status = \"active\"", &format!("status = \"{status}\""), 1)
        }),
        None => text,
    };
    std::fs::write(folder.join("rules/movements.toml"), text).unwrap();
    folder
}

/// The report of a back-test.
fn backtest(site: &Site, policy: &Path, from: &str, to: &str) -> Value {
    let output = program()
        .args(["backtest", "--from", from, "--to", to, "--config"])
        .arg(site.folder().join("server.toml"))
        .arg("--policy")
        .arg(policy)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}
