//! What a lane knows by itself: how an inspection begins that a document or a boarding pass opens,
//! and how the movement is made good when the boarding pass comes second.

use serde_json::{Map, Value};
use tidewaiter_proto::body::{Amendment, BoardingPassRead, Body, Direction, InspectionOpened, Leg};
use tidewaiter_proto::movement::{Mode, Movement, PLACE_UNKNOWN};
use tidewaiter_proto::record::{Record, Source};
use tidewaiter_risk::crossing::assemble;

use crate::configuration::Lane;

/// The opening that this body begins; `None` when it opens nothing.
pub fn opening(lane: &Lane, body: &Body) -> Option<InspectionOpened> {
    let movement = match body {
        Body::DocumentRead(_) => movement(lane, None),
        Body::BoardingPassRead(pass) => movement(lane, leg_here(lane, pass)),
        _ => return None,
    };
    let (direction, role) = (lane.direction, lane.role);
    Some(InspectionOpened { direction, role, channel: None, movement, group: None })
}

/// The amendment that an inspection is due: it was opened by the lane before the boarding pass was
/// read, so that its movement lacks an end.
pub fn amendment(lane: &Lane, records: &[Record]) -> Option<Amendment> {
    let opening =
        records.iter().rfind(|record| matches!(record.body, Body::InspectionOpened(_)))?;
    if !matches!(opening.source, Source::Agent(_)) {
        return None;
    }
    let assembled = assemble(records);
    let now = assembled.crossings.iter().find_map(|crossing| crossing.opening())?;
    if now.movement.from != PLACE_UNKNOWN && now.movement.to != PLACE_UNKNOWN {
        return None;
    }
    let pass = records.iter().find_map(|record| match &record.body {
        Body::BoardingPassRead(pass) => Some(pass),
        _ => None,
    })?;
    let movement = serde_json::to_value(movement(lane, leg_here(lane, pass))).ok()?;
    let fields: Map<String, Value> = Map::from_iter([("movement".to_owned(), movement)]);
    Some(Amendment { of: opening.seq, fields, reason: "the boarding pass was read".to_owned() })
}

/// The leg that begins or ends at this lane, else the first.
fn leg_here<'a>(lane: &Lane, pass: &'a BoardingPassRead) -> Option<&'a Leg> {
    let here = pass.legs.iter().find(|leg| match lane.direction {
        Direction::Entry => same_place(&leg.to, &lane.place),
        Direction::Exit | Direction::Transit => same_place(&leg.from, &lane.place),
    });
    here.or_else(|| pass.legs.first())
}

fn movement(lane: &Lane, leg: Option<&Leg>) -> Movement {
    let unknown = || PLACE_UNKNOWN.to_owned();
    let (from, to) = match (leg, lane.direction) {
        (Some(leg), _) => (leg.from.clone(), leg.to.clone()),
        (None, Direction::Entry) => (unknown(), lane.place.clone()),
        (None, Direction::Exit | Direction::Transit) => (lane.place.clone(), unknown()),
    };
    Movement {
        mode: leg.map_or(lane.mode, |_| Mode::Air),
        carrier: leg.map(|leg| leg.carrier.clone()),
        number: leg.map(|leg| leg.number.clone()),
        tail: None,
        vessel: None,
        from,
        to,
        via: Vec::new(),
        scheduled: None,
    }
}

fn same_place(a: &str, b: &str) -> bool {
    a.trim().eq_ignore_ascii_case(b.trim())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidewaiter_proto::body::Body;
    use tidewaiter_proto::record::Record;

    use super::{amendment, opening};
    use crate::configuration::Lane;
    use tidewaiter_proto::movement::PLACE_UNKNOWN;

    fn lane(direction: &str) -> Lane {
        serde_json::from_value(json!({"direction": direction, "mode": "air", "place": "VVO"}))
            .unwrap()
    }

    fn pass() -> serde_json::Value {
        json!({"type": "boarding_pass_read", "passenger": "KIM/CHOLSU", "legs": [
            {"from": "KJA", "to": "VVO", "carrier": "S7", "number": "5", "date": "2018-11-16"},
            {"from": "VVO", "to": "FNJ", "carrier": "JS", "number": "272", "date": "2018-11-16"}]})
    }

    fn record(seq: u64, body: &serde_json::Value) -> Record {
        serde_json::from_value(json!({
            "station": "ruvvo/dep-07", "seq": seq, "at": "2018-11-16T03:12:45Z", "inspection": "a",
            "source": {"agent": "recorder"}, "body": body,
        }))
        .unwrap()
    }

    #[test]
    fn the_leg_of_this_lane_is_the_movement() {
        let body = Body::from_value(pass()).unwrap();
        let exit = opening(&lane("exit"), &body).unwrap().movement;
        assert_eq!((exit.from.as_str(), exit.to.as_str()), ("VVO", "FNJ"));
        assert_eq!(exit.designator().as_deref(), Some("JS272"));
        let entry = opening(&lane("entry"), &body).unwrap().movement;
        assert_eq!((entry.from.as_str(), entry.to.as_str()), ("KJA", "VVO"));
    }

    #[test]
    fn a_pass_that_comes_second_makes_the_movement_good_once() {
        let document = json!({"type": "document_read", "document": {"type": "passport",
            "number": "1", "issuing_state": "PRK", "surname": "KIM", "given_names": "CHOL SU"}});
        let body = Body::from_value(document.clone()).unwrap();
        let opened = Body::InspectionOpened(opening(&lane("exit"), &body).unwrap()).to_value();
        assert_eq!(opened["movement"]["to"], PLACE_UNKNOWN);
        let mut records = vec![record(1, &opened), record(2, &document)];
        assert_eq!(amendment(&lane("exit"), &records), None);
        records.push(record(3, &pass()));
        let due = amendment(&lane("exit"), &records).unwrap();
        assert_eq!((due.of, &due.fields["movement"]["to"]), (1, &json!("FNJ")));
        records.push(record(4, &Body::Amendment(due).to_value()));
        assert_eq!(amendment(&lane("exit"), &records), None);
    }
}
