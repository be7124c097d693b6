//! The filter of alerts as an address or a program writes it.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::facts::hundredths;
use crate::store::{AlertFilter, AlertOrder, Aside};

/// Reads a filter from named fields; several values are joined by commas. `me` is who asks.
///
/// # Errors
/// What is not valid, in words.
pub fn filter_from(
    field: impl Fn(&str) -> String,
    now: Timestamp,
    me: &str,
) -> Result<AlertFilter, &'static str> {
    let hours = |name: &str| -> Result<Option<Timestamp>, &'static str> {
        let text = field(name);
        if text.is_empty() {
            return Ok(None);
        }
        let hours: i64 = text.parse().map_err(|_| "an age is a whole number of hours")?;
        let before = (0..=HOURS_MAX)
            .contains(&hours)
            .then(|| now.checked_sub(SignedDuration::from_hours(hours)).ok())
            .flatten();
        before.map(Some).ok_or("an age is 0 to 876000 hours")
    };
    let amount = field("amount");
    let amount_least = if amount.is_empty() {
        None
    } else {
        let plain: String = amount.chars().filter(|c| !matches!(c, ',' | ' ' | '\u{a0}')).collect();
        let amount: Decimal = plain.parse().map_err(|_| "an amount is a number")?;
        Some(hundredths(amount))
    };
    let own = |text: String| if text == "me" { me.to_owned() } else { text };
    Ok(AlertFilter {
        state: field("state"),
        severity: field("severity"),
        code: field("code"),
        station: field("station"),
        site: field("site"),
        inspection: field("inspection"),
        assignee: own(field("assignee")),
        text: field("text"),
        route: field("route").to_uppercase(),
        rule: field("rule"),
        list: field("list"),
        subject: field("subject"),
        currency: field("currency").to_uppercase(),
        amount_least,
        since: hours("newer")?,
        until: hours("older")?,
        mentioned: own(field("mentioned")),
        aside: match field("aside").as_str() {
            "hidden" => Aside::Hidden,
            "alone" => Aside::Alone,
            "" | "shown" => Aside::Shown,
            _ => return Err("aside is hidden, alone or shown"),
        },
        order: match field("order").as_str() {
            "raised" => AlertOrder::Raised,
            "" | "weight" => AlertOrder::Weight,
            _ => return Err("order is weight or raised"),
        },
        now,
        sites: String::new(),
    })
}

/// A hundred years.
const HOURS_MAX: i64 = 876_000;
