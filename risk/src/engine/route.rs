//! What a movement and the journey it belongs to say about risk.

use jiff::civil::Date;
use tidewaiter_proto::body::Leg;
use tidewaiter_proto::movement::Movement;

use crate::crossing::Crossing;
use crate::policy::PolicyPack;
use crate::policy::routes::{Level, Risk};

/// The route of a crossing, judged.
#[derive(Debug, Default)]
pub(super) struct Route<'p> {
    /// The risks that apply.
    pub(super) risks: Vec<&'p Risk>,
    /// Those that the movement alone shows, without onward legs.
    pub(super) of_movement: Vec<&'p Risk>,
    /// States the journey touches.
    pub(super) countries: Vec<String>,
    /// States in which the movement or a leg ends.
    pub(super) ends: Vec<String>,
    /// States in which the movement or a leg begins.
    pub(super) begins: Vec<String>,
    /// States whose travellers break their journey at one of its places.
    pub(super) hub_for: Vec<String>,
    /// Numbers of the records that say so.
    pub(super) records: Vec<u64>,
    /// Onward places that make the journey a risk where the movement is none.
    pub(super) onward: Vec<String>,
    /// Whether those are on another ticket than the movement.
    pub(super) onward_separate: bool,
}

impl<'p> Route<'p> {
    /// Judges the route of a crossing by the risks in force on `day`.
    pub(super) fn of(pack: &'p PolicyPack, crossing: &Crossing<'_>, day: Date) -> Self {
        let mut route = Self::default();
        for (record, movement) in crossing.movements() {
            route.records.push(record);
            route.touch(
                pack,
                [movement.from.as_str(), &movement.to]
                    .into_iter()
                    .chain(movement.via.iter().map(String::as_str)),
            );
            route.ends.extend(pack.places.country(&movement.to).map(Into::into));
            route.begins.extend(pack.places.country(&movement.from).map(Into::into));
        }
        for (record, leg) in crossing.legs() {
            route.records.push(record);
            route.touch(pack, [leg.from.as_str(), leg.to.as_str()].into_iter());
            route.ends.extend(pack.places.country(&leg.to).map(Into::into));
            route.begins.extend(pack.places.country(&leg.from).map(Into::into));
        }
        for list in [&mut route.countries, &mut route.ends, &mut route.begins, &mut route.hub_for] {
            list.sort();
            list.dedup();
        }
        for risk in pack.risks.iter().filter(|risk| risk.in_force(day)) {
            let by_movement =
                crossing.movements().any(|(_, movement)| of_movement(pack, risk, movement));
            if by_movement {
                route.of_movement.push(risk);
            }
            if by_movement || crossing.legs().any(|(_, leg)| of_leg(pack, risk, leg)) {
                route.risks.push(risk);
            }
        }
        route.find_onward(pack, crossing);
        route
    }

    fn touch<'a>(&mut self, pack: &PolicyPack, places: impl Iterator<Item = &'a str>) {
        for place in places {
            self.countries.extend(pack.places.country(place).map(Into::into));
            let hub = pack.places.place(place).map(|place| place.hub_for.iter().cloned());
            self.hub_for.extend(hub.into_iter().flatten());
        }
    }

    fn find_onward(&mut self, pack: &PolicyPack, crossing: &Crossing<'_>) {
        let high = |risks: &[&Risk]| risks.iter().any(|risk| risk.level == Level::High);
        if high(&self.of_movement) || !high(&self.risks) {
            return;
        }
        let risky = |leg: &Leg| {
            self.risks.iter().any(|risk| risk.level == Level::High && of_leg(pack, risk, leg))
        };
        let legs: Vec<(u64, &Leg)> = crossing.legs().collect();
        let own = crossing.movement().and_then(Movement::designator);
        let own_booking: Vec<&str> = legs
            .iter()
            .filter(|(_, leg)| !risky(leg))
            .filter(|(_, leg)| own.is_none() || designator(leg) == own || !leg.pnr.is_empty())
            .map(|(_, leg)| leg.pnr.as_str())
            .collect();
        let onward: Vec<&(u64, &Leg)> = legs.iter().filter(|(_, leg)| risky(leg)).collect();
        self.onward = onward.iter().map(|(_, leg)| pack.places.name(&leg.to)).collect();
        // One ticket to the end hides nothing; another booking does.
        self.onward_separate =
            onward.iter().any(|(_, leg)| !own_booking.contains(&leg.pnr.as_str()));
    }

    /// The highest level.
    pub(super) fn level(&self) -> Option<Level> {
        self.risks.iter().map(|risk| risk.level).max()
    }

    /// Whether the route is high-risk.
    pub(super) fn is_high(&self) -> bool {
        self.level() == Some(Level::High)
    }

    /// What makes it a risk, to complete "the movement …".
    pub(super) fn reason(&self) -> String {
        // A risk of an onward leg alone is not said of the movement.
        let title = |risk: &&Risk| {
            let own = self.of_movement.iter().any(|of_movement| of_movement.id == risk.id);
            if own { risk.title.clone() } else { format!("goes on by a leg that {}", risk.title) }
        };
        let titles: Vec<String> = self.risks.iter().map(title).collect();
        crate::crossing::holdings::joined(&titles, "is on no risk list")
    }
}

fn designator(leg: &Leg) -> Option<String> {
    let number = leg.number.trim().trim_start_matches('0');
    (!number.is_empty()).then(|| format!("{}{number}", leg.carrier.trim()).to_ascii_uppercase())
}

/// Whether a movement meets one of the criteria of a risk.
pub(super) fn of_movement(pack: &PolicyPack, risk: &Risk, movement: &Movement) -> bool {
    let places = || [&movement.from, &movement.to].into_iter().chain(&movement.via);
    places().any(|place| at_place(pack, risk, place))
        || on_route(pack, risk, &movement.from, &movement.to)
        || by_carrier(pack, risk, movement.carrier.as_deref(), movement.number.as_deref())
        || movement.tail.as_deref().is_some_and(|tail| {
            let tail: String = tail.trim().to_ascii_uppercase();
            risk.tails.contains(&tail)
                || risk.tail_prefixes.iter().any(|prefix| tail.starts_with(prefix))
        })
        || movement.vessel.as_ref().is_some_and(|vessel| {
            let flag = vessel.flag.as_deref().and_then(crate::lists::country::code);
            flag.is_some_and(|flag| risk.flags.iter().any(|f| f == flag))
                || vessel.imo.as_ref().is_some_and(|imo| {
                    let digits: String = imo.chars().filter(char::is_ascii_digit).collect();
                    risk.imo.contains(&digits)
                })
        })
}

fn of_leg(pack: &PolicyPack, risk: &Risk, leg: &Leg) -> bool {
    [&leg.from, &leg.to].into_iter().any(|place| at_place(pack, risk, place))
        || on_route(pack, risk, &leg.from, &leg.to)
        || by_carrier(pack, risk, Some(&leg.carrier), Some(&leg.number))
}

/// Whether a place meets one of the criteria of a risk.
pub(super) fn at_place(pack: &PolicyPack, risk: &Risk, place: &str) -> bool {
    let has = |list: &[String], text: &str| list.iter().any(|own| own == text);
    (!risk.countries.is_empty()
        && pack.places.country(place).is_some_and(|country| has(&risk.countries, &country)))
        || (!risk.places.is_empty() && has(&risk.places, &pack.places.canonical(place)))
}

fn on_route(pack: &PolicyPack, risk: &Risk, from: &str, to: &str) -> bool {
    risk.routes.iter().filter_map(|route| route.split_once('-')).any(|(a, b)| {
        a == pack.places.canonical(from).as_ref() && b == pack.places.canonical(to).as_ref()
    })
}

fn by_carrier(pack: &PolicyPack, risk: &Risk, carrier: Option<&str>, number: Option<&str>) -> bool {
    if risk.carriers.is_empty() {
        return false;
    }
    let named = carrier.and_then(|carrier| pack.carriers.find(carrier));
    let found = named.or_else(|| {
        // A number may carry the designator where the carrier was not given.
        number.filter(|_| carrier.is_none()).and_then(|number| pack.carriers.of_number(number))
    });
    risk.carriers.iter().any(|wanted| {
        found.is_some_and(|found| found.name.eq_ignore_ascii_case(wanted))
            || carrier.is_some_and(|carrier| carrier.trim().eq_ignore_ascii_case(wanted))
    })
}
