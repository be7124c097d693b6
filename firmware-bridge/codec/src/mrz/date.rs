//! Dates of a machine-readable zone: two-digit years, parts that may be unknown.
//!
//! Owns the century rule. It reads no clock: the day of the reading is an argument.

use jiff::civil::Date;

/// Six characters YYMMDD as read, `<` where a part is unknown; not necessarily a real day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MrzDate([u8; 6]);

impl MrzDate {
    /// From the field's bytes, which the caller has checked to be ASCII; fillers where any lack.
    pub(super) fn of(field: &[u8]) -> Self {
        let mut bytes = [b'<'; 6];
        for (byte, source) in bytes.iter_mut().zip(field) {
            *byte = *source;
        }
        Self(bytes)
    }

    /// The day as a zone prints it.
    pub fn from_day(day: Date) -> Self {
        Self::of(day.strftime("%y%m%d").to_string().as_bytes())
    }

    /// The six characters as read.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("<<<<<<")
    }

    /// The latest such day not after `today`: how a date of birth is read. `None` if a part is
    /// unknown or there is no such day (29 February of a common year).
    pub fn on_or_before(&self, today: Date) -> Option<Date> {
        self.in_centuries(today).filter(|day| *day <= today).max()
    }

    /// The such day nearest to `today`: how a date of expiry is read.
    pub fn nearest(&self, today: Date) -> Option<Date> {
        self.in_centuries(today).min_by_key(|day| day.duration_since(today).abs())
    }

    fn in_centuries(&self, today: Date) -> impl Iterator<Item = Date> + use<> {
        let [y1, y0, m1, m0, d1, d0] = self.0.map(|byte| char::from(byte).to_digit(10));
        let pair = |tens: Option<u32>, ones: Option<u32>| {
            Some(i16::try_from(tens?.saturating_mul(10).saturating_add(ones?)).unwrap_or_default())
        };
        let (year, month, day) = (pair(y1, y0), pair(m1, m0), pair(d1, d0));
        let century = today.year().saturating_sub(today.year().rem_euclid(100));
        [-100_i16, 0, 100].into_iter().filter_map(move |shift| {
            let year = century.checked_add(shift)?.checked_add(year?)?;
            Date::new(year, i8::try_from(month?).ok()?, i8::try_from(day?).ok()?).ok()
        })
    }
}
