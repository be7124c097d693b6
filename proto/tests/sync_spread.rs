//! A thousand stations that lost one server together do not come back together.

#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::time::Duration;

use tidewaiter_proto::chain::Head;
use tidewaiter_proto::signing::Signing;
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::sync::station::{Effect, Pace, Stand, Station};

const STATIONS: usize = 1000;

fn stations(records: u64) -> Vec<Station> {
    let server = Signing::from_seed(&[1; 32]).verifying();
    (0..STATIONS)
        .map(|number| {
            let name: StationId = format!("ruvvo/lane-{number:04}").parse().unwrap();
            let head = Head { seq: records, ..Head::genesis(&name, 1) };
            let seed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let stands = vec![Stand::new(1, head)];
            Station::new(name, server, Pace::default(), seed, stands, Duration::ZERO)
        })
        .collect()
}

/// What a station wants to do now.
fn effects(station: &mut Station) -> Vec<Effect> {
    std::iter::from_fn(|| station.effect()).collect()
}

#[test]
fn stations_that_lost_a_server_together_dial_it_one_after_the_other() {
    let mut stations = stations(1);
    // Nobody answers for ten minutes; each attempt is refused at once.
    let outage = Duration::from_mins(10);
    let step = Duration::from_millis(100);
    let mut now = Duration::ZERO;
    let mut dialled = Vec::new();
    while now < outage + Duration::from_mins(1) {
        for station in &mut stations {
            station.tick(now);
            if effects(station).contains(&Effect::Connect) {
                if now >= outage {
                    // It stands: nobody dials twice.
                    station.connected(1, now);
                    dialled.push(now);
                } else {
                    station.disconnected(now);
                }
            }
        }
        now += step;
    }
    assert_eq!(dialled.len(), STATIONS, "each is back within the longest delay");
    let busiest = (0..60)
        .map(|second| {
            let from = outage + Duration::from_secs(second);
            dialled.iter().filter(|at| (from..from + Duration::from_secs(1)).contains(at)).count()
        })
        .max();
    // Spread evenly it were 17 a second; the draws of full jitter begin a little denser.
    assert!(busiest.unwrap() <= STATIONS / 15, "{busiest:?} of {STATIONS} dial in one second");
}

#[test]
fn backlogs_of_stations_connected_together_do_not_begin_together() {
    let mut stations = stations(10_000);
    let mut began = vec![None; STATIONS];
    let mut fresh = 0;
    for millis in (0..4000).step_by(10) {
        let now = Duration::from_millis(millis);
        for (station, began) in stations.iter_mut().zip(&mut began) {
            if millis == 0 {
                station.connected(1, now);
            }
            station.tick(now);
            for effect in effects(station) {
                let Effect::Send(order) = effect else { continue };
                // What is new does not wait with it.
                if order.fresh {
                    assert_eq!(millis, 0);
                    fresh += 1;
                } else {
                    began.get_or_insert(millis);
                }
            }
        }
    }
    assert!(fresh >= STATIONS);
    let began: Vec<u64> = began.into_iter().map(|at| at.expect("each begins in time")).collect();
    for second in 0..3 {
        let count = began.iter().filter(|at| *at / 1000 == second).count();
        assert!((250..420).contains(&count), "{count} begin in second {second}");
    }
}

/// With any backlog a station has a handful of orders out, and remembers no record.
#[test]
fn what_a_station_remembers_does_not_grow_with_its_backlog() {
    for records in [100, 1_000_000, 1_000_000_000_000] {
        let mut station = stations(records).remove(0);
        station.connected(1, Duration::ZERO);
        let mut orders = 0;
        for second in 0..600 {
            let now = Duration::from_secs(second);
            station.tick(now);
            for effect in effects(&mut station) {
                if let Effect::Send(order) = effect {
                    orders += 1;
                    assert!(station.sent(order.id, order.to, order.bytes_max, now));
                }
            }
            let pace = Pace::default();
            let most = pace.fresh_batches + pace.backlog_batches;
            assert!(station.progress(now).in_flight <= most);
        }
        assert!(orders > 0);
    }
}
