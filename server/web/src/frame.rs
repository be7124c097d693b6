//! What is around every page: title, demonstration strip, navigation, languages.

use jiff::Timestamp;

use crate::assets;
use crate::language::Language;
use crate::text::Text;
use crate::visit::{SignedIn, Visit};

/// Which of the three pages this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The officer's page at a station.
    Station,
    /// The supervisor's desk.
    Desk,
    /// Headquarters.
    Headquarters,
}

impl Place {
    /// The name in class names and message names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Station => "station",
            Self::Desk => "desk",
            Self::Headquarters => "headquarters",
        }
    }
}

/// One entry of the navigation.
#[derive(Clone, Debug)]
pub struct Link {
    /// Where to.
    pub href: String,
    /// In words.
    pub label: String,
    /// Whether the reader is there.
    pub here: bool,
}

/// What a layout needs beside the page's own content.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The voice.
    pub text: Text,
    /// The page's title, without the product's name.
    pub title: String,
    /// Which page.
    pub place: Place,
    /// Name of the station or server, shown in the head.
    pub name: String,
    /// The clock of a demonstration, when this is one.
    pub demonstration: Option<Timestamp>,
    /// The navigation.
    pub links: Vec<Link>,
    /// Path and query of this page, to come back to after a change of language.
    pub path: String,
    /// Address of the stream of server-sent events, when the page is live.
    pub live: Option<&'static str>,
    /// Seconds after which a browser without JavaScript asks again; 0 for never.
    pub refresh_seconds: u32,
    /// Whether single-key shortcuts are on (WCAG 2.1.4: they can be turned off).
    pub keys: bool,
    /// Who is on duty, as far as the browser says.
    pub officer: Option<String>,
    /// Who is signed in, where there is sign-in.
    pub signed_in: Option<SignedIn>,
}

impl Frame {
    /// A frame for a reader; not live, no navigation.
    pub fn new(visit: &Visit, place: Place, title: impl Into<String>) -> Self {
        Self {
            text: visit.text,
            title: title.into(),
            place,
            name: String::new(),
            demonstration: None,
            links: Vec::new(),
            path: visit.path.clone(),
            live: None,
            refresh_seconds: 0,
            keys: visit.keys,
            officer: visit.officer.clone(),
            signed_in: visit.signed_in.clone(),
        }
    }

    /// Adds an entry to the navigation.
    #[must_use]
    pub fn link(mut self, href: &str, label: impl Into<String>, here: bool) -> Self {
        self.links.push(Link { href: href.to_owned(), label: label.into(), here });
        self
    }

    /// Address of the style sheet.
    pub fn style_sheet(&self) -> &'static str {
        assets::address("tidewaiter.css")
    }

    /// Address of the script.
    pub fn script(&self) -> &'static str {
        assets::address("tidewaiter.js")
    }

    /// Address of the mark, as icon.
    pub fn icon(&self) -> &'static str {
        assets::address("mark.svg")
    }

    /// The languages to choose from.
    pub fn languages(&self) -> &'static [Language] {
        Language::ALL
    }
}
