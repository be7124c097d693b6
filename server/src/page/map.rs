//! A map of ways, drawn here as SVG: nothing is loaded from elsewhere, it prints, and the table
//! beside it says the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// A map of where its ways lie: the graticule with its degrees, ways as arcs, places with their codes.
pub(super) struct Map {
    pub(super) graticule: Vec<Line>,
    pub(super) ways: Vec<Way>,
    pub(super) places: Vec<Place>,
    /// Places whose position is not known.
    pub(super) unknown: Vec<String>,
}

/// A meridian or a parallel, with where its degrees are written.
pub(super) struct Line {
    pub(super) path: String,
    pub(super) degrees: String,
    pub(super) x: String,
    pub(super) y: String,
}

/// One way.
pub(super) struct Way {
    pub(super) path: String,
    pub(super) width: String,
    pub(super) title: String,
    pub(super) risk: bool,
}

/// One place.
pub(super) struct Place {
    pub(super) code: String,
    pub(super) x: String,
    pub(super) y: String,
    pub(super) text_y: String,
}

/// Latitude and longitude by code.
static POSITIONS: LazyLock<BTreeMap<&'static str, (f64, f64)>> = LazyLock::new(|| {
    include_str!("../../../config/desk/positions.csv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut parts = line.split(',');
            let code = parts.next()?;
            Some((code, (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?)))
        })
        .collect()
});

/// Draws ways with how many inspections each had; `risk` are those of high risk.
pub(super) fn draw(ways: &BTreeMap<String, i64>, risk: &BTreeSet<String>) -> Map {
    let most = ways.values().copied().max().unwrap_or(1).max(1);
    let (mut placed, mut seen, mut unknown) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for (way, count) in ways {
        let Some((from, to)) = way.split_once('-') else { continue };
        let ends = [from, to].map(|code| POSITIONS.get(code).map(|at| (code, *at)));
        for (end, code) in ends.iter().zip([from, to]) {
            match end {
                Some((code, _)) => drop(seen.insert(*code)),
                None => drop(unknown.insert(code.to_owned())),
            }
        }
        if let [Some((_, from)), Some((_, to))] = ends {
            placed.push((way, *count, from, to));
        }
    }
    let positions: Vec<(f64, f64)> =
        seen.iter().filter_map(|code| POSITIONS.get(code).copied()).collect();
    let view = View::around(&positions);
    let drawn = placed.into_iter().map(|(way, count, from, to)| Way {
        path: view.arc(from, to),
        width: width(count, most),
        title: format!("{way}: {count}"),
        risk: risk.contains(way),
    });
    let places = seen.iter().zip(&positions).map(|(code, at)| {
        let (x, y) = view.project(*at);
        let text_y = format!("{:.0}", y - 9.0);
        Place { code: (*code).to_owned(), x: format!("{x:.0}"), y: format!("{y:.0}"), text_y }
    });
    Map {
        graticule: view.graticule(),
        places: places.collect(),
        ways: drawn.collect(),
        unknown: unknown.into_iter().collect(),
    }
}

/// The part of the world that a map shows, plate carrée: 1000 wide, 500 high, the degrees of both
/// axes alike.
#[derive(Clone, Copy)]
struct View {
    /// Longitude of the left edge; it may lie beyond 180°, so that the Pacific is not torn apart.
    west: f64,
    /// Latitude of the upper edge.
    north: f64,
    /// Degrees from the left edge to the right.
    span: f64,
}

impl View {
    /// The smallest view that holds all places with room around them; the whole world without any.
    fn around(places: &[(f64, f64)]) -> Self {
        let mut longitudes: Vec<f64> = places.iter().map(|place| place.1).collect();
        longitudes.sort_by(f64::total_cmp);
        let (Some(first), Some(last)) = (longitudes.first().copied(), longitudes.last().copied())
        else {
            return Self { west: -180.0, north: 90.0, span: WORLD };
        };
        // The widest stretch without a place is what the map leaves out.
        let around = (first + WORLD - last, first, last);
        let gaps = longitudes.windows(2).filter_map(|pair| match pair {
            [left, right] => Some((right - left, *right, left + WORLD)),
            _ => None,
        });
        let (_, west, east) =
            gaps.fold(around, |wide, gap| if gap.0 > wide.0 { gap } else { wide });
        let south = places.iter().map(|place| place.0).fold(f64::MAX, f64::min);
        let north = places.iter().map(|place| place.0).fold(f64::MIN, f64::max);
        let span = ((east - west).max((north - south) * 2.0) * ROOM).clamp(SPAN_LEAST, WORLD);
        let middle = f64::midpoint(south, north) + span / 4.0;
        Self {
            west: f64::midpoint(west, east) - span / 2.0,
            north: middle.clamp(span / 2.0 - 90.0, 90.0),
            span,
        }
    }

    fn project(self, (latitude, longitude): (f64, f64)) -> (f64, f64) {
        let scale = 1000.0 / self.span;
        ((longitude - self.west).rem_euclid(WORLD) * scale, (self.north - latitude) * scale)
    }

    /// A bow between two places; over the map's edges where that is the shorter way, in two pieces.
    fn arc(self, from: (f64, f64), to: (f64, f64)) -> String {
        let (start, end) = (self.project(from), self.project(to));
        let round = WORLD * 1000.0 / self.span;
        if (start.0 - end.0).abs() * 2.0 <= round {
            return bow(start, end);
        }
        let shift = if start.0 > end.0 { round } else { -round };
        let near = bow(start, (end.0 + shift, end.1));
        let far = bow((start.0 - shift, start.1), end);
        format!("{near}{far}")
    }

    /// Meridians and parallels, a dozen at most each way.
    fn graticule(self) -> Vec<Line> {
        let step = [1.0, 2.0, 5.0, 10.0, 15.0].into_iter().find(|step| self.span / step <= 12.0);
        let step = step.unwrap_or(30.0);
        let meridians = multiples(step, self.west, self.west + self.span).map(|degrees| {
            let x = (degrees - self.west) * 1000.0 / self.span;
            let east = (degrees + 180.0).rem_euclid(WORLD) - 180.0;
            Line {
                path: format!("M{x:.1} 0V500"),
                degrees: format!("{:.0}° {}", east.abs(), if east < 0.0 { "W" } else { "E" }),
                x: format!("{:.0}", x + 4.0),
                y: "494".to_owned(),
            }
        });
        let parallels = multiples(step, self.north - self.span / 2.0, self.north).map(|degrees| {
            let (_, y) = self.project((degrees, self.west));
            Line {
                path: format!("M0 {y:.1}H1000"),
                degrees: format!("{:.0}° {}", degrees.abs(), if degrees < 0.0 { "S" } else { "N" }),
                x: "4".to_owned(),
                y: format!("{:.0}", y - 4.0),
            }
        });
        meridians.chain(parallels).collect()
    }
}

/// The multiples of `step` between two values, both left out.
fn multiples(step: f64, from: f64, until: f64) -> impl Iterator<Item = f64> {
    let first = ((from / step).floor() + 1.0) * step;
    std::iter::successors(Some(first), move |at| Some(at + step)).take_while(move |at| *at < until)
}

/// Degrees around the world.
const WORLD: f64 = 360.0;
/// A map is so much wider than what it holds: bows and names need room.
const ROOM: f64 = 1.5;
/// Degrees that a map shows at least, so that two near places do not fill it.
const SPAN_LEAST: f64 = 12.0;

fn bow(start: (f64, f64), end: (f64, f64)) -> String {
    let middle = f64::midpoint(start.0, end.0);
    let lift = (start.0 - end.0).hypot(start.1 - end.1) * 0.2 + 4.0;
    let top = f64::midpoint(start.1, end.1) - lift;
    format!("M{:.1} {:.1}Q{middle:.1} {top:.1} {:.1} {:.1}", start.0, start.1, end.0, end.1)
}

#[expect(clippy::cast_precision_loss, reason = "a line's width needs no more")]
fn width(count: i64, most: i64) -> String {
    format!("{:.1}", 1.5 + 6.0 * (count as f64 / most as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::{POSITIONS, draw};
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn a_way_is_drawn_between_its_places_and_an_unknown_place_is_named() {
        let ways = BTreeMap::from([("VVO-FNJ".to_owned(), 9), ("VVO-QQQ".to_owned(), 1)]);
        let map = draw(&ways, &BTreeSet::from(["VVO-FNJ".to_owned()]));
        assert_eq!((map.ways.len(), map.ways[0].risk), (1, true));
        assert_eq!(map.unknown, ["QQQ"]);
        let codes: Vec<_> = map.places.iter().map(|place| place.code.as_str()).collect();
        assert_eq!(codes, ["FNJ", "VVO"]);
        assert!(POSITIONS.len() > 60);
    }

    fn at(map: &super::Map, code: &str) -> (f64, f64) {
        let place = map.places.iter().find(|place| place.code == code).unwrap();
        (place.x.parse().unwrap(), place.y.parse().unwrap())
    }

    fn drawn(ways: &[&str]) -> super::Map {
        draw(&ways.iter().map(|way| ((*way).to_owned(), 1)).collect(), &BTreeSet::new())
    }

    #[test]
    fn a_map_is_of_where_its_ways_lie() {
        let map = drawn(&["VVO-FNJ"]);
        let (vladivostok, pyongyang) = (at(&map, "VVO"), at(&map, "FNJ"));
        // Six degrees apart: on a map of the world eighteen of its thousand units.
        assert!(vladivostok.0 - pyongyang.0 > 400.0, "{vladivostok:?} {pyongyang:?}");
        assert!(pyongyang.0 > 50.0 && vladivostok.0 < 950.0 && vladivostok.1 > 50.0);
        assert!(map.graticule.iter().any(|line| line.degrees == "130° E"));
    }

    #[test]
    fn the_pacific_is_not_torn_apart() {
        let map = drawn(&["NRT-LAX"]);
        assert_eq!(map.ways[0].path.matches('M').count(), 1);
        assert!(at(&map, "NRT").0 < at(&map, "LAX").0);
    }

    #[test]
    fn around_the_whole_world_the_shorter_way_leaves_at_the_edges() {
        let map = drawn(&["LAX-CDG", "NRT-CDG", "NRT-LAX"]);
        let pieces: Vec<_> = map.ways.iter().map(|way| way.path.matches('M').count()).collect();
        assert_eq!(pieces, [1, 2, 1]);
    }

    #[test]
    fn without_a_place_it_is_the_world() {
        assert_eq!(drawn(&[]).graticule.len(), 11 + 5);
    }
}
