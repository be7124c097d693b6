//! Passport readers: text frames, grouped into a machine-readable zone, into `document_read`.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use tidewaiter_codec::delimited::Text;
use tidewaiter_codec::mrz::{Mrz, MrzError, RowGroup, RowItem, Sex};
use tidewaiter_codec::stream::Item;
use tidewaiter_proto::body::{Body, DocumentRead};
use tidewaiter_proto::document::{Document, DocumentKind};

use super::Clock;
use super::session::{Decoder, Outcome};
use super::text::Frames;

/// Reads zones.
pub(super) struct Reader {
    frames: Frames,
    rows: RowGroup,
    now: Clock,
}

impl Reader {
    pub(super) fn new(now: Clock) -> Self {
        Self { frames: Frames::new(), rows: RowGroup::new(), now }
    }

    fn outcomes(&mut self, items: Vec<Item<Text>>) -> Vec<Outcome> {
        let today = TimeZone::UTC.to_datetime((self.now)()).date();
        let mut outcomes = Vec::new();
        for item in items {
            match item {
                Item::Frame(text) => {
                    let zones = self.rows.text(&text.text);
                    outcomes.extend(zones.iter().map(|zone| outcome(zone, today)));
                }
                Item::Fault(fault) => outcomes.push(Outcome::fault(&fault)),
            }
        }
        outcomes
    }
}

impl Decoder for Reader {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Outcome> {
        let items = self.frames.feed(bytes);
        self.outcomes(items)
    }

    fn idle(&mut self) -> Vec<Outcome> {
        let items = self.frames.idle();
        let mut outcomes = self.outcomes(items);
        // No zone is read by silence; what is pending lacks a row.
        let today = TimeZone::UTC.to_datetime((self.now)()).date();
        outcomes.extend(self.rows.idle().map(|zone| outcome(&zone, today)));
        outcomes
    }

    fn silence(&self) -> Option<Duration> {
        Some(RowGroup::SILENCE)
    }
}

fn outcome(item: &RowItem, today: Date) -> Outcome {
    match &item.zone {
        Ok(zone) => Outcome::Reading(Body::DocumentRead(document_read(zone, today))),
        Err(error) => {
            let again = match error {
                MrzError::Incomplete { .. } => "lay the document down again",
                _ => "the zone was misread, lay the document down again",
            };
            Outcome::Refused(error.name(), format!("{error}: {again}"))
        }
    }
}

/// The document of a zone; digits that fail are named, for the officer to compare by eye.
fn document_read(zone: &Mrz, today: Date) -> DocumentRead {
    let present = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    DocumentRead {
        document: Document {
            kind: kind(zone.document_kind()),
            number: zone.document_number.clone(),
            issuing_state: zone.issuer.clone(),
            expires_on: zone.date_of_expiry.nearest(today),
            surname: zone.surname.clone(),
            given_names: zone.given_names.clone(),
            date_of_birth: zone.date_of_birth.on_or_before(today),
            sex: match zone.sex {
                Sex::Unreadable(_) => None,
                sex => Some(sex.letter().to_string()),
            },
            nationality: present(&zone.nationality),
        },
        checks: zone
            .checks
            .named()
            .into_iter()
            .map(|(name, agrees)| (name.to_owned(), agrees))
            .collect(),
    }
}

fn kind(name: &str) -> DocumentKind {
    match name {
        "passport" => DocumentKind::Passport,
        "diplomatic_passport" => DocumentKind::DiplomaticPassport,
        "service_passport" => DocumentKind::ServicePassport,
        "id_card" => DocumentKind::IdCard,
        "visa" => DocumentKind::Visa,
        _ => DocumentKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Decoder, Outcome, Reader};
    use jiff::Timestamp;
    use proptest::prelude::*;
    use std::sync::Arc;
    use tidewaiter_proto::body::{Body, DocumentRead};

    const UPPER: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
    const LOWER: &str = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";

    fn reader() -> Reader {
        let now: Timestamp = "2011-01-01T00:00:00Z".parse().unwrap();
        Reader::new(Arc::new(move || now))
    }

    fn documents(outcomes: Vec<Outcome>) -> Vec<DocumentRead> {
        let read = outcomes.into_iter().filter_map(|outcome| match outcome {
            Outcome::Reading(Body::DocumentRead(read)) => Some(read),
            _ => None,
        });
        read.collect()
    }

    #[test]
    fn a_zone_becomes_a_document_with_its_dates_in_the_right_century() {
        let read = documents(reader().feed(format!("\x02{UPPER}\r{LOWER}\r\x03").as_bytes()));
        let [DocumentRead { document, checks }] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!((document.surname.as_str(), document.sex.as_deref()), ("ERIKSSON", Some("F")));
        assert_eq!(document.date_of_birth.unwrap().to_string(), "1974-08-12");
        assert_eq!(document.expires_on.unwrap().to_string(), "2012-04-15");
        assert!(checks.len() == 5 && checks.values().all(|agrees| *agrees), "{checks:?}");
    }

    #[test]
    fn a_failing_digit_is_named_and_the_document_still_shown() {
        let wrong = LOWER.replacen("7408122", "7408123", 1);
        let read = documents(reader().feed(format!("{UPPER}\r\n{wrong}\r\n").as_bytes()));
        let [DocumentRead { document, checks }] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!(document.surname, "ERIKSSON");
        assert!(!checks["date_of_birth"] && checks["document_number"], "{checks:?}");
    }

    #[test]
    fn a_row_alone_is_no_document() {
        let mut reader = reader();
        assert_eq!(reader.feed(format!("{UPPER}\r").as_bytes()), []);
        let outcomes = reader.idle();
        assert!(matches!(outcomes.as_slice(), [Outcome::Refused("mrz_incomplete", _)]));
    }

    proptest! {
        #[test]
        fn bytes_split_anywhere_give_the_same_document(cuts in prop::collection::vec(1_usize..40, 0..12)) {
            let bytes = format!("\x02{UPPER}\r{LOWER}\r\x03").into_bytes();
            let (mut reader, mut read, mut rest) = (reader(), Vec::new(), bytes.as_slice());
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let (part, after) = rest.split_at(cut.min(rest.len()));
                read.extend(documents(reader.feed(part)));
                rest = after;
            }
            prop_assert_eq!(read.len(), 1);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut reader = reader();
            let _outcomes = (reader.feed(&bytes), reader.idle());
        }
    }
}
