//! What links somebody to listed parties, and those to one another: premises, telephones, owners,
//! families of names.
//!
//! Owns the graph that a supervisor is shown. Every edge says what it rests on, in words; none says
//! that somebody did anything. Neighbours at an address may be strangers, and a number may have a new
//! owner: [`Network::CAUTION`] goes with every graph.

use std::collections::BTreeSet;

use serde::Serialize;

use super::evidence::{self, NumberKind};
use super::index::{Index, has_expired};
use super::name::Style;
use super::{Asked, Verdict};
use crate::lists::{EntryKind, ListEntry};
use crate::policy::premises::{NameFamily, Premises};
use tidewaiter_proto::party::Address;

/// Who and what is linked, and by what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Who was asked about, first, and listed parties.
    pub nodes: Vec<Node>,
    /// What links them; `from` is the nearer to who was asked about.
    pub edges: Vec<Edge>,
    /// Whether there is more than is shown.
    pub cut: bool,
    /// What a link is worth.
    pub caution: &'static str,
}

/// Somebody or something of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// List and entry, `ofac/19613`; `asked` for who was asked about.
    pub id: String,
    /// The first name.
    pub name: String,
    /// What it is, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<EntryKind>,
    /// How many links lie between it and who was asked about.
    pub distance: usize,
}

/// What a link rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// The names agree, or may.
    Name,
    /// One is named as the owner, operator or associate of the other by a list.
    Owner,
    /// One telephone number or mailbox.
    Phone,
    /// One house.
    Premises,
    /// Names of one family.
    NameFamily,
}

/// A link with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edge {
    /// The id of a node.
    pub from: String,
    /// The id of another.
    pub to: String,
    /// What it rests on.
    pub link: LinkKind,
    /// In words, with what was seen.
    pub evidence: String,
}

impl Network {
    /// Said with every graph.
    pub const CAUTION: &'static str = "A link is a reason to ask, not a finding: it says what two \
        parties have in common on paper, not that either did anything.";
}

/// A graph of more nodes than this is no help to anybody.
const MOST_NODES: usize = 60;
/// An address or a telephone of more parties than this is an agent's, a bank's or a prison's.
const MOST_AT_ONE: usize = 25;
/// From who was asked about, to the listed, to those they are linked with.
const FURTHEST: usize = 3;

/// What a node is asked by.
struct Facts<'a> {
    id: String,
    name: String,
    names: Vec<String>,
    asked: Asked,
    entry: Option<&'a ListEntry>,
}

impl Index {
    /// What links who is asked about to the listed, and those to one another.
    ///
    /// `families` are names that front companies are known to use, and `premises` knows the addresses
    /// that say nothing: hotels, airports.
    pub fn network(&self, asked: &Asked, families: &[NameFamily], premises: &Premises) -> Network {
        let mut network = Network { caution: Network::CAUTION, ..Network::default() };
        let name = asked.names.first().cloned().unwrap_or_default();
        network.nodes.push(Node {
            id: "asked".to_owned(),
            name: name.clone(),
            kind: asked.kind.map(super::AskedKind::entry_kind),
            distance: 0,
        });
        let mut known: BTreeSet<u32> = BTreeSet::new();
        let mut edges: BTreeSet<Edge> = BTreeSet::new();
        let mut turn = vec![None];
        for distance in 1..=FURTHEST {
            let mut next = Vec::new();
            for from in turn {
                let facts = match from {
                    None => Facts {
                        id: "asked".to_owned(),
                        name: name.clone(),
                        names: asked.names.clone(),
                        asked: asked.clone(),
                        entry: None,
                    },
                    Some(id) => match self.facts(id) {
                        Some(facts) => facts,
                        None => continue,
                    },
                };
                for (to, link, evidence) in self.links(&facts, families, premises) {
                    let Some((list, entry)) = self.entry(to) else { continue };
                    let id = format!("{}/{}", list.name, entry.entry);
                    if id == facts.id || has_expired(entry, asked) {
                        continue;
                    }
                    if !known.contains(&to) {
                        if network.nodes.len() >= MOST_NODES {
                            network.cut = true;
                            continue;
                        }
                        known.insert(to);
                        network.nodes.push(Node {
                            id: id.clone(),
                            name: entry.name.clone(),
                            kind: Some(entry.kind),
                            distance,
                        });
                        next.push(Some(to));
                    }
                    let edge = Edge { from: facts.id.clone(), to: id, link, evidence };
                    let back =
                        Edge { from: edge.to.clone(), to: edge.from.clone(), ..edge.clone() };
                    if !edges.contains(&back) {
                        edges.insert(edge);
                    }
                }
            }
            turn = next;
        }
        network.edges = edges.into_iter().collect();
        network
    }

    fn facts(&self, id: u32) -> Option<Facts<'_>> {
        let (list, entry) = self.entry(id)?;
        Some(Facts {
            id: format!("{}/{}", list.name, entry.entry),
            name: entry.name.clone(),
            names: entry.names().map(|(name, _)| name.to_owned()).collect(),
            asked: Asked {
                identifiers: entry.identifiers.clone(),
                addresses: entry.addresses.clone(),
                ..Asked::default()
            },
            entry: Some(entry),
        })
    }

    fn links(
        &self,
        facts: &Facts<'_>,
        families: &[NameFamily],
        premises: &Premises,
    ) -> Vec<(u32, LinkKind, String)> {
        let mut links = Vec::new();
        if facts.entry.is_none() {
            self.by_name(facts, &mut links);
        }
        for number in &facts.asked.identifiers {
            let Some(key) = evidence::number(number) else { continue };
            if !matches!(key.0, NumberKind::Phone | NumberKind::Mail) {
                continue;
            }
            let there = self.with_number(&key);
            if there.len() <= MOST_AT_ONE {
                let what = if key.0 == NumberKind::Phone { "telephone number" } else { "mailbox" };
                let said = format!("Both give the {what} {}.", number.value);
                links.extend(there.iter().map(|id| (*id, LinkKind::Phone, said.clone())));
            }
        }
        for address in &facts.asked.addresses {
            let written = Address {
                lines: address.lines.clone(),
                country: address.country.clone().unwrap_or_default(),
            };
            if premises.is_common(&written) {
                continue;
            }
            let there = self.at_premises(address);
            if there.len() <= MOST_AT_ONE {
                let own = address.lines.join(", ");
                links.extend(there.into_iter().map(|(id, other)| {
                    let other = other.lines.join(", ");
                    let said = if own == other {
                        format!("Both give the address {own}.")
                    } else {
                        format!("The address {own} is the address {other}.")
                    };
                    (id, LinkKind::Premises, said)
                }));
            }
        }
        self.by_owner(facts, &mut links);
        // A family is a thin thread: it is followed from who was asked about, and no further.
        if facts.entry.is_none() {
            self.by_family(facts, families, &mut links);
        }
        links
    }

    fn by_name(&self, facts: &Facts<'_>, links: &mut Vec<(u32, LinkKind, String)>) {
        for (id, hit) in self.hits(&facts.asked) {
            let sure = if hit.verdict == Verdict::Agrees { "is" } else { "may be" };
            let why = hit.explanation.join(" ");
            let said = format!("{} {sure} the listed {}. {why}", facts.name, hit.name);
            links.push((id, LinkKind::Name, said.trim_end().to_owned()));
        }
    }

    /// Those a list names as owners, operators or associates, where they are listed themselves; and
    /// those that name this one so.
    fn by_owner(&self, facts: &Facts<'_>, links: &mut Vec<(u32, LinkKind, String)>) {
        let Some(entry) = facts.entry else { return };
        for named in &entry.linked_to {
            for style in [Style::Organisation, Style::Person] {
                let there = self.called(style, named);
                if there.len() <= MOST_AT_ONE {
                    let said = format!("The list links {} to {named}.", facts.name);
                    links.extend(there.into_iter().map(|id| (id, LinkKind::Owner, said.clone())));
                }
            }
        }
        for (id, named) in self.naming(&facts.names) {
            if let Some((_, other)) = self.entry(id) {
                let said = format!("The list links {} to {named}.", other.name);
                links.push((id, LinkKind::Owner, said));
            }
        }
    }

    fn by_family(
        &self,
        facts: &Facts<'_>,
        families: &[NameFamily],
        links: &mut Vec<(u32, LinkKind, String)>,
    ) {
        for family in families {
            let word = facts.names.iter().find_map(|name| family.word_in(name));
            let Some(word) = word else { continue };
            let members = self.every_entry().filter_map(|(id, entry)| {
                let name = entry.names().find(|(name, _)| family.word_in(name).is_some())?.0;
                Some((id, name))
            });
            for (id, name) in members.take(MOST_AT_ONE) {
                let said =
                    format!("“{word}” and the listed {name} are of one family: {}.", family.title);
                links.push((id, LinkKind::NameFamily, said));
            }
        }
    }
}
