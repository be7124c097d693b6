//! Saying a message in a reader's language; numbers, amounts, days and hours as it writes them.

use std::borrow::{Borrow, Cow};

use fluent_bundle::{FluentArgs, FluentValue};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use tidewaiter_proto::money::{Amount, Currency};

use crate::language::Language;

/// The voice of a page: one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// Which language.
    pub language: Language,
}

impl Text {
    /// A voice in this language.
    pub fn new(language: Language) -> Self {
        Self { language }
    }

    /// The message of this name. A language that lacks it falls back to English, and a name that
    /// nobody knows is shown as it is: a page is never refused over a word.
    pub fn say(&self, name: &str) -> Cow<'static, str> {
        self.format(name, None).unwrap_or_else(|| Cow::Owned(name.to_owned()))
    }

    /// The message with one variable.
    pub fn say1(&self, name: &str, key: &str, value: impl Value) -> Cow<'static, str> {
        let mut args = FluentArgs::new();
        args.set(key, value.fluent());
        self.format(name, Some(&args)).unwrap_or_else(|| Cow::Owned(name.to_owned()))
    }

    /// The message with two variables.
    pub fn say2(
        &self,
        name: &str,
        key: &str,
        value: impl Value,
        other: &str,
        other_value: impl Value,
    ) -> Cow<'static, str> {
        let mut args = FluentArgs::new();
        args.set(key, value.fluent());
        args.set(other, other_value.fluent());
        self.format(name, Some(&args)).unwrap_or_else(|| Cow::Owned(name.to_owned()))
    }

    /// The words for a code, `PREFIX-CODE`; a code without words is shown as it is.
    pub fn code(&self, prefix: &str, code: &str) -> Cow<'static, str> {
        self.format(&format!("{prefix}-{code}"), None)
            .unwrap_or_else(|| Cow::Owned(code.to_owned()))
    }

    /// Whether there are words for a code.
    pub fn knows(&self, prefix: &str, code: &str) -> bool {
        Language::English.bundle().has_message(&format!("{prefix}-{code}"))
    }

    fn format(&self, name: &str, args: Option<&FluentArgs<'_>>) -> Option<Cow<'static, str>> {
        [self.language, Language::English].into_iter().find_map(|language| {
            let bundle = language.bundle();
            let pattern = bundle.get_message(name)?.value()?;
            let mut errors = Vec::new();
            // What cannot be filled in is left visible in the text.
            let text = bundle.format_pattern(pattern, args, &mut errors);
            Some(Cow::Owned(text.into_owned()))
        })
    }

    /// A whole number or decimal with its thousands grouped and no idle zeros.
    pub fn number(&self, number: impl Borrow<Decimal>) -> String {
        self.grouped(*number.borrow(), 0)
    }

    /// An amount, `USD 192,300`: code first, as on the forms.
    pub fn amount(&self, amount: &Amount) -> String {
        self.money(amount.currency, amount.amount)
    }

    /// An amount given as currency and number.
    pub fn money(&self, currency: Currency, amount: Decimal) -> String {
        // The no-break space keeps code and number on one line.
        format!("{currency}\u{a0}{}", self.grouped(amount, 2))
    }

    fn grouped(&self, number: Decimal, fraction_least: usize) -> String {
        let text = number.normalize().to_string();
        let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let (separator, point) =
            if self.language == Language::Russian { ('\u{a0}', ',') } else { (',', '.') };
        let mut out = String::from(sign);
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                out.push(separator);
            }
            out.push(digit);
        }
        if !fraction.is_empty() {
            out.push(point);
            out.push_str(fraction);
            for _ in fraction.len()..fraction_least {
                out.push('0');
            }
        }
        out
    }

    /// A day in words, `16 November 2018`.
    pub fn day(&self, date: impl Borrow<Date>) -> String {
        let date = *date.borrow();
        let month = self.code("month", &date.month().to_string());
        let mut args = FluentArgs::new();
        args.set("day", FluentValue::from(date.day().to_string()));
        args.set("month", FluentValue::from(month));
        args.set("year", FluentValue::from(date.year().to_string()));
        self.format("date-long", Some(&args)).map_or_else(|| date.to_string(), Cow::into_owned)
    }

    /// An instant's day in words, UTC.
    pub fn day_of(&self, at: impl Borrow<Timestamp>) -> String {
        self.day(TimeZone::UTC.to_datetime(*at.borrow()).date())
    }

    /// An instant as `2018-11-16 03:12:45` UTC: one notation, the same in every language.
    pub fn instant(&self, at: impl Borrow<Timestamp>) -> String {
        at.borrow().strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// An instant's hour, `03:12`, UTC.
    pub fn hour(&self, at: impl Borrow<Timestamp>) -> String {
        at.borrow().strftime("%H:%M").to_string()
    }

    /// How long ago, in the largest unit that says enough.
    pub fn ago(&self, then: Timestamp, now: Timestamp) -> Cow<'static, str> {
        let seconds = now.as_second().saturating_sub(then.as_second()).max(0);
        match seconds {
            0..60 => self.say("ago-now"),
            60..3600 => self.say1("ago-minutes", "count", seconds / 60),
            3600..86_400 => self.say1("ago-hours", "count", seconds / 3600),
            _ => self.say1("ago-days", "count", seconds / 86_400),
        }
    }
}

/// What a message's variable can be.
pub trait Value {
    /// The value as Fluent takes it.
    fn fluent(&self) -> FluentValue<'static>;
}

impl Value for str {
    fn fluent(&self) -> FluentValue<'static> {
        FluentValue::from(self.to_owned())
    }
}

impl Value for String {
    fn fluent(&self) -> FluentValue<'static> {
        self.as_str().fluent()
    }
}

impl Value for Cow<'_, str> {
    fn fluent(&self) -> FluentValue<'static> {
        self.as_ref().fluent()
    }
}

impl<T: Value + ?Sized> Value for &T {
    fn fluent(&self) -> FluentValue<'static> {
        (**self).fluent()
    }
}

macro_rules! whole_numbers {
    ($($kind:ty),+) => {
        $(impl Value for $kind {
            fn fluent(&self) -> FluentValue<'static> {
                FluentValue::from(*self)
            }
        })+
    };
}

whole_numbers!(u32, u64, i64, usize);

#[cfg(test)]
mod tests {
    use super::Text;
    use crate::language::Language;
    use tidewaiter_proto::money::{Amount, Currency};

    #[test]
    fn amounts_are_grouped_as_the_language_groups_them() {
        let amount = Amount { currency: Currency::USD, amount: "192300.5".parse().unwrap() };
        assert_eq!(Text::new(Language::English).amount(&amount), "USD\u{a0}192,300.50");
        assert_eq!(Text::new(Language::Russian).amount(&amount), "USD\u{a0}192\u{a0}300,50");
    }

    #[test]
    fn plurals_follow_the_language() {
        let russian = Text::new(Language::Russian);
        let forms: Vec<_> =
            [1_i64, 2, 5].iter().map(|n| russian.say1("ago-hours", "count", *n)).collect();
        assert_ne!(forms[0].replace('1', ""), forms[1].replace('2', ""));
        assert_ne!(forms[1].replace('2', ""), forms[2].replace('5', ""));
    }

    #[test]
    fn an_unknown_message_shows_its_name_and_refuses_no_page() {
        let nowhere = "no-such-message";
        assert_eq!(Text::new(Language::Korean).say(nowhere), nowhere);
    }

    #[test]
    fn days_are_written_out() {
        let date = jiff::civil::date(2018, 11, 16);
        assert_eq!(Text::new(Language::English).day(date), "16 November 2018");
        assert_eq!(Text::new(Language::Korean).day(date), "2018년 11월 16일");
    }
}
