//! Opening an inspection by hand: who, which way, by what movement.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use tidewaiter_proto::body::{Channel, Direction, InspectionOpened, Role};
use tidewaiter_proto::movement::{Mode, Movement, PLACE_UNKNOWN, Vessel};
use tidewaiter_proto::record::Source;
use tidewaiter_web::answer::page_with;
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::frame::Frame;
use tidewaiter_web::text::Text;
use tidewaiter_web::timeline::direction_code;
use tidewaiter_web::traveller::Traveller;
use tidewaiter_web::visit::{Visit, remember_officer};

use crate::station::Station;

#[derive(Template)]
#[template(path = "station/open.html")]
struct OpenPage {
    frame: Frame,
    fields: Fields,
    problems: Problems,
    modes: Vec<(&'static str, String)>,
    directions: Vec<(&'static str, String)>,
    roles: Vec<(&'static str, String)>,
    channels: Vec<(&'static str, String)>,
}

pub(super) async fn show(State(station): State<Station>, visit: Visit) -> Response {
    let fields = as_before(&station);
    answer(&station, &visit, fields, Problems::default())
}

pub(super) async fn record(
    State(station): State<Station>,
    visit: Visit,
    fields: Fields,
) -> Response {
    let mut problems = Problems::default();
    let officer = super::actor(visit.text, &visit, &fields, &mut problems);
    if let Some(opened) = read(visit.text, &fields, &mut problems) {
        match station.begin(Source::Officer(officer.clone()), opened, None).await {
            Ok(_) => return remember_officer(Redirect::to("/").into_response(), &officer),
            Err(error) => problems.add("record", error.to_string()),
        }
    }
    answer(&station, &visit, fields, problems)
}

fn answer(station: &Station, visit: &Visit, fields: Fields, problems: Problems) -> Response {
    let text = visit.text;
    let status =
        if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = OpenPage {
        frame: super::bare_frame(visit, station, text.say("open-title")),
        fields,
        problems,
        modes: words(text, "mode", MODES),
        directions: words(text, "direction", DIRECTIONS),
        roles: words(text, "role", ROLES),
        channels: words(text, "channel", CHANNELS),
    };
    page_with(status, &page)
}

/// What does not change from one traveller of a lane to the next: mode, direction, the lane's end
/// of the way.
fn as_before(station: &Station) -> Fields {
    let mut fields = Fields::default();
    fields.set("role", "passenger");
    let latest = station.inspections(1);
    let records = latest.first().and_then(|latest| station.records(&latest.inspection).ok());
    let Some(opened) = records.and_then(|records| Traveller::read(&records).opened) else {
        return fields;
    };
    fields.set("direction", direction_code(opened.direction));
    let mode = MODES.iter().find(|(_, mode)| *mode == opened.movement.mode);
    fields.set("mode", mode.map_or("", |(code, _)| *code));
    let (name, place) = match opened.direction {
        Direction::Entry => ("to", opened.movement.to),
        Direction::Exit | Direction::Transit => ("from", opened.movement.from),
    };
    if place != PLACE_UNKNOWN {
        fields.set(name, place);
    }
    fields
}

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
    let is_code =
        matches!(compact.len(), 3 | 5) && compact.bytes().all(|b| b.is_ascii_alphanumeric());
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

pub(super) const CHANNELS: &[(&str, Channel)] = &[("red", Channel::Red), ("green", Channel::Green)];

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
