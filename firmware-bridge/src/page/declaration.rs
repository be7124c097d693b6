//! The declaration, one thing a page: cash, owner, recipient, origin, use, check.
//!
//! What was typed lives in a draft until it is recorded, also when it is wrong. The fields are
//! those of Implementing Regulation (EU) 2021/776 Annex I part 1 sections 4 to 8; who travels and
//! how is in the inspection's other records.

use jiff::Timestamp;
use jiff::civil::Date;
use tidewaiter_proto::body::{DeclarationMade, Form, OriginDocument};
use tidewaiter_proto::document::Person;
use tidewaiter_proto::party::{Address, OnBehalfOf, Organisation, Party};
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::text::Text;

use super::money;
use super::opening::{is_country, some};

/// One page of the declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Cash,
    Owner,
    Recipient,
    Origin,
    Use,
    Check,
}

impl Step {
    pub(super) const ALL: &[Self] =
        &[Self::Cash, Self::Owner, Self::Recipient, Self::Origin, Self::Use, Self::Check];

    /// The name in the address.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Owner => "owner",
            Self::Recipient => "recipient",
            Self::Origin => "origin",
            Self::Use => "use",
            Self::Check => "check",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|step| step.as_str() == name)
    }

    /// The page after this one.
    pub(super) fn next(self) -> Self {
        let after = Self::ALL.iter().skip_while(|step| **step != self).nth(1);
        after.copied().unwrap_or(Self::Check)
    }

    /// The page before this one; `None` on the first.
    pub(super) fn previous(self) -> Option<Self> {
        Self::ALL.iter().rev().skip_while(|step| **step != self).nth(1).copied()
    }

    /// Its number as people count.
    pub(super) fn number(self) -> usize {
        Self::ALL.iter().position(|step| *step == self).unwrap_or(0) + 1
    }
}

/// Puts a posted page over the draft: its own fields are replaced, a box that was unticked is gone.
pub(super) fn merge(draft: &mut Fields, step: Step, posted: &Fields) {
    match step {
        Step::Cash => money::clear_rows(draft),
        Step::Origin => {
            for name in ["provenance", "provenance_note", "document_kind", "document_reference"] {
                draft.remove(name);
            }
        }
        Step::Use => draft.remove("intended_use"),
        Step::Owner | Step::Recipient | Step::Check => {}
    }
    draft.merge(posted);
}

/// What is wrong on one page.
pub(super) fn check(text: Text, step: Step, draft: &Fields) -> Problems {
    let mut problems = Problems::default();
    match step {
        Step::Cash => {
            let items = money::read(text, draft, &mut problems);
            if items.is_empty() && problems.is_empty() {
                problems.add("amount-0", text.say("declare-need-cash"));
            }
        }
        Step::Owner => drop(party(text, "owner", draft, &mut problems)),
        Step::Recipient => drop(party(text, "recipient", draft, &mut problems)),
        Step::Origin => {
            if draft.all("provenance").is_empty() {
                problems.add("provenance", text.say("declare-need-provenance"));
            }
            if draft.has("provenance", "other") && draft.get("provenance_note").is_empty() {
                problems.add("provenance_note", text.say("declare-need-provenance-note"));
            }
        }
        Step::Use => {
            if draft.all("intended_use").is_empty() {
                problems.add("intended_use", text.say("declare-need-use"));
            }
        }
        Step::Check => {
            if form(draft.get("form")).is_none() {
                problems.add("form", text.say("declare-need-form"));
            }
        }
    }
    problems
}

/// The first page that still needs something, before the last.
pub(super) fn first_incomplete(text: Text, draft: &Fields) -> Option<Step> {
    let questions = Step::ALL.iter().copied().filter(|step| *step != Step::Check);
    questions.into_iter().find(|step| !check(text, *step, draft).is_empty())
}

/// The declaration of a complete draft.
pub(super) fn declaration(
    text: Text,
    draft: &Fields,
    reference: String,
    signed_at: Timestamp,
) -> Option<DeclarationMade> {
    let mut problems = Problems::default();
    let items = money::read(text, draft, &mut problems);
    let owner = party(text, "owner", draft, &mut problems)?;
    let recipient = party(text, "recipient", draft, &mut problems)?;
    if !problems.is_empty() || items.is_empty() {
        return None;
    }
    let codes = |name: &str| draft.all(name).into_iter().map(str::to_owned).collect();
    let document = OriginDocument {
        kind: draft.get("document_kind").to_owned(),
        reference: draft.get("document_reference").to_owned(),
    };
    Some(DeclarationMade {
        reference,
        form: form(draft.get("form"))?,
        items,
        owner,
        recipient,
        sender: None,
        provenance: codes("provenance"),
        intended_use: codes("intended_use"),
        provenance_note: some(draft.get("provenance_note")),
        origin_documents: if document.reference.is_empty() { Vec::new() } else { vec![document] },
        signed_at,
    })
}

fn form(code: &str) -> Option<Form> {
    FORMS.iter().find(|(name, _)| *name == code).map(|(_, form)| *form)
}

/// The party of a role (`owner`, `recipient`), from fields named `ROLE` and `ROLE-…`.
fn party(text: Text, role: &str, fields: &Fields, problems: &mut Problems) -> Option<OnBehalfOf> {
    let name = |column: &str| format!("{role}-{column}");
    let value = |column: &str| fields.get(&name(column));
    let country = |column: &str, problems: &mut Problems| {
        let code = value(column).to_ascii_uppercase();
        if !code.is_empty() && !is_country(&code) {
            problems.add(name(column), text.say("bad-country"));
        }
        some(&code)
    };
    let before = problems.0.len();
    let party = match fields.get(role) {
        "self" => return Some(OnBehalfOf::SELF),
        "person" => {
            if value("surname").is_empty() {
                problems.add(name("surname"), text.say("declare-need-surname"));
            }
            let date_of_birth = date(value("birth"));
            if !value("birth").is_empty() && date_of_birth.is_none() {
                problems.add(name("birth"), text.say("bad-date"));
            }
            let residence = country("person-country", problems);
            Party::Person {
                person: Person {
                    surname: value("surname").to_owned(),
                    given_names: value("given").to_owned(),
                    date_of_birth,
                    sex: None,
                    nationality: some(&value("nationality").to_ascii_uppercase()),
                    residence: residence.clone(),
                    document: None,
                },
                address: address(value("person-address"), residence),
                phone: some(value("person-phone")),
            }
        }
        "organisation" => {
            if value("name").is_empty() {
                problems.add(name("name"), text.say("declare-need-name"));
            }
            let registered = country("registration-country", problems);
            Party::Organisation(Organisation {
                name: value("name").to_owned(),
                address: address(value("address"), registered.clone()),
                registration_country: registered,
                registration_number: some(value("registration-number")),
                phone: some(value("phone")),
                email: some(value("email")),
            })
        }
        _ => {
            let message =
                if role == "owner" { "declare-need-owner" } else { "declare-need-recipient" };
            problems.add(role, text.say(message));
            return None;
        }
    };
    (problems.0.len() == before).then(|| OnBehalfOf::Party(Box::new(party)))
}

fn address(lines: &str, country: Option<String>) -> Option<Address> {
    let lines: Vec<String> = lines.lines().filter_map(some).collect();
    (!lines.is_empty()).then(|| Address { lines, country: country.unwrap_or_default() })
}

/// A day as `1975-03-31` or `31.03.1975`; a slash is refused, since it is read two ways.
pub(super) fn date(typed: &str) -> Option<Date> {
    if let Ok(date) = typed.parse::<Date>() {
        return Some(date);
    }
    let mut parts = typed.splitn(3, '.').map(|part| part.trim().parse::<i16>().ok());
    let (day, month, year) = (parts.next()??, parts.next()??, parts.next()??);
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

pub(super) const FORMS: &[(&str, Form)] = &[
    ("eu", Form::Eu),
    ("fincen105", Form::Fincen105),
    ("eaeu", Form::Eaeu),
    ("generic", Form::Generic),
];

pub(super) const PROVENANCE: &[&str] = &[
    "labour",
    "capital",
    "sale_immovable",
    "sale_movable",
    "loan_person",
    "loan_organisation",
    "gambling",
    "inheritance",
    "gift",
    "business",
    "other",
];

pub(super) const INTENDED_USE: &[&str] = &[
    "personal",
    "wages",
    "charity",
    "immovable",
    "movable",
    "loan_repayment",
    "gambling",
    "ship_cash",
    "professional",
    "goods_services",
    "other",
];

#[cfg(test)]
mod tests {
    use super::{Step, check, date, declaration, first_incomplete, merge};
    use tidewaiter_proto::party::OnBehalfOf;
    use tidewaiter_web::form::Fields;
    use tidewaiter_web::language::Language;
    use tidewaiter_web::text::Text;

    const ENGLISH: Text = Text { language: Language::English };

    fn whole() -> Fields {
        Fields::read(
            b"kind-0=currency&currency-0=USD&amount-0=12000&owner=self&recipient=organisation&\
              recipient-name=Korea+Rungrado&recipient-registration-country=kp&provenance=labour&\
              intended_use=wages&intended_use=personal&form=eaeu",
        )
    }

    #[test]
    fn a_whole_draft_becomes_a_declaration() {
        let signed = "2018-11-16T03:00:00Z".parse().unwrap();
        let made = declaration(ENGLISH, &whole(), "D-1".to_owned(), signed).unwrap();
        assert_eq!(made.owner, OnBehalfOf::SELF);
        assert_eq!(made.recipient.party().unwrap().name(), "Korea Rungrado");
        assert_eq!(made.intended_use, ["wages", "personal"]);
        assert_eq!(first_incomplete(ENGLISH, &whole()), None);
    }

    #[test]
    fn each_page_names_what_it_still_needs() {
        for step in Step::ALL {
            let problems = check(ENGLISH, *step, &Fields::default());
            assert_eq!(problems.0.len(), 1, "{step:?}: {problems:?}");
        }
        assert_eq!(first_incomplete(ENGLISH, &Fields::default()), Some(Step::Cash));
    }

    #[test]
    fn an_unticked_box_is_gone_and_other_pages_stay() {
        let mut draft = whole();
        merge(&mut draft, Step::Use, &Fields::read(b"intended_use=gift"));
        assert_eq!(draft.all("intended_use"), ["gift"]);
        assert_eq!(draft.get("recipient-name"), "Korea Rungrado");
        merge(&mut draft, Step::Use, &Fields::default());
        assert!(draft.all("intended_use").is_empty());
    }

    #[test]
    fn a_day_is_read_only_where_it_can_be_read_one_way() {
        assert_eq!(date("1975-03-31"), date("31.03.1975"));
        for typed in ["03/31/1975", "31.13.1975", "31.3", "1975", ""] {
            assert_eq!(date(typed), None, "{typed}");
        }
    }

    #[test]
    fn pages_follow_one_another_and_lead_back() {
        assert_eq!((Step::Cash.next(), Step::Cash.previous()), (Step::Owner, None));
        assert_eq!((Step::Check.next(), Step::Check.previous()), (Step::Check, Some(Step::Use)));
    }
}
