//! How a counter is, as it tells in `Common.Status` and `Common.StatusChangedEvent`: what an
//! officer has to put right, in words.
//!
//! A status tells everything, an event what has changed; both have the same shape.

use serde_json::{Map, Value};

/// What a counter told of itself.
#[derive(Debug, Default)]
pub(super) struct Condition {
    told: Value,
}

impl Condition {
    /// It tells this.
    pub(super) fn changes(&mut self, told: &Value) {
        merge(&mut self.told, told);
    }

    /// The gravest thing that is wrong: its kind, and words.
    pub(super) fn trouble(&self) -> Option<(&'static str, &'static str)> {
        TROUBLES
            .iter()
            .find(|trouble| self.is(trouble))
            .map(|trouble| (trouble.kind, trouble.words))
    }

    fn is(&self, trouble: &Trouble) -> bool {
        let says = |value: &Value| value.as_str().is_some_and(|word| trouble.says.contains(&word));
        trouble.of.iter().any(|place| match *place {
            At(place) => self.told.pointer(place).is_some_and(says),
            OfEach(list, of) => {
                let items = self.told.pointer(list).and_then(Value::as_array).into_iter().flatten();
                items.filter_map(|item| item.get(of)).any(says)
            }
        })
    }
}

/// Where a word stands.
enum Place {
    At(&'static str),
    /// In one of a list: a counter has several positions.
    OfEach(&'static str, &'static str),
}

use Place::{At, OfEach};

/// Something that can be wrong: where it is told, by which words.
struct Trouble {
    kind: &'static str,
    of: &'static [Place],
    says: &'static [&'static str],
    words: &'static str,
}

/// The gravest first.
const TROUBLES: &[Trouble] = &[
    Trouble {
        kind: "fraud",
        of: &[At("/common/device")],
        says: &["fraudAttempt", "potentialFraud"],
        words: "somebody tampers with it: call the supervisor",
    },
    Trouble {
        kind: "lid",
        of: &[
            At("/auxiliaries/safeDoor"),
            At("/auxiliaries/cabinetFrontDoor"),
            At("/auxiliaries/cabinetRearDoor"),
            At("/auxiliaries/cabinetLeftDoor"),
            At("/auxiliaries/cabinetRightDoor"),
            At("/cashManagement/safeDoor"),
        ],
        says: &["open", "doorOpen", "tampered"],
        words: "lid open",
    },
    Trouble {
        kind: "hardware",
        of: &[At("/common/device")],
        says: &["hardwareError"],
        words: "it is broken: call the engineer",
    },
    Trouble {
        kind: "hand",
        of: &[At("/common/device")],
        says: &["userError"],
        words: "it needs a hand: see its display",
    },
    Trouble {
        kind: "power",
        of: &[At("/common/device")],
        says: &["powerOff", "offline", "noDevice"],
        words: "it is switched off or not connected to its computer",
    },
    Trouble {
        kind: "starting",
        of: &[At("/common/device")],
        says: &["starting"],
        words: "it is starting",
    },
    Trouble {
        kind: "transport",
        of: &[OfEach("/cashAcceptor/positions", "transport")],
        says: &["inoperative"],
        words: "its transport does not move: look for a jammed note",
    },
    Trouble {
        kind: "shutter",
        of: &[OfEach("/cashAcceptor/positions", "shutter")],
        says: &["jammedOpen", "jammedPartiallyOpen", "jammedClosed", "jammedUnknown", "jammed"],
        words: "its shutter is jammed",
    },
    Trouble {
        kind: "reader",
        of: &[At("/cashAcceptor/banknoteReader")],
        says: &["inoperable"],
        words: "its note reader does not work: call the engineer",
    },
    Trouble {
        kind: "full",
        of: &[At("/cashAcceptor/intermediateStacker")],
        says: &["full"],
        words: "its stacker is full: empty it",
    },
    Trouble {
        kind: "cassette",
        of: &[At("/cashManagement/acceptor")],
        says: &["stop"],
        words: "it takes no notes: its cassette is full, out of its place or broken",
    },
];

/// Takes what is new, object by object; a list or a word replaces the one before.
fn merge(told: &mut Value, new: &Value) {
    let Value::Object(new) = new else {
        new.clone_into(told);
        return;
    };
    if !told.is_object() {
        *told = Value::Object(Map::new());
    }
    let Value::Object(told) = told else { return };
    for (name, value) in new.iter().filter(|(_, value)| !value.is_null()) {
        merge(told.entry(name.clone()).or_insert(Value::Null), value);
    }
}

#[cfg(test)]
mod tests {
    use super::Condition;
    use serde_json::json;

    #[test]
    fn what_an_officer_can_put_right_is_said_until_it_is() {
        let mut condition = Condition::default();
        let words = |condition: &Condition| condition.trouble().map(|(_, words)| words);
        condition.changes(&json!({
            "common": {"device": "online"},
            "cashAcceptor": {"intermediateStacker": "empty", "positions": [{"shutter": "closed"}]},
            "auxiliaries": {"safeDoor": "closed", "cabinetFrontDoor": null},
        }));
        assert_eq!(words(&condition), None);
        condition.changes(&json!({"cashAcceptor": {"positions": [
            {"position": "inFront", "shutter": "closed"}, {"position": "inTop", "shutter": "jammedOpen"},
        ]}}));
        assert_eq!(words(&condition), Some("its shutter is jammed"));
        condition.changes(&json!({"auxiliaries": {"safeDoor": "open"}}));
        assert_eq!(words(&condition), Some("lid open"));
        condition.changes(&json!({"auxiliaries": {"safeDoor": "closed"}}));
        condition.changes(&json!({"cashAcceptor": {"positions": [{"shutter": "closed"}]}}));
        assert_eq!(words(&condition), None);
    }
}
