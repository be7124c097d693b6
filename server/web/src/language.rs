//! The languages of the pages, and which one a reader gets.

use std::sync::LazyLock;

use fluent_bundle::FluentResource;
use fluent_bundle::concurrent::FluentBundle;
use unic_langid::LanguageIdentifier;

/// A language of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English, the language every message exists in.
    #[default]
    English,
    /// Russian.
    Russian,
    /// Korean.
    Korean,
    /// Chinese, simplified characters.
    Chinese,
    /// Arabic, written from right to left.
    Arabic,
}

impl Language {
    /// Every language, English first.
    pub const ALL: &[Self] =
        &[Self::English, Self::Russian, Self::Korean, Self::Chinese, Self::Arabic];

    /// The BCP 47 code, as in the `lang` attribute.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
            Self::Korean => "ko",
            Self::Chinese => "zh",
            Self::Arabic => "ar",
        }
    }

    /// The language's name in itself.
    pub fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Russian => "Русский",
            Self::Korean => "한국어",
            Self::Chinese => "中文",
            Self::Arabic => "العربية",
        }
    }

    /// `ltr` or `rtl`, as in the `dir` attribute.
    pub fn direction(self) -> &'static str {
        if self == Self::Arabic { "rtl" } else { "ltr" }
    }

    /// The language with this code; region and script after a hyphen are passed over.
    pub fn from_code(code: &str) -> Option<Self> {
        let primary = code.split('-').next().unwrap_or_default();
        Self::ALL.iter().copied().find(|language| language.code().eq_ignore_ascii_case(primary))
    }

    /// The best of an `Accept-Language` header (RFC 9110 §12.5.4); English when none fits.
    pub fn negotiate(accept: &str) -> Self {
        let mut best: Option<(u32, Self)> = None;
        for part in accept.split(',').take(ACCEPTED_MAX) {
            let mut pieces = part.trim().split(';');
            let Some(language) = pieces.next().and_then(|code| Self::from_code(code.trim())) else {
                continue;
            };
            let weight =
                pieces.find_map(|piece| piece.trim().strip_prefix("q=")).map_or(1000, thousandths);
            if weight > 0 && best.is_none_or(|(most, _)| weight > most) {
                best = Some((weight, language));
            }
        }
        best.map_or(Self::English, |(_, language)| language)
    }

    pub(crate) fn bundle(self) -> &'static Bundle {
        match self {
            Self::English => &ENGLISH,
            Self::Russian => &RUSSIAN,
            Self::Korean => &KOREAN,
            Self::Chinese => &CHINESE,
            Self::Arabic => &ARABIC,
        }
    }

    pub(crate) fn sources(self) -> [&'static str; 7] {
        macro_rules! files {
            ($code:literal) => {
                [
                    include_str!(concat!("../languages/", $code, "/shared.ftl")),
                    include_str!(concat!("../languages/", $code, "/codes.ftl")),
                    include_str!(concat!("../languages/", $code, "/station.ftl")),
                    include_str!(concat!("../languages/", $code, "/desk.ftl")),
                    include_str!(concat!("../languages/", $code, "/headquarters.ftl")),
                    include_str!(concat!("../languages/", $code, "/people.ftl")),
                    include_str!(concat!("../languages/", $code, "/policy.ftl")),
                ]
            };
        }
        match self {
            Self::English => files!("en"),
            Self::Russian => files!("ru"),
            Self::Korean => files!("ko"),
            Self::Chinese => files!("zh"),
            Self::Arabic => files!("ar"),
        }
    }

    fn identifier(self) -> LanguageIdentifier {
        self.code().parse().unwrap_or_default()
    }
}

pub(crate) type Bundle = FluentBundle<FluentResource>;

static ENGLISH: LazyLock<Bundle> = LazyLock::new(|| load(Language::English));
static RUSSIAN: LazyLock<Bundle> = LazyLock::new(|| load(Language::Russian));
static KOREAN: LazyLock<Bundle> = LazyLock::new(|| load(Language::Korean));
static CHINESE: LazyLock<Bundle> = LazyLock::new(|| load(Language::Chinese));
static ARABIC: LazyLock<Bundle> = LazyLock::new(|| load(Language::Arabic));

/// Reads the language's files. What does not parse is left out here and fails the tests.
fn load(language: Language) -> Bundle {
    let mut bundle = FluentBundle::new_concurrent(vec![language.identifier()]);
    // Isolation marks keep a Latin name inside Arabic text in order. In the left-to-right
    // languages they would only stand between a reader's search and the words.
    bundle.set_use_isolating(language.direction() == "rtl");
    for source in language.sources() {
        let resource =
            FluentResource::try_new(source.to_owned()).unwrap_or_else(|(partial, _)| partial);
        // A name defined twice keeps its first text; the tests refuse it.
        let _doubles = bundle.add_resource(resource);
    }
    bundle
}

fn thousandths(quality: &str) -> u32 {
    let (whole, fraction) = quality.trim().split_once('.').unwrap_or((quality.trim(), ""));
    if whole != "0" {
        return 1000;
    }
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    digits.parse().unwrap_or(0)
}

/// Longer headers are no reader's.
const ACCEPTED_MAX: usize = 32;

#[cfg(test)]
mod tests;
