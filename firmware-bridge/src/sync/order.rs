//! Orders of the desk: shown to the officer by being recorded, each once.

use tidewaiter_proto::body::Body;
use tidewaiter_proto::order::{Order, SHOWN, TEXT_MAX};
use tidewaiter_proto::record::{Record, Source};

use crate::station::Station;

/// Records an order in the inspection that it is about; the officer's page shows what is recorded,
/// and the server stops asking once it has the record. An order about an inspection that this
/// station does not have is of no use here.
pub(super) async fn show(station: &Station, order: Order) {
    let records = match station.records(&order.inspection) {
        Ok(records) => records,
        Err(error) => {
            // The server says it again.
            tracing::warn!(order = order.id, %error, "an order cannot be looked up now");
            return;
        }
    };
    if records.is_empty() || records.iter().any(|record| is_shown(record, &order.id)) {
        return;
    }
    let text: String = order.text.chars().take(TEXT_MAX).collect();
    let value = serde_json::json!({
        "type": SHOWN, "order": order.id, "kind": order.kind, "text": text, "by": order.by,
    });
    let body = Body::Other { type_name: SHOWN.to_owned(), value };
    let source = Source::Agent("desk".to_owned());
    let (inspection, id) = (Some(order.inspection.as_str()), Some(order.id.as_str()));
    if let Err(error) = station.record(source, inspection, body, id).await {
        tracing::warn!(order = order.id, %error, "an order cannot be recorded now");
    }
}

fn is_shown(record: &Record, order: &str) -> bool {
    match &record.body {
        Body::Other { type_name, value } if type_name == SHOWN => {
            value.get("order").and_then(serde_json::Value::as_str) == Some(order)
        }
        _ => false,
    }
}
