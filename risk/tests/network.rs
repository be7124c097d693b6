//! What links parties: premises in any spelling, telephones, owners, families of names.

#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

use tidewaiter_risk::lists::{SourceFile, plain};
use tidewaiter_risk::policy::PolicyPack;
use tidewaiter_risk::screening::{Asked, AskedKind, Index, LinkKind, Network};

// Made up, but for the family name.
const LIST: &str = "\
entry,kind,name,identifiers,addresses
a,organisation,Alpha Shipping,phone=+7 495 123-45-67;owner=Beta Holding,\"Krasnaya street 11 bld. 9, Moscow, RU\"
b,organisation,Beta Holding,,
c,organisation,Gamma Restaurant,,\"Москва, ул. Красная, д. 11, стр. 9, RU\"
d,organisation,Rungrado Delta,,
e,organisation,Far Away,,\"1 Long Road, Leeds, GB\"
f,organisation,Guest,,\"Hotel Example, 1 Wide Road, Moscow, RU\"
";

fn network(asked: &Asked) -> Network {
    let file = SourceFile { name: "own", bytes: LIST.as_bytes() };
    let day = jiff::civil::date(2026, 1, 1);
    let index = Index::new(vec![plain::import(&[file], "own", day, "made up").unwrap()]);
    let pack = PolicyPack::built_in().unwrap();
    index.network(asked, &pack.families, &pack.premises)
}

fn at(name: &str, line: &str) -> Asked {
    let mut asked = Asked::named(AskedKind::Organisation, name);
    asked.addresses.push(tidewaiter_risk::lists::EntryAddress {
        lines: vec![line.to_owned()],
        country: Some("RU".to_owned()),
    });
    asked
}

fn linked(network: &Network, from: &str, to: &str, link: LinkKind) -> bool {
    let ends = |edge: &tidewaiter_risk::screening::Edge| {
        (edge.from == from && edge.to == to) || (edge.from == to && edge.to == from)
    };
    network.edges.iter().any(|edge| ends(edge) && edge.link == link && !edge.evidence.is_empty())
}

#[test]
fn one_house_links_whoever_is_there_whatever_the_spelling() {
    let network = network(&at("Neva Consulting", "11/9 Krasnaya, Moscow"));
    assert!(linked(&network, "asked", "own/a", LinkKind::Premises), "{network:?}");
    assert!(linked(&network, "asked", "own/c", LinkKind::Premises), "{network:?}");
    // Through the firm there, to the one that the list says owns it.
    assert!(linked(&network, "own/a", "own/b", LinkKind::Owner), "{network:?}");
    let owner = network.nodes.iter().find(|node| node.id == "own/b").unwrap();
    assert_eq!(owner.distance, 2);
    assert!(network.nodes.iter().all(|node| node.id != "own/e" && node.id != "own/d"));
    assert_eq!(network.caution, Network::CAUTION);
    let premises = network.edges.iter().find(|edge| edge.link == LinkKind::Premises).unwrap();
    assert!(premises.evidence.contains("Krasnaya"), "{premises:?}");
}

#[test]
fn a_telephone_and_a_family_name_link_and_a_hotel_does_not() {
    let mut asked = at("Rungnado Trade", "Hotel Example, 1 Wide Road, Moscow");
    asked.identifiers.push(tidewaiter_risk::lists::Identifier {
        kind: "phone".to_owned(),
        value: "8 (495) 123 45 67".to_owned(),
        country: None,
    });
    let network = network(&asked);
    assert!(linked(&network, "asked", "own/a", LinkKind::Phone), "{network:?}");
    assert!(linked(&network, "asked", "own/d", LinkKind::NameFamily), "{network:?}");
    assert!(network.nodes.iter().all(|node| node.id != "own/f"), "{network:?}");
}

#[test]
fn nobody_listed_is_a_graph_of_one() {
    let network = network(&Asked::named(AskedKind::Organisation, "Perfectly Ordinary Bakery"));
    assert_eq!((network.nodes.len(), network.edges.len()), (1, 0), "{network:?}");
}
