//! Records as they stand after their amendments.
//!
//! A record is never changed; an amendment names fields and their new values. Here the two are
//! laid over each other for display, and every value that was replaced is kept beside the new one.

use serde_json::Value;
use tidewaiter_proto::body::Body;
use tidewaiter_proto::record::Record;

/// A record with what later amendments changed in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Amended {
    /// The record; its body holds the newest values.
    pub record: Record,
    /// What was replaced, oldest first.
    pub changes: Vec<Change>,
}

/// One value that an amendment replaced.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Name of the field.
    pub field: String,
    /// Value before; null when there was none.
    pub before: Value,
    /// Number of the amending record.
    pub by: u64,
    /// Why.
    pub reason: String,
}

/// Lays amendments over the records they name. Order is by number, within one epoch.
pub fn amended(records: &[Record]) -> Vec<Amended> {
    let mut ordered: Vec<&Record> = records.iter().collect();
    ordered.sort_by_key(|record| (record.epoch, record.seq));
    let mut out: Vec<Amended> = Vec::with_capacity(ordered.len());
    for record in ordered {
        if let Body::Amendment(amendment) = &record.body {
            let target = out.iter_mut().find(|earlier| {
                earlier.record.epoch == record.epoch && earlier.record.seq == amendment.of
            });
            if let Some(target) = target {
                apply(target, record.seq, &amendment.fields, &amendment.reason);
            }
        }
        out.push(Amended { record: record.clone(), changes: Vec::new() });
    }
    out
}

fn apply(target: &mut Amended, by: u64, fields: &serde_json::Map<String, Value>, reason: &str) {
    let mut value = target.record.body.to_value();
    let Some(object) = value.as_object_mut() else { return };
    let mut changes = Vec::new();
    for (field, new) in fields {
        let before = object.insert(field.clone(), new.clone()).unwrap_or(Value::Null);
        changes.push(Change { field: field.clone(), before, by, reason: reason.to_owned() });
    }
    // An amendment that would make the body unreadable is shown in the timeline, not applied.
    if let Ok(body) = Body::from_value(value) {
        target.record.body = body;
        target.changes.extend(changes);
    }
}

#[cfg(test)]
mod tests {
    use super::amended;
    use tidewaiter_proto::body::Body;
    use tidewaiter_proto::record::Record;

    fn record(seq: u64, body: &serde_json::Value) -> Record {
        serde_json::from_value(serde_json::json!({
            "station": "ruvvo/dep-07", "seq": seq, "at": "2018-11-16T03:16:00Z",
            "inspection": "a", "source": {"officer": "o-11"}, "body": body
        }))
        .unwrap()
    }

    #[test]
    fn an_amendment_shows_the_new_value_and_keeps_the_old() {
        let records = [
            record(
                2,
                &serde_json::json!({"type": "amendment", "of": 1, "reason": "misread",
                "fields": {"reference": "E-78"}}),
            ),
            record(
                1,
                &serde_json::json!({"type": "exemption_presented", "kind": "un1718",
                "reference": "E-77"}),
            ),
        ];
        let shown = amended(&records);
        let Body::ExemptionPresented(exemption) = &shown[0].record.body else { panic!() };
        assert_eq!(exemption.reference, "E-78");
        assert_eq!(shown[0].changes[0].before, "E-77");
        assert_eq!(shown[0].changes[0].by, 2);
    }

    #[test]
    fn an_amendment_that_would_break_the_body_changes_nothing() {
        let records = [
            record(
                1,
                &serde_json::json!({"type": "exemption_presented", "kind": "un1718",
                "reference": "E-77"}),
            ),
            record(
                2,
                &serde_json::json!({"type": "amendment", "of": 1, "reason": "x",
                "fields": {"reference": {"a": 1}}}),
            ),
        ];
        let shown = amended(&records);
        let Body::ExemptionPresented(exemption) = &shown[0].record.body else { panic!() };
        assert_eq!(exemption.reference, "E-77");
        assert!(shown[0].changes.is_empty());
    }
}
