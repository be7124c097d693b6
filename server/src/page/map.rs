//! A map of ways, drawn here as SVG: nothing is loaded from elsewhere, it prints, and the table
//! beside it says the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// A map: the graticule, ways as arcs, places with their codes.
pub(super) struct Map {
    pub(super) graticule: Vec<String>,
    pub(super) ways: Vec<Way>,
    pub(super) places: Vec<Place>,
    /// Places whose position is not known.
    pub(super) unknown: Vec<String>,
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
    let (mut drawn, mut seen, mut unknown) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
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
            drawn.push(Way {
                path: arc(from, to),
                width: width(*count, most),
                title: format!("{way}: {count}"),
                risk: risk.contains(way),
            });
        }
    }
    let places = seen.into_iter().filter_map(|code| {
        let (x, y) = project(*POSITIONS.get(code)?);
        let text_y = format!("{:.0}", y - 9.0);
        Some(Place { code: code.to_owned(), x: format!("{x:.0}"), y: format!("{y:.0}"), text_y })
    });
    Map {
        graticule: graticule(),
        places: places.collect(),
        ways: drawn,
        unknown: unknown.into_iter().collect(),
    }
}

/// Plate carrée: 1000 wide from 180° west to 180° east, 500 high from 90° north.
fn project((latitude, longitude): (f64, f64)) -> (f64, f64) {
    ((longitude + 180.0) / 360.0 * 1000.0, (90.0 - latitude) / 180.0 * 500.0)
}

/// A bow between two places; over the Pacific where that is the shorter way, in two pieces.
fn arc(from: (f64, f64), to: (f64, f64)) -> String {
    let (start, end) = (project(from), project(to));
    if (start.0 - end.0).abs() <= 500.0 {
        return bow(start, end);
    }
    let shift = if start.0 > end.0 { 1000.0 } else { -1000.0 };
    let near = bow(start, (end.0 + shift, end.1));
    let far = bow((start.0 - shift, start.1), end);
    format!("{near}{far}")
}

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

fn graticule() -> Vec<String> {
    let meridians = (-150..=150).step_by(30).map(|degrees| {
        let (x, _) = project((0.0, f64::from(degrees)));
        format!("M{x:.0} 0V500")
    });
    let parallels = (-60..=60).step_by(30).map(|degrees| {
        let (_, y) = project((f64::from(degrees), 0.0));
        format!("M0 {y:.0}H1000")
    });
    meridians.chain(parallels).collect()
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

    #[test]
    fn a_way_over_the_pacific_does_not_cross_the_map() {
        let ways = BTreeMap::from([("NRT-LAX".to_owned(), 1)]);
        let map = draw(&ways, &BTreeSet::new());
        assert_eq!(map.ways[0].path.matches('M').count(), 2);
    }
}
