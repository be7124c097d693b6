//! A network as a drawing: who was asked about in the middle, the others in rings by distance.
//!
//! Plain geometry. The same network gives the same drawing; lengths are units of the view box.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use tidewaiter_risk::screening::{LinkKind, Network, Node};

/// A network with places to draw it at.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    /// Half the width and half the height of the view box; the middle is the origin.
    pub(super) across: f64,
    pub(super) down: f64,
    pub(super) dots: Vec<Dot>,
    pub(super) lines: Vec<Line>,
}

/// Somebody or something.
#[derive(Debug)]
pub(super) struct Dot {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) label_x: f64,
    pub(super) label_y: f64,
    /// Where the label stands: `start`, `middle` or `end`.
    pub(super) anchor: &'static str,
    pub(super) label: String,
    /// The whole name.
    pub(super) name: String,
    pub(super) asked: bool,
}

/// A link.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) from: (f64, f64),
    pub(super) to: (f64, f64),
    pub(super) link: &'static str,
    pub(super) evidence: String,
}

/// Between two rings, and between neighbours on one.
const RING: f64 = 150.0;
const APART: f64 = 46.0;
/// Room for labels beside the outermost ring.
const BESIDE: f64 = 230.0;
const ABOVE: f64 = 60.0;
/// Letters of a label; the whole name is in the table.
const LETTERS: usize = 28;

impl Drawing {
    /// Draws a network.
    pub(super) fn of(network: &Network) -> Self {
        let mut places: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        let mut angles: BTreeMap<&str, f64> = BTreeMap::new();
        let mut radius = 0.0;
        let furthest = network.nodes.iter().map(|node| node.distance).max().unwrap_or(0);
        for distance in 0..=furthest {
            let mut ring: Vec<&Node> =
                network.nodes.iter().filter(|node| node.distance == distance).collect();
            if distance > 0 {
                // Beside those they are linked with, so that few lines cross.
                let near = |node: &Node| {
                    let nearer = network.edges.iter().find(|edge| edge.to == node.id);
                    nearer.and_then(|edge| angles.get(edge.from.as_str())).copied().unwrap_or(0.0)
                };
                ring.sort_by(|a, b| near(a).total_cmp(&near(b)).then_with(|| a.id.cmp(&b.id)));
                radius = f64::max(radius + RING, APART * count(ring.len()) / TAU);
            }
            let step = TAU / count(ring.len().max(1));
            for (at, node) in ring.iter().enumerate() {
                // Off the vertical, where labels of neighbours would meet.
                let angle = step * (count(at) + 0.25);
                angles.insert(&node.id, angle);
                places.insert(&node.id, (radius * angle.cos(), radius * angle.sin()));
            }
        }
        let place = |id: &str| places.get(id).copied();
        let lines = network.edges.iter().filter_map(|edge| {
            Some(Line {
                from: place(&edge.from)?,
                to: place(&edge.to)?,
                link: name_of(edge.link),
                evidence: edge.evidence.clone(),
            })
        });
        let dots = network.nodes.iter().filter_map(|node| Some(dot(node, place(&node.id)?)));
        Self {
            across: radius + BESIDE,
            down: radius + ABOVE,
            lines: lines.collect(),
            dots: dots.collect(),
        }
    }
}

fn dot(node: &Node, (x, y): (f64, f64)) -> Dot {
    let asked = node.distance == 0;
    let (anchor, label_x, label_y) = match (asked, x < 0.0) {
        (true, _) => ("middle", x, y - 20.0),
        (false, true) => ("end", x - 14.0, y + 5.0),
        (false, false) => ("start", x + 14.0, y + 5.0),
    };
    let mut label: String = node.name.chars().take(LETTERS).collect();
    if node.name.chars().count() > LETTERS {
        label.push('…');
    }
    Dot { x, y, label_x, label_y, anchor, label, name: node.name.clone(), asked }
}

/// The name of a link as codes and classes have it.
pub(super) fn name_of(link: LinkKind) -> &'static str {
    match link {
        LinkKind::Name => "name",
        LinkKind::Owner => "owner",
        LinkKind::Phone => "phone",
        LinkKind::Premises => "premises",
        LinkKind::NameFamily => "name_family",
    }
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use tidewaiter_risk::screening::{Edge, LinkKind, Network, Node};

    use super::Drawing;

    fn node(id: &str, distance: usize) -> Node {
        Node { id: id.to_owned(), name: id.to_owned(), kind: None, distance }
    }

    #[test]
    fn nobody_is_drawn_over_somebody_else_and_all_is_within_the_frame() {
        let mut nodes = vec![node("asked", 0)];
        nodes.extend((0..59).map(|at| node(&format!("own/{at}"), 1 + at % 3)));
        let edges = nodes.iter().skip(1).map(|to| Edge {
            from: "asked".to_owned(),
            to: to.id.clone(),
            link: LinkKind::Premises,
            evidence: "why".to_owned(),
        });
        let edges: Vec<Edge> = edges.collect();
        let network = Network { nodes, edges, ..Network::default() };
        let drawing = Drawing::of(&network);
        assert_eq!((drawing.dots.len(), drawing.lines.len()), (60, 59));
        for (at, own) in drawing.dots.iter().enumerate() {
            assert!(own.x.abs() < drawing.across && own.y.abs() < drawing.down, "{own:?}");
            for other in drawing.dots.iter().skip(at + 1) {
                let apart = (own.x - other.x).hypot(own.y - other.y);
                assert!(apart > 20.0, "{own:?} {other:?}");
            }
        }
    }
}
