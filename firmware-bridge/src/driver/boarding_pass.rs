//! Boarding-pass scanners: one scan a frame, an AIM identifier before it, into
//! `boarding_pass_read`.
//!
//! The bar code has no year: each flight is on the day nearest to the clock. The selectee flag
//! and the frequent-flyer number are not the checkpoint's business and go no further than here.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use tidewaiter_codec::bcbp::{self, BoardingPass};
use tidewaiter_codec::delimited::{Symbology, Text, split_aim};
use tidewaiter_codec::stream::Item;
use tidewaiter_proto::body::{BoardingPassRead, Body, Leg};

use super::Clock;
use super::session::{Decoder, Outcome};
use super::text::Frames;

/// Reads passes.
pub(super) struct Scanner {
    frames: Frames,
    now: Clock,
}

impl Scanner {
    pub(super) fn new(now: Clock) -> Self {
        Self { frames: Frames::new(), now }
    }

    fn outcomes(&self, items: &[Item<Text>]) -> Vec<Outcome> {
        let today = TimeZone::UTC.to_datetime((self.now)()).date();
        let outcome = |item: &Item<Text>| match item {
            Item::Frame(text) => scanned(&text.text, today),
            Item::Fault(fault) => Outcome::fault(fault),
        };
        items.iter().map(outcome).collect()
    }
}

impl Decoder for Scanner {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Outcome> {
        let items = self.frames.feed(bytes);
        self.outcomes(&items)
    }

    fn idle(&mut self) -> Vec<Outcome> {
        let items = self.frames.idle();
        self.outcomes(&items)
    }

    fn silence(&self) -> Option<Duration> {
        Some(Duration::from_millis(200))
    }
}

fn scanned(text: &str, today: Date) -> Outcome {
    let (symbology, text) = split_aim(text);
    if symbology == Some(Symbology::Itf) {
        let told = "a bag tag was scanned, not a boarding pass";
        return Outcome::Refused("bag_tag", told.to_owned());
    }
    match bcbp::parse(text) {
        Ok(pass) => pass_read(&pass, today).map_or_else(
            || {
                let told = "the pass is for day 366 of a year without one: read it by eye";
                Outcome::Refused("bad_julian_day", told.to_owned())
            },
            |read| Outcome::Reading(Body::BoardingPassRead(read)),
        ),
        Err(error) => Outcome::Refused(error.name(), format!("{error}: scan the pass again")),
    }
}

fn pass_read(pass: &BoardingPass, today: Date) -> Option<BoardingPassRead> {
    let present = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let leg = |leg: &bcbp::Leg| {
        Some(Leg {
            pnr: leg.pnr.clone(),
            from: leg.origin.clone(),
            to: leg.destination.clone(),
            carrier: leg.carrier.clone(),
            number: leg.flight.clone(),
            date: leg.date_near(today)?,
            seat: present(&leg.seat),
            sequence: present(&leg.sequence),
        })
    };
    Some(BoardingPassRead {
        passenger: pass.passenger.clone(),
        legs: pass.legs.iter().map(leg).collect::<Option<_>>()?,
        bag_tags: pass.bags().iter().map(|tag| tag.as_str().to_owned()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Decoder, Outcome, Scanner};
    use jiff::Timestamp;
    use std::sync::Arc;
    use tidewaiter_proto::body::Body;

    const PASS: &str = "M1KIM/CHOLSU          EJSDEMO VVOFNJJS 0272 320Y012C0042 100";

    fn outcomes(now: &str, bytes: &str) -> Vec<Outcome> {
        let now: Timestamp = now.parse().unwrap();
        Scanner::new(Arc::new(move || now)).feed(bytes.as_bytes())
    }

    #[test]
    fn a_scan_becomes_a_pass_on_the_day_nearest_to_the_clock() {
        for (now, date) in
            [("2018-11-16T03:12:00Z", "2018-11-16"), ("2021-01-02T00:00:00Z", "2020-11-15")]
        {
            let read = outcomes(now, &format!("]L0{PASS}\r"));
            let [Outcome::Reading(Body::BoardingPassRead(pass))] = read.as_slice() else {
                panic!("{read:?}")
            };
            assert_eq!((pass.legs[0].to.as_str(), pass.legs[0].number.as_str()), ("FNJ", "0272"));
            assert_eq!(pass.legs[0].date.to_string(), date);
            assert_eq!(pass.legs[0].seat.as_deref(), Some("012C"));
        }
    }

    #[test]
    fn what_is_no_pass_is_named() {
        let now = "2018-11-16T03:12:00Z";
        for (bytes, name) in [
            (format!("]L0{}\r", &PASS[..40]), "too_short"),
            ("]I00012345678\r".to_owned(), "bag_tag"),
            (format!("{}366{}\r", &PASS[..44], &PASS[47..]), "bad_julian_day"),
        ] {
            let refused = outcomes(now, &bytes);
            let [Outcome::Refused(found, _)] = refused.as_slice() else { panic!("{refused:?}") };
            assert_eq!(*found, name);
        }
    }
}
