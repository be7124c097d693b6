//! The index over the lists: which entries are worth comparing with a question, and the answer.
//!
//! Owns the parsed names of all entries and the ways to find them: by words, by Korean sounds, by
//! characters, by numbers. A clone shares them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::compare::{self, Compared};
use super::evidence::{self, NumberKind, Weighed};
use super::name::{self, Name, Style};
use super::premises::{Premises, PremisesIndex};
use super::{AGREES, Asked, AskedKind, Hit, POSSIBLE, Verdict};
use crate::lists::{AliasQuality, EntryAddress, EntryKind, ListBundle, ListEntry};

mod names;
mod neighbours;
mod pattern;
mod vocabulary;

use names::Names;

/// All entries of some lists, ready to be asked. A clone shares them.
#[derive(Clone)]
pub struct Index(Arc<Inner>);

struct Inner {
    bundles: Vec<ListBundle>,
    /// Bundle and place in it.
    entries: Vec<(usize, usize)>,
    /// Names by what they are names of.
    persons: Names,
    organisations: Names,
    objects: Names,
    numbers: HashMap<(NumberKind, String), Vec<u32>>,
    /// Tail numbers that are the name of an aircraft.
    tails: HashMap<String, Vec<u32>>,
    premises: PremisesIndex,
    /// Who a list links to a name, by the name without spaces.
    linked: HashMap<String, Vec<u32>>,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Index({} entries)", self.0.entries.len())
    }
}

/// A name the publisher itself doubts is never enough by itself.
const WEAK_AT_MOST: f64 = 0.84;

impl Index {
    /// The index over these lists; their order does not matter.
    pub fn new(bundles: Vec<ListBundle>) -> Self {
        let mut bundles = bundles;
        bundles.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        let mut entries = Vec::new();
        let mut builders =
            [names::Builder::default(), names::Builder::default(), names::Builder::default()];
        let mut numbers: HashMap<(NumberKind, String), Vec<u32>> = HashMap::new();
        let mut tails: HashMap<String, Vec<u32>> = HashMap::new();
        let mut premises = PremisesIndex::default();
        let mut linked: HashMap<String, Vec<u32>> = HashMap::new();
        for (at, bundle) in bundles.iter().enumerate() {
            for (place, entry) in bundle.entries.iter().enumerate() {
                let id = u32::try_from(entries.len()).unwrap_or(u32::MAX);
                entries.push((at, place));
                premises.add(id, entry);
                for named in &entry.linked_to {
                    linked.entry(plain(named)).or_default().push(id);
                }
                for key in entry.identifiers.iter().filter_map(evidence::number) {
                    numbers.entry(key).or_default().push(id);
                }
                if entry.kind == EntryKind::Aircraft {
                    for (listed, _) in entry.names() {
                        tails.entry(plain(listed)).or_default().push(id);
                    }
                    continue;
                }
                let style = Style::of(entry.kind);
                if let Some(builder) = builders.get_mut(usize::from(style as u8)) {
                    for (number, (text, quality)) in entry.names().enumerate() {
                        let weak = quality == AliasQuality::Weak;
                        let number = u16::try_from(number).unwrap_or(u16::MAX);
                        for name in name::parse(style, text) {
                            builder.add(name, names::Place { entry: id, number, weak });
                        }
                    }
                }
            }
        }
        let [persons, organisations, objects] = builders.map(names::Builder::build);
        Self(Arc::new(Inner {
            bundles,
            entries,
            persons,
            organisations,
            objects,
            numbers,
            tails,
            premises,
            linked,
        }))
    }

    /// The lists it is made of.
    pub fn bundles(&self) -> &[ListBundle] {
        &self.0.bundles
    }

    /// The day and version of each list, by name.
    pub(super) fn list_versions(&self) -> BTreeMap<String, String> {
        self.0
            .bundles
            .iter()
            .map(|list| {
                let short: String = list.version.chars().take(16).collect();
                (list.name.clone(), format!("{} {short}", list.as_of))
            })
            .collect()
    }

    /// Every entry that may be who is asked about, the likeliest first.
    pub fn screen(&self, asked: &Asked) -> Vec<Hit> {
        self.screen_from(asked, POSSIBLE)
    }

    /// As [`Index::screen`], from another score on. Below about 0.6 not every entry is found.
    pub fn screen_from(&self, asked: &Asked, threshold: f64) -> Vec<Hit> {
        self.ask(asked, threshold, Names::candidates)
    }

    /// As [`Index::screen`], comparing with every name of the lists: slow, to check the index by.
    pub fn screen_all(&self, asked: &Asked) -> Vec<Hit> {
        self.ask(asked, POSSIBLE, |names, _, found| found.extend(names.every()))
    }

    /// The hits of a question, with the places of their entries.
    pub(super) fn hits(&self, asked: &Asked) -> Vec<(u32, Hit)> {
        let place = |hit: &Hit| {
            self.every_entry().find_map(|(id, entry)| {
                let (list, _) = self.entry(id)?;
                (list.name == hit.list && entry.entry == hit.entry).then_some(id)
            })
        };
        self.screen(asked).into_iter().filter_map(|hit| Some((place(&hit)?, hit))).collect()
    }

    /// Every entry and its place.
    pub(super) fn every_entry(&self) -> impl Iterator<Item = (u32, &ListEntry)> {
        (0..).map_while(|id| self.entry(id).map(|(_, entry)| (id, entry)))
    }

    /// Entries that have a number.
    pub(super) fn with_number(&self, key: &(NumberKind, String)) -> &[u32] {
        self.0.numbers.get(key).map_or(&[], Vec::as_slice)
    }

    /// Entries at an address, each with its own spelling of it.
    pub(super) fn at_premises(&self, address: &EntryAddress) -> Vec<(u32, &EntryAddress)> {
        let own = Premises::of(address);
        let found = self.0.premises.at(address);
        let spelt = |id: u32| {
            let (_, entry) = self.entry(id)?;
            entry.addresses.iter().find(|listed| own.alike(&Premises::of(listed)) > 0.0)
        };
        found.keys().filter_map(|id| Some((*id, spelt(*id)?))).collect()
    }

    /// Entries called exactly so, whatever the case and the signs.
    pub(super) fn called(&self, style: Style, name: &str) -> Vec<u32> {
        let names = self.names(style);
        let same = name::parse(style, name).into_iter().flat_map(|own| names.same(&own).to_vec());
        let mut found: Vec<u32> =
            same.filter_map(|id| names.get(id)).map(|(_, place)| place.entry).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Entries that a list links to one of these names, each with the name.
    pub(super) fn naming(&self, names: &[String]) -> Vec<(u32, String)> {
        let linked = |name: &String| self.0.linked.get(&plain(name)).map(|ids| (ids, name.clone()));
        let found = names.iter().filter_map(linked);
        found.flat_map(|(ids, name)| ids.iter().map(move |id| (*id, name.clone()))).collect()
    }

    fn ask(
        &self,
        asked: &Asked,
        threshold: f64,
        look: impl Fn(&Names, &Name, &mut Vec<u32>),
    ) -> Vec<Hit> {
        if asked.kind == Some(AskedKind::Address) {
            return self.at_address(asked, threshold);
        }
        let mut best: BTreeMap<u32, Option<Best<'_>>> = BTreeMap::new();
        let mut found: Vec<u32> = Vec::new();
        let mut parsed: Vec<(Style, Vec<Name>)> = Vec::new();
        for style in styles(asked.kind) {
            let names = asked.names.iter().flat_map(|text| name::parse(*style, text)).collect();
            parsed.push((*style, names));
        }
        for (style, own_names) in &parsed {
            let names = self.names(*style);
            for own in own_names {
                found.clear();
                look(names, own, &mut found);
                for id in &found {
                    let Some((listed, place)) = names.get(*id) else { continue };
                    let compared = compare::compare(own, listed);
                    let mut score = rounded(f64::from(compared.score));
                    if place.weak {
                        score = score.min(WEAK_AT_MOST);
                    }
                    if score < threshold {
                        continue;
                    }
                    let slot = best.entry(place.entry).or_default();
                    let better = slot
                        .as_ref()
                        .is_none_or(|best| (score, best.place.number) > (best.score, place.number));
                    if better {
                        *slot = Some(Best { score, place, own, listed, compared });
                    }
                }
            }
        }
        for id in self.by_number(asked) {
            best.entry(id).or_default();
        }
        let mut hits: Vec<Hit> = best
            .into_iter()
            .filter_map(|(id, best)| self.judge(asked, id, best, threshold))
            .collect();
        in_order(&mut hits);
        hits
    }

    /// Every entry at an address, whatever it is.
    fn at_address(&self, asked: &Asked, threshold: f64) -> Vec<Hit> {
        let mut best: BTreeMap<u32, f32> = BTreeMap::new();
        for (id, alike) in asked.addresses.iter().flat_map(|own| self.0.premises.at(own)) {
            let known = best.entry(id).or_default();
            *known = known.max(alike);
        }
        let mut hits: Vec<Hit> = best
            .into_iter()
            .filter_map(|(id, alike)| {
                let (bundle, entry) = self.entry(id)?;
                if has_expired(entry, asked) {
                    return None;
                }
                let score = rounded(f64::from(alike));
                let weighed = evidence::weigh(asked, entry);
                (score >= threshold).then(|| hit(bundle, entry, score, None, &weighed))
            })
            .collect();
        in_order(&mut hits);
        hits
    }

    fn names(&self, style: Style) -> &Names {
        match style {
            Style::Person => &self.0.persons,
            Style::Organisation => &self.0.organisations,
            Style::Object => &self.0.objects,
        }
    }

    pub(super) fn entry(&self, id: u32) -> Option<(&ListBundle, &ListEntry)> {
        let (bundle, entry) = self.0.entries.get(usize::try_from(id).ok()?)?;
        let bundle = self.0.bundles.get(*bundle)?;
        Some((bundle, bundle.entries.get(*entry)?))
    }

    /// Entries that have a number of the question.
    fn by_number(&self, asked: &Asked) -> Vec<u32> {
        let numbers = asked.identifiers.iter().filter_map(evidence::number);
        let mut found: Vec<u32> =
            numbers.filter_map(|key| self.0.numbers.get(&key)).flatten().copied().collect();
        if matches!(asked.kind, None | Some(AskedKind::Aircraft)) {
            let tails = asked.names.iter().map(|text| plain(text)).filter(|tail| tail.len() >= 3);
            found.extend(tails.filter_map(|tail| self.0.tails.get(&tail)).flatten());
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn judge(&self, asked: &Asked, id: u32, best: Option<Best<'_>>, threshold: f64) -> Option<Hit> {
        let (bundle, entry) = self.entry(id)?;
        if has_expired(entry, asked) {
            return None;
        }
        let weighed = evidence::weigh(asked, entry);
        // Premises and telephones are watched whoever gives them.
        let any_kind = entry.kind == EntryKind::Address && weighed.by_number > 0.0;
        if !any_kind && asked.kind.is_some_and(|kind| kind.entry_kind() != entry.kind) {
            return None;
        }
        let by_name = best.as_ref().map_or(0.0, |best| best.score);
        let tail = entry.kind == EntryKind::Aircraft
            && asked
                .names
                .iter()
                .any(|own| entry.names().any(|(listed, _)| plain(listed) == plain(own)));
        let by_number = if tail { weighed.by_number.max(0.97) } else { weighed.by_number };
        let score = by_name.max(by_number);
        (score >= threshold).then(|| hit(bundle, entry, score, best, &weighed))
    }
}

/// Whether an authority's own entry no longer counted on the day of the question.
pub(super) fn has_expired(entry: &ListEntry, asked: &Asked) -> bool {
    entry.expires_on.zip(asked.on).is_some_and(|(end, day)| end < day)
}

/// The likeliest first, and always in one order.
fn in_order(hits: &mut [Hit]) {
    hits.sort_by(|a, b| {
        a.verdict
            .cmp(&b.verdict)
            .then_with(|| b.score.total_cmp(&a.score))
            .then_with(|| b.evidence.total_cmp(&a.evidence))
            .then_with(|| (&a.list, &a.entry).cmp(&(&b.list, &b.entry)))
    });
}

/// Letters and digits alone, in upper case.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

fn styles(kind: Option<AskedKind>) -> &'static [Style] {
    match kind {
        None => &[Style::Person, Style::Organisation, Style::Object],
        Some(AskedKind::Person) => &[Style::Person],
        Some(AskedKind::Organisation | AskedKind::Address) => &[Style::Organisation],
        Some(AskedKind::Vessel) => &[Style::Object],
        Some(AskedKind::Aircraft) => &[],
    }
}

/// The listed name that fits best.
struct Best<'a> {
    score: f64,
    place: names::Place,
    own: &'a Name,
    listed: &'a Name,
    compared: Compared,
}

/// Three digits are as much as a likeness says.
fn rounded(score: f64) -> f64 {
    (score * 1000.0).round() / 1000.0
}

/// What an authority's own entry says of itself.
fn of_own(entry: &ListEntry) -> Option<String> {
    if entry.reason.is_empty() && entry.author.is_empty() && entry.expires_on.is_none() {
        return None;
    }
    let part = |word: &str, text: &str| {
        if text.is_empty() { String::new() } else { format!(" {word} {text}") }
    };
    let until = entry.expires_on.map(|day| day.to_string()).unwrap_or_default();
    let (by, why) = (part("by", &entry.author), part("because of", &entry.reason));
    Some(format!("An own entry{by}{why}{}.", part("until", &until)))
}

fn hit(
    bundle: &ListBundle,
    entry: &ListEntry,
    score: f64,
    best: Option<Best<'_>>,
    weighed: &Weighed,
) -> Hit {
    let mut explanation = Vec::new();
    let mut name = entry.name.clone();
    let mut support = weighed.support;
    if let Some(best) = best {
        explanation = best.compared.in_words(best.own, best.listed);
        if best.place.weak {
            explanation.push("The list itself calls this name a weak alias.".to_owned());
        }
        support += 0.25 * best.score;
        if let Some((listed, _)) = entry.names().nth(usize::from(best.place.number)) {
            listed.clone_into(&mut name);
        }
    }
    explanation.extend(weighed.lines.iter().cloned());
    explanation.extend(of_own(entry));
    let verdict = if weighed.contradicts {
        if weighed.agrees { Verdict::Possible } else { Verdict::Contradicted }
    } else if score >= AGREES || (score >= POSSIBLE && weighed.agrees) {
        Verdict::Agrees
    } else {
        Verdict::Possible
    };
    Hit {
        list: bundle.name.clone(),
        entry: entry.entry.clone(),
        kind: entry.kind,
        name,
        programme: entry.programme.clone(),
        listed_on: entry.listed_on,
        score,
        evidence: rounded(support.min(1.0)),
        verdict,
        explanation,
    }
}
