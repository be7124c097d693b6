//! A crossing with everything the findings need worked out once: days, route, sums, limits.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use rust_decimal::Decimal;
use tidewaiter_proto::alert::Alert;
use tidewaiter_proto::body::{Channel, DeclarationMade, Direction};
use tidewaiter_proto::party::Party;
use tidewaiter_proto::record::Record;
use tidewaiter_proto::station::StationId;

use super::route::Route;
use super::{Case, Engine};
use crate::crossing::Crossing;
use crate::crossing::holdings::{self, Count, Holdings, Total};
use crate::history::{Digest, carried_of, money_at, person_keys};
use crate::policy::day_of;
use crate::policy::thresholds::{Carriage, Purpose, Threshold};

/// A limit that applies to a crossing, and the total held against it.
#[derive(Clone, Debug)]
pub(super) struct Judged<'p> {
    /// The limit.
    pub(super) threshold: &'p Threshold,
    /// What was carried, in its currency.
    pub(super) total: Total,
    /// Whether the total meets it.
    pub(super) met: bool,
}

/// A crossing, appraised.
pub(super) struct Appraisal<'c> {
    pub(super) crossing: &'c Crossing<'c>,
    pub(super) station: &'c StationId,
    pub(super) inspection: &'c str,
    pub(super) now: Timestamp,
    /// The day by which the law about the movement is chosen.
    pub(super) day: Date,
    /// The day by which the law about the cash and its rates are chosen.
    pub(super) money_day: Date,
    pub(super) regimes: Vec<String>,
    pub(super) route: Route<'c>,
    pub(super) count: Count,
    /// Declarations that were made in time.
    pub(super) declarations: Vec<(&'c Record, &'c DeclarationMade)>,
    pub(super) declared: Option<Holdings>,
    pub(super) carried: Option<Holdings>,
    /// Limits that apply, with the total of what was carried.
    pub(super) judged: Vec<Judged<'c>>,
    /// What others will know of it.
    pub(super) digest: Arc<Digest>,
    /// Guardians of its group, in the case or in history.
    pub(super) guardians: Vec<Arc<Digest>>,
    /// Records of the count, the declarations and the opening.
    pub(super) money_records: Vec<u64>,
}

impl<'c> Appraisal<'c> {
    /// Appraises a crossing; `None` for one without an inspection.
    pub(super) fn of(
        engine: &'c Engine,
        case: &Case<'_>,
        crossing: &'c Crossing<'c>,
    ) -> Option<Self> {
        let (station, inspection) = crossing.primary()?;
        let day = day_of(crossing.opened_at());
        let count = holdings::count_of(crossing);
        let counted_at = crossing.counts().map(|(record, _)| record.at).next_back();
        // The law that holds is that of the day the cash was found, else declared.
        let law_day = day_of(counted_at.unwrap_or_else(|| money_at(crossing)));
        let declarations = in_time(crossing, counted_at);
        let declared = (!declarations.is_empty())
            .then(|| holdings::declared_of(&declarations))
            .filter(|declared| !declared.is_zero());
        let mut appraisal = Self {
            crossing,
            station,
            inspection,
            now: case.now,
            day,
            money_day: day_of(money_at(crossing)),
            regimes: engine.pack.regimes(case.jurisdiction, law_day),
            route: Route::of(&engine.pack, crossing, day),
            carried: carried_of(&count, declared.as_ref()),
            money_records: money_records(&count, &declarations),
            digest: Arc::new(Digest::with(crossing, station, inspection, &count)),
            count,
            declarations,
            declared,
            judged: Vec::new(),
            guardians: Vec::new(),
        };
        appraisal.judged = appraisal.judge(engine, case, law_day);
        Some(appraisal)
    }

    /// The limits that apply here and then, with the totals.
    fn judge(&self, engine: &'c Engine, case: &Case<'_>, day: Date) -> Vec<Judged<'c>> {
        let nothing = Holdings::default();
        let carried = self.carried.as_ref().unwrap_or(&nothing);
        let applies = |threshold: &&Threshold| {
            self.regimes.contains(&threshold.jurisdiction)
                && threshold.in_force(day)
                && self.is_about(threshold)
                && self.leaves(engine, &threshold.jurisdiction, day)
                && threshold.again_within_days.is_none_or(|days| self.again(case, days))
        };
        engine
            .pack
            .thresholds
            .iter()
            .filter(applies)
            .map(|threshold| {
                let total = carried.total(threshold, &engine.rates, self.money_day);
                let met = threshold.met_by(total.amount);
                Judged { threshold, total, met }
            })
            .collect()
    }

    /// Whether a limit is about this direction, carriage and journey.
    fn is_about(&self, threshold: &Threshold) -> bool {
        let direction = match self.crossing.direction() {
            Some(direction) => threshold.directions.contains(&direction),
            None => [Direction::Entry, Direction::Exit]
                .iter()
                .all(|direction| threshold.directions.contains(direction)),
        };
        let carriage = match threshold.carriage {
            Carriage::Both => true,
            Carriage::Accompanied => !self.crossing.is_consignment(),
            Carriage::Unaccompanied => self.crossing.is_consignment(),
        };
        let any = |wanted: &[String], found: &[String]| found.iter().any(|c| wanted.contains(c));
        direction
            && carriage
            && (!threshold.for_companies || is_for_a_company(self.crossing))
            && (threshold.bound_for.is_empty() || any(&threshold.bound_for, &self.route.ends))
            && (threshold.coming_from.is_empty() || any(&threshold.coming_from, &self.route.begins))
            && !any(&threshold.not_bound_for, &self.route.ends)
    }

    /// Whether the journey leaves the territory of a law; a flight inside a union does not.
    fn leaves(&self, engine: &Engine, jurisdiction: &str, day: Date) -> bool {
        let countries = &self.route.countries;
        let places: usize = self.crossing.movements().count();
        let inside = |country: &String| engine.pack.belongs(country, jurisdiction, day);
        let all_known = self.crossing.movements().all(|(_, movement)| {
            [&movement.from, &movement.to]
                .into_iter()
                .all(|place| engine.pack.places.country(place).is_some())
        });
        places == 0 || !all_known || countries.is_empty() || !countries.iter().all(inside)
    }

    /// Whether the same person crossed the same way within `days` before.
    fn again(&self, case: &Case<'_>, days: i64) -> bool {
        let opened = self.crossing.opened_at();
        let since = opened.checked_sub((days * 24).hours()).unwrap_or(opened);
        let mut found = false;
        let mut look = |digest: Digest| {
            found |= digest.opened < opened && digest.direction == self.crossing.direction();
        };
        for key in &self.digest.persons {
            case.history.visit(*key, since, opened, &mut look);
        }
        found || case_has_earlier(case, self, since)
    }

    /// The limits of one purpose.
    pub(super) fn of_purpose(&self, purpose: Purpose) -> impl Iterator<Item = &Judged<'c>> {
        self.judged.iter().filter(move |judged| judged.threshold.purpose == purpose)
    }

    /// The limit of declaring or disclosing that the total comes closest to or exceeds most.
    pub(super) fn limit(&self) -> Option<&Judged<'c>> {
        let duty = |judged: &&Judged<'_>| {
            matches!(judged.threshold.purpose, Purpose::Declare | Purpose::Disclose)
                && judged.threshold.amount.is_some_and(|amount| amount > Decimal::ZERO)
        };
        self.judged.iter().filter(duty).max_by(|a, b| {
            (a.met, share(a), b.threshold.id.as_str()).cmp(&(
                b.met,
                share(b),
                a.threshold.id.as_str(),
            ))
        })
    }

    /// The other inspections of the crossing, where it has several: all of them, in order.
    pub(super) fn linked(&self) -> Vec<String> {
        match self.crossing.inspections.as_slice() {
            [] | [_] => Vec::new(),
            several => several.iter().map(|(_, id)| (*id).to_owned()).collect(),
        }
    }

    /// Whether one of its inspections is this one.
    pub(super) fn is(&self, station: &StationId, inspection: &str) -> bool {
        self.crossing.inspections.iter().any(|(s, i)| *s == station && *i == inspection)
    }

    /// Whether an alert is about it, alone or in a group.
    pub(super) fn has(&self, alert: &Alert) -> bool {
        let own = |id: &str| self.crossing.inspections.iter().any(|(_, i)| *i == id);
        alert.station.site() == self.station.site()
            && (alert.inspection.as_deref().is_some_and(own)
                || alert.group.iter().any(|id| own(id)))
    }

    /// The traveller's age in whole years.
    pub(super) fn age(&self) -> Option<i16> {
        let born = self.crossing.document()?.1.date_of_birth?;
        Some(age_on(born, self.day))
    }

    /// The movement as one reads it out: `JS272 Vladivostok (VVO) to Pyongyang Sunan (FNJ)`.
    pub(super) fn movement_label(&self, engine: &Engine) -> Option<String> {
        self.crossing.movement().map(|movement| super::movement::label(&engine.pack, movement))
    }
}

/// Total over limit; zero where the limit is.
pub(super) fn share(judged: &Judged<'_>) -> Decimal {
    let limit = judged.threshold.amount.unwrap_or_default();
    judged.total.amount.checked_div(limit).unwrap_or_default()
}

/// Whole years from a birth to a day.
pub(super) fn age_on(born: Date, day: Date) -> i16 {
    let before = (day.month(), day.day()) < (born.month(), born.day());
    day.year() - born.year() - i16::from(before)
}

/// Declarations that count: signed before the cash was found in the green channel.
fn in_time<'c>(
    crossing: &'c Crossing<'_>,
    counted_at: Option<Timestamp>,
) -> Vec<(&'c Record, &'c DeclarationMade)> {
    let first_counted = crossing.counts().map(|(record, _)| record.at).next().or(counted_at);
    let green = crossing.opening().is_some_and(|opening| opening.channel == Some(Channel::Green));
    let mut declarations = holdings::declarations(crossing);
    if green && let Some(counted) = first_counted {
        declarations.retain(|(_, declaration)| declaration.signed_at <= counted);
    }
    declarations
}

/// Whether the cash is a company's, as far as the records say: its declared owner or sender is one, or
/// a security firm carries it.
fn is_for_a_company(crossing: &Crossing<'_>) -> bool {
    let company = |party: &Party| matches!(party, Party::Organisation(_));
    crossing.declarations().any(|(_, declaration)| {
        let sides = [declaration.owner.party(), declaration.sender.as_ref()];
        sides.into_iter().flatten().any(company)
    }) || crossing.exemptions().any(|(_, exemption)| exemption.kind == "cash_in_transit")
}

fn money_records(count: &Count, declarations: &[(&Record, &DeclarationMade)]) -> Vec<u64> {
    let mut records: Vec<u64> = declarations.iter().map(|(record, _)| record.seq).collect();
    match count {
        Count::None => {}
        Count::Uncertain(counted) | Count::Disagree(counted) | Count::Settled(_, counted) => {
            records.extend(counted);
        }
    }
    records
}

fn case_has_earlier(case: &Case<'_>, own: &Appraisal<'_>, since: Timestamp) -> bool {
    if case
        .records
        .iter()
        .all(|record| record.inspection.as_deref().is_none_or(|id| own.is(&record.station, id)))
    {
        return false;
    }
    let opened = own.crossing.opened_at();
    crate::crossing::assemble(case.records).crossings.iter().any(|other| {
        let at = other.opened_at();
        other.inspections != own.crossing.inspections
            && at >= since
            && at < opened
            && other.direction() == own.crossing.direction()
            && person_keys(other).iter().any(|key| own.digest.persons.contains(key))
    })
}
