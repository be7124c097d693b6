//! A movement as an officer reads it out.

use tidewaiter_proto::movement::Movement;

use crate::policy::PolicyPack;

/// `JS272 Vladivostok (VVO) to Pyongyang Sunan (FNJ)`; without a number the vessel, tail or carrier.
pub(super) fn label(pack: &PolicyPack, movement: &Movement) -> String {
    let vessel = movement.vessel.as_ref().map(|vessel| vessel.name.trim().to_owned());
    let who = vessel
        .or_else(|| movement.designator())
        .or_else(|| movement.tail.clone())
        .or_else(|| movement.carrier.clone())
        .filter(|who| !who.is_empty());
    let way = format!("{} to {}", pack.places.name(&movement.from), pack.places.name(&movement.to));
    match who {
        Some(who) => format!("{who} {way}"),
        None => way,
    }
}

#[cfg(test)]
mod tests {
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
}
