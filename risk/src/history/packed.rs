//! A digest in few bytes: numbers in as many bytes as they need, repeated texts by number.
//!
//! Format of one digest, in this order: inspection; nanosecond of `opened`; `money_at` as seconds
//! after `opened` and a nanosecond; direction, role, group kind (0 for none); four flags; places;
//! records, each less the one before; keys of persons; references, key and text; keys of owners,
//! recipients, addresses, telephones, groups; route; day of birth; sums carried and declared; who
//! released. Numbers are LEB128, signed ones zigzag; a list begins with its length; what may be
//! absent begins with 0 or 1. The station and the second of `opened` lie beside it. It never leaves
//! the memory of one process, so it carries no version.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use tidewaiter_proto::body::{Direction, GroupKind, Role};
use tidewaiter_proto::money::Currency;
use tidewaiter_proto::station::StationId;

use super::{Digest, Key};

/// Texts that many digests repeat, each kept once.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    texts: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
}

impl Texts {
    fn number(&mut self, text: &str) -> u64 {
        if let Some(number) = self.numbers.get(text) {
            return u64::from(*number);
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        u64::from(number)
    }

    fn text(&self, number: u64) -> Option<&str> {
        usize::try_from(number).ok().and_then(|at| self.texts.get(at)).map(|text| &**text)
    }
}

const DIRECTIONS: [Direction; 3] = [Direction::Entry, Direction::Exit, Direction::Transit];
const ROLES: [Role; 4] = [Role::Passenger, Role::Crew, Role::Master, Role::Consignment];
const GROUP_KINDS: [GroupKind; 3] = [GroupKind::Family, GroupKind::Booking, GroupKind::Tour];

/// Packs a digest.
pub(super) fn pack(digest: &Digest, texts: &mut Texts) -> Box<[u8]> {
    let mut out = Writer(Vec::with_capacity(96));
    out.number(texts.number(digest.station.as_str()));
    out.inspection(&digest.inspection);
    out.signed(digest.opened.subsec_nanosecond().into());
    out.signed(digest.money_at.as_second().saturating_sub(digest.opened.as_second()));
    out.signed(digest.money_at.subsec_nanosecond().into());
    out.one_of(&DIRECTIONS, digest.direction.as_ref());
    out.one_of(&ROLES, digest.role.as_ref());
    out.one_of(&GROUP_KINDS, digest.group_kind.as_ref());
    let flags = [digest.guardian, digest.alarm, digest.cash_in_transit, digest.counted];
    out.0.push(flags.iter().enumerate().fold(0, |sum, (at, flag)| sum | (u8::from(*flag) << at)));
    out.length(digest.places.len());
    for place in &digest.places {
        out.number(texts.number(place));
    }
    out.length(digest.records.len());
    let mut before = 0_u64;
    for record in &digest.records {
        out.number(record.wrapping_sub(before));
        before = *record;
    }
    out.keys(&digest.persons);
    out.length(digest.references.len());
    for (key, text) in &digest.references {
        out.key(*key);
        out.text(text);
    }
    for keys in
        [&digest.owners, &digest.recipients, &digest.addresses, &digest.phones, &digest.groups]
    {
        out.keys(keys);
    }
    out.optional(digest.route, Writer::key);
    out.optional(digest.born, Writer::day);
    out.optional(digest.carried.as_deref(), Writer::sums);
    out.optional(digest.declared.as_deref(), Writer::sums);
    let officer = digest.released_by.as_ref().map(|officer| texts.number(officer));
    out.optional(officer, Writer::number);
    out.0.into()
}

/// The digest that was packed; `second` is that of `opened`. `None` for bytes of anything else.
pub(super) fn unpack(bytes: &[u8], second: i64, texts: &Texts) -> Option<Digest> {
    let mut read = Reader(bytes);
    let station: StationId = texts.text(read.number()?)?.parse().ok()?;
    let inspection = read.inspection()?;
    let opened = read.instant(second)?;
    let later = read.signed()?;
    let money_at = read.instant(second.checked_add(later)?)?;
    let direction = read.one_of(&DIRECTIONS)?;
    let role = read.one_of(&ROLES)?;
    let group_kind = read.one_of(&GROUP_KINDS)?;
    let flags = read.byte()?;
    let places = read.list(|read| texts.text(read.number()?).map(Into::into))?;
    let mut before = 0_u64;
    let records = read.list(|read| {
        before = before.wrapping_add(read.number()?);
        Some(before)
    })?;
    let persons = read.keys()?;
    let references = read.list(|read| Some((read.key()?, read.text()?)))?;
    let (owners, recipients) = (read.keys()?, read.keys()?);
    let (addresses, phones, groups) = (read.keys()?, read.keys()?, read.keys()?);
    Some(Digest {
        station,
        inspection,
        opened,
        money_at,
        direction,
        role,
        places,
        records,
        persons,
        references,
        owners,
        recipients,
        addresses,
        phones,
        groups,
        group_kind,
        guardian: flags & 1 != 0,
        alarm: flags & 2 != 0,
        cash_in_transit: flags & 4 != 0,
        counted: flags & 8 != 0,
        route: read.optional(Reader::key)?,
        born: read.optional(Reader::day)?,
        carried: read.optional(Reader::sums)?,
        declared: read.optional(Reader::sums)?,
        released_by: read.optional(|read| texts.text(read.number()?).map(Into::into))?,
    })
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(low(number) | 0x80);
            number >>= 7;
        }
        self.0.push(low(number));
    }

    fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)).cast_unsigned());
    }

    fn length(&mut self, length: usize) {
        self.number(u64::try_from(length).unwrap_or(u64::MAX));
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A UUID as its 16 bytes after a 0, anything else as text after a 1.
    fn inspection(&mut self, text: &str) {
        if let Some(bytes) = uuid(text) {
            self.0.push(0);
            self.0.extend_from_slice(&bytes);
        } else {
            self.0.push(1);
            self.text(text);
        }
    }

    fn one_of<T: PartialEq>(&mut self, all: &[T], value: Option<&T>) {
        let at = value.and_then(|value| all.iter().position(|own| own == value));
        self.length(at.map_or(0, |at| at + 1));
    }

    fn key(&mut self, key: Key) {
        self.0.extend_from_slice(&key.0.to_le_bytes());
    }

    fn keys(&mut self, keys: &[Key]) {
        self.length(keys.len());
        for key in keys {
            self.key(*key);
        }
    }

    fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.0.push(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn day(&mut self, day: Date) {
        self.signed(day.year().into());
        self.0.extend([day.month().cast_unsigned(), day.day().cast_unsigned()]);
    }

    fn sums(&mut self, sums: &[(Currency, Decimal)]) {
        self.length(sums.len());
        for (currency, amount) in sums {
            self.0.extend_from_slice(currency.as_str().as_bytes());
            self.number(amount.scale().into());
            let mantissa = amount.mantissa();
            // 96 bits and a sign: the low 64 bits, then the rest.
            let magnitude = mantissa.unsigned_abs();
            self.number(u64::try_from(magnitude & u128::from(u64::MAX)).unwrap_or(u64::MAX));
            let high = u64::try_from(magnitude >> 64).unwrap_or(u64::MAX);
            self.number((high << 1) | u64::from(mantissa < 0));
        }
    }
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0_u64, 0_u32);
        loop {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
            shift += 7;
        }
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn text(&mut self) -> Option<Box<str>> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest): (&'b [u8], &'b [u8]) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok().map(Into::into)
    }

    fn inspection(&mut self) -> Option<Box<str>> {
        match self.byte()? {
            0 => Some(uuid_text(self.bytes()?).into()),
            _ => self.text(),
        }
    }

    fn instant(&mut self, second: i64) -> Option<Timestamp> {
        Timestamp::new(second, i32::try_from(self.signed()?).ok()?).ok()
    }

    #[expect(clippy::option_option, reason = "none of them, or no such bytes")]
    fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<Option<T>> {
        match usize::try_from(self.number()?).ok()? {
            0 => Some(None),
            at => all.get(at - 1).map(|value| Some(*value)),
        }
    }

    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Box<[T]>> {
        let length = self.number()?;
        (0..length).map(|_| read(self)).collect()
    }

    fn key(&mut self) -> Option<Key> {
        self.bytes().map(|bytes| Key(u64::from_le_bytes(bytes)))
    }

    fn keys(&mut self) -> Option<Box<[Key]>> {
        self.list(Self::key)
    }

    #[expect(clippy::option_option, reason = "absent, or no such bytes")]
    fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.byte()? == 0 { Some(None) } else { read(self).map(Some) }
    }

    fn day(&mut self) -> Option<Date> {
        let year = i16::try_from(self.signed()?).ok()?;
        let [month, day] = self.bytes()?;
        Date::new(year, month.cast_signed(), day.cast_signed()).ok()
    }

    fn sums(&mut self) -> Option<Vec<(Currency, Decimal)>> {
        let sums = self.list(|read| {
            let code: [u8; 3] = read.bytes()?;
            let currency = std::str::from_utf8(&code).ok()?.parse().ok()?;
            let scale = u32::try_from(read.number()?).ok()?;
            let (low, high) = (read.number()?, read.number()?);
            let magnitude = (i128::from(high >> 1) << 64) | i128::from(low);
            let mantissa = if high & 1 == 1 { -magnitude } else { magnitude };
            Some((currency, Decimal::try_from_i128_with_scale(mantissa, scale).ok()?))
        })?;
        Some(sums.into_vec())
    }
}

/// The seven low bits.
fn low(number: u64) -> u8 {
    u8::try_from(number & 0x7f).unwrap_or_default()
}

/// Places of the hyphens in a UUID as text.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// The bytes of a UUID written as usual, in lower case; `None` for any other text.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let written = text.as_bytes();
    if written.len() != 36 || HYPHENS.iter().any(|at| written.get(*at) != Some(&b'-')) {
        return None;
    }
    let digits: Vec<u8> = written.iter().copied().filter(|byte| *byte != b'-').collect();
    if digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut bytes = [0; 16];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}

fn uuid_text(bytes: [u8; 16]) -> String {
    let mut text = hex::encode(bytes);
    for at in HYPHENS {
        text.insert(at, '-');
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Reader, Texts, Writer, pack, unpack};
    use crate::history::{Digest, Key};

    fn key() -> impl Strategy<Value = Key> {
        any::<u64>().prop_map(Key)
    }

    fn keys() -> impl Strategy<Value = Box<[Key]>> {
        prop::collection::vec(key(), 0..4).prop_map(Into::into)
    }

    fn instant() -> impl Strategy<Value = jiff::Timestamp> {
        (-377_705_023_201_i64..253_402_207_200, 0..1_000_000_000_i32)
            .prop_map(|(second, nanos)| jiff::Timestamp::new(second, nanos).unwrap())
    }

    fn sums()
    -> impl Strategy<Value = Option<Vec<(tidewaiter_proto::money::Currency, rust_decimal::Decimal)>>>
    {
        let sum = ("[A-Z]{3}", -(1_i128 << 95)..(1_i128 << 95), 0..=28_u32).prop_map(
            |(currency, mantissa, scale)| {
                let amount = rust_decimal::Decimal::from_i128_with_scale(mantissa, scale);
                (currency.parse().unwrap(), amount)
            },
        );
        prop::option::of(prop::collection::vec(sum, 0..4))
    }

    fn digest() -> impl Strategy<Value = Digest> {
        let names = (
            "[a-z]{5}/[a-z]{1,8}",
            prop_oneof!["[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", ".{0,40}"],
            prop::collection::vec("[A-Z]{3,5}", 0..4),
            prop::collection::vec((key(), ".{1,12}"), 0..3),
            prop::option::of("[a-z]{1,8}"),
        );
        let keys = (keys(), keys(), keys(), keys(), keys(), keys(), prop::option::of(key()));
        let kinds = (0..=3_usize, 0..=4_usize, 0..=3_usize);
        let facts = (
            prop::collection::vec(any::<u64>(), 0..4),
            any::<[bool; 4]>(),
            prop::option::of((-9999..=9999_i16, 1..=12_i8, 1..=28_i8)),
            sums(),
            sums(),
        );
        (names, instant(), instant(), keys, kinds, facts).prop_map(
            |(names, opened, money_at, keys, kinds, facts)| {
                let (station, inspection, places, references, released_by) = names;
                let (persons, owners, recipients, addresses, phones, groups, route) = keys;
                let (records, flags, born, carried, declared) = facts;
                let [guardian, alarm, cash_in_transit, counted] = flags;
                Digest {
                    station: station.parse().unwrap(),
                    inspection: inspection.into(),
                    opened,
                    money_at,
                    direction: kinds.0.checked_sub(1).map(|at| super::DIRECTIONS[at]),
                    role: kinds.1.checked_sub(1).map(|at| super::ROLES[at]),
                    places: places.into_iter().map(Into::into).collect(),
                    records: records.into(),
                    persons,
                    references: references.into_iter().map(|(k, t)| (k, t.into())).collect(),
                    owners,
                    recipients,
                    addresses,
                    phones,
                    groups,
                    group_kind: kinds.2.checked_sub(1).map(|at| super::GROUP_KINDS[at]),
                    guardian,
                    born: born.map(|(y, m, d)| jiff::civil::date(y, m, d)),
                    route,
                    carried,
                    counted,
                    declared,
                    alarm,
                    cash_in_transit,
                    released_by: released_by.map(Into::into),
                }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_out_whole(digest in digest()) {
            let mut texts = Texts::default();
            let bytes = pack(&digest, &mut texts);
            let out = unpack(&bytes, digest.opened.as_second(), &texts);
            prop_assert_eq!(out.as_ref(), Some(&digest));
            // Nothing shorter is anything.
            let cut = bytes.len() - 1;
            prop_assert!(unpack(&bytes[..cut], digest.opened.as_second(), &texts).is_none());
        }

        #[test]
        fn numbers_come_out_as_they_went_in(number in any::<u64>(), signed in any::<i64>()) {
            let mut out = Writer(Vec::new());
            out.number(number);
            out.signed(signed);
            let mut read = Reader(&out.0);
            prop_assert_eq!((read.number(), read.signed()), (Some(number), Some(signed)));
            prop_assert!(read.0.is_empty());
        }
    }

    #[test]
    fn a_uuid_takes_sixteen_bytes_and_keeps_its_text() {
        let mut out = Writer(Vec::new());
        out.inspection("0193a7c0-0000-7000-8000-00000000002a");
        assert_eq!(out.0.len(), 17);
        // Upper case is another text.
        out.inspection("0193A7C0-0000-7000-8000-00000000002A");
        let mut read = Reader(&out.0);
        let texts = [read.inspection().unwrap(), read.inspection().unwrap()];
        assert_eq!(&*texts[0], "0193a7c0-0000-7000-8000-00000000002a");
        assert_eq!(&*texts[1], "0193A7C0-0000-7000-8000-00000000002A");
    }
}
