//! A movement as an officer reads it out.

use tidewaiter_proto::movement::{Movement, PLACE_UNKNOWN};

use crate::policy::PolicyPack;

/// `JS272 Vladivostok (VVO) to Pyongyang Sunan (FNJ)`; without a number the vessel, tail or carrier.
pub(super) fn label(pack: &PolicyPack, movement: &Movement) -> String {
    let vessel = movement.vessel.as_ref().map(|vessel| vessel.name.trim().to_owned());
    let who = vessel
        .or_else(|| movement.designator())
        .or_else(|| movement.tail.clone())
        .or_else(|| movement.carrier.clone())
        .filter(|who| !who.is_empty());
    let way = way(pack, movement);
    match who {
        Some(who) => format!("{who} {way}"),
        None => way,
    }
}

/// `Vladivostok (VVO) to Pyongyang Sunan (FNJ)`; an end that nobody has read yet is not made up.
pub(super) fn way(pack: &PolicyPack, movement: &Movement) -> String {
    let name = |place: &str| (place != PLACE_UNKNOWN).then(|| pack.places.name(place));
    match (name(&movement.from), name(&movement.to)) {
        (Some(from), Some(to)) => format!("{from} to {to}"),
        (Some(from), None) => format!("from {from}"),
        (None, Some(to)) => format!("to {to}"),
        (None, None) => "between places not known yet".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use tidewaiter_proto::movement::PLACE_UNKNOWN;

    use super::label;
    use crate::policy::PolicyPack;

    #[test]
    fn a_flight_is_named_by_its_number_and_a_voyage_by_its_vessel() {
        let pack = PolicyPack::built_in().unwrap();
        let flight = serde_json::json!({"mode": "air", "carrier": "JS", "number": "0272",
            "from": "VVO", "to": "FNJ"});
        let text = label(&pack, &serde_json::from_value(flight).unwrap());
        assert!(text.starts_with("JS272 ") && text.contains("(FNJ)"), "{text}");
        let voyage = serde_json::json!({"mode": "sea", "from": "KPCHO", "to": "RUVVO",
            "vessel": {"name": "Tu Ru Bong 2", "flag": "KP"}});
        let text = label(&pack, &serde_json::from_value(voyage).unwrap());
        assert!(text.starts_with("Tu Ru Bong 2 "), "{text}");
    }

    #[test]
    fn a_place_that_nobody_has_read_yet_is_not_named() {
        let pack = PolicyPack::built_in().unwrap();
        let text = |from: &str, to: &str| {
            let movement = serde_json::json!({"mode": "air", "from": from, "to": to});
            label(&pack, &serde_json::from_value(movement).unwrap())
        };
        assert_eq!(text("VVO", PLACE_UNKNOWN), "from Vladivostok (VVO)");
        assert_eq!(text(PLACE_UNKNOWN, "VVO"), "to Vladivostok (VVO)");
        assert_eq!(text(PLACE_UNKNOWN, PLACE_UNKNOWN), "between places not known yet");
    }
}
