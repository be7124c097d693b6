//! Opening an inspection by hand: who, which way, by what movement.

use tidewaiter_proto::body::{Channel, Direction, InspectionOpened, Role};
use tidewaiter_proto::movement::{Mode, Movement, Vessel};
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::text::Text;

/// Reads the form; what is wrong goes to `problems`, each at its field.
pub(super) fn read(
    text: Text,
    fields: &Fields,
    problems: &mut Problems,
) -> Option<InspectionOpened> {
    let mode = one_of(fields.get("mode"), MODES);
    if mode.is_none() {
        problems.add("mode", text.say("open-need-mode"));
    }
    let direction = one_of(fields.get("direction"), DIRECTIONS);
    if direction.is_none() {
        problems.add("direction", text.say("open-need-direction"));
    }
    let role = one_of(fields.get("role"), ROLES);
    if role.is_none() {
        problems.add("role", text.say("open-need-role"));
    }
    let from = place(fields.get("from"));
    let to = place(fields.get("to"));
    problems.need(text, "from", from.as_deref().unwrap_or_default(), "open-need-from");
    problems.need(text, "to", to.as_deref().unwrap_or_default(), "open-need-to");
    let imo = imo_digits(fields.get("imo"));
    if !fields.get("imo").is_empty() && imo.is_none() {
        problems.add("imo", text.say("open-bad-imo"));
    }
    let flag = fields.get("flag").to_ascii_uppercase();
    if !flag.is_empty() && !is_country(&flag) {
        problems.add("flag", text.say("bad-country"));
    }
    if fields.get("vessel").is_empty() && imo.is_some() {
        problems.add("vessel", text.say("open-need-vessel"));
    }
    if !problems.is_empty() {
        return None;
    }
    let vessel = some(fields.get("vessel")).map(|name| Vessel { name, imo, flag: some(&flag) });
    Some(InspectionOpened {
        direction: direction?,
        role: role?,
        channel: one_of(fields.get("channel"), CHANNELS),
        movement: Movement {
            mode: mode?,
            carrier: some(fields.get("carrier")),
            number: some(fields.get("number")),
            tail: some(fields.get("tail")),
            vessel,
            from: from?,
            to: to?,
            via: Vec::new(),
            scheduled: None,
        },
        group: None,
    })
}

/// A text, or nothing.
pub(super) fn some(value: &str) -> Option<String> {
    Some(value.trim()).filter(|value| !value.is_empty()).map(str::to_owned)
}

/// Whether a text is shaped like an ISO 3166 alpha-2 code.
pub(super) fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// A place as typed: IATA code or UN/LOCODE in upper case; a name stays as it is.
fn place(typed: &str) -> Option<String> {
    let compact: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let is_code = matches!(compact.len(), 3 | 5) && compact.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_code { Some(compact.to_ascii_uppercase()) } else { some(typed) }
}

/// Seven digits whose last is right (IMO Resolution A.1117(30)); `IMO` before them is passed over.
fn imo_digits(typed: &str) -> Option<String> {
    let digits = typed.trim().trim_start_matches(|c: char| !c.is_ascii_digit());
    let values: Vec<u32> = digits.chars().map(|c| c.to_digit(10)).collect::<Option<_>>()?;
    let [weighted @ .., check] = values.as_slice() else { return None };
    let sum: u32 = weighted.iter().zip((2..=7).rev()).map(|(digit, weight)| digit * weight).sum();
    (values.len() == 7 && sum % 10 == *check).then(|| digits.to_owned())
}

fn one_of<T: Copy>(value: &str, choices: &[(&str, T)]) -> Option<T> {
    choices.iter().find(|(name, _)| *name == value).map(|(_, choice)| *choice)
}

/// Choices of a group, each in words.
pub(super) fn words<T>(
    text: Text,
    prefix: &str,
    choices: &[(&'static str, T)],
) -> Vec<(&'static str, String)> {
    choices.iter().map(|(code, _)| (*code, text.code(prefix, code).into_owned())).collect()
}

pub(super) const MODES: &[(&str, Mode)] = &[
    ("air", Mode::Air),
    ("sea", Mode::Sea),
    ("rail", Mode::Rail),
    ("road", Mode::Road),
    ("post", Mode::Post),
];

pub(super) const DIRECTIONS: &[(&str, Direction)] =
    &[("entry", Direction::Entry), ("exit", Direction::Exit), ("transit", Direction::Transit)];

pub(super) const ROLES: &[(&str, Role)] = &[
    ("passenger", Role::Passenger),
    ("crew", Role::Crew),
    ("master", Role::Master),
    ("consignment", Role::Consignment),
];

pub(super) const CHANNELS: &[(&str, Channel)] =
    &[("red", Channel::Red), ("green", Channel::Green)];

#[cfg(test)]
mod tests {
    use super::{imo_digits, read};
    use tidewaiter_proto::body::Role;
    use tidewaiter_web::form::{Fields, Problems};
    use tidewaiter_web::language::Language;
    use tidewaiter_web::text::Text;

    #[test]
    fn the_ships_master_of_2018_can_be_opened_by_hand() {
        let fields = Fields::read(
            b"mode=sea&direction=entry&role=master&vessel=Tu+Ru+Bong+2&from=kpchj&to=ruvvo&flag=kp",
        );
        let mut problems = Problems::default();
        let opened = read(Text::new(Language::English), &fields, &mut problems).unwrap();
        assert_eq!(opened.role, Role::Master);
        assert_eq!(opened.movement.from, "KPCHJ");
        assert_eq!(opened.movement.vessel.unwrap().flag.as_deref(), Some("KP"));
    }

    #[test]
    fn every_missing_answer_is_named_at_its_field() {
        let mut problems = Problems::default();
        assert!(read(Text::new(Language::English), &Fields::default(), &mut problems).is_none());
        let fields: Vec<_> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["mode", "direction", "role", "from", "to"]);
    }

    #[test]
    fn an_imo_number_with_a_wrong_digit_is_refused() {
        assert_eq!(imo_digits("IMO 8703933"), imo_digits("8703933"));
        assert_eq!(imo_digits("9074729").as_deref(), Some("9074729"));
        for typed in ["9074728", "907472", "90747299", "", "IMO"] {
            assert_eq!(imo_digits(typed), None, "{typed}");
        }
    }
}
