//! What a request says about its reader: language, officer, shortcuts; and the cookies for it.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query};
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::guard::Address;
use crate::language::Language;
use crate::text::Text;

/// A reader's request.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The voice to answer in.
    pub text: Text,
    /// Path and query asked for.
    pub path: String,
    /// The officer named in this browser, if any.
    pub officer: Option<String>,
    /// Whether single-key shortcuts are on.
    pub keys: bool,
    /// Who is signed in, where there is sign-in.
    pub signed_in: Option<SignedIn>,
    /// From where, as far as the door knows; empty otherwise.
    pub address: String,
}

/// Who is signed in, as the guard of a router tells its handlers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The account's id.
    pub id: String,
    /// The person's name.
    pub name: String,
    /// Addresses of the navigation that they may go to.
    pub pages: Vec<&'static str>,
}

impl Visit {
    /// Reads a request's headers and address.
    pub fn read(headers: &HeaderMap, path: &str) -> Self {
        let language = cookie(headers, LANGUAGE_COOKIE)
            .and_then(|code| Language::from_code(&code))
            .unwrap_or_else(|| {
                let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
                Language::negotiate(accepted.unwrap_or_default())
            });
        Self {
            text: Text::new(language),
            path: path.to_owned(),
            officer: cookie(headers, OFFICER_COOKIE).filter(|name| is_officer_id(name)),
            keys: cookie(headers, KEYS_COOKIE).is_none_or(|value| value != "off"),
            signed_in: None,
            address: String::new(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let path = parts.uri.path_and_query().map_or("/", |whole| whole.as_str());
        let mut visit = Self::read(&parts.headers, path);
        if let Some(person) = parts.extensions.get::<SignedIn>() {
            // Who is signed in is no matter of what this browser remembers.
            visit.officer = Some(person.id.clone());
            visit.signed_in = Some(person.clone());
        }
        if let Some(Address(address)) = parts.extensions.get::<Address>() {
            visit.address = address.to_string();
        }
        Ok(visit)
    }
}

/// Whether a text can be an officer's id: letters, digits, `-`, `_`, `.`; 1 to 32 of them.
pub fn is_officer_id(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// A response with the officer's id kept in the browser.
pub fn remember_officer(response: Response, officer: &str) -> Response {
    if is_officer_id(officer) { with_cookie(response, OFFICER_COOKIE, officer) } else { response }
}

#[derive(Deserialize)]
pub(crate) struct Choice {
    to: String,
    #[serde(default)]
    back: String,
}

/// Keeps the chosen language and goes back to where the reader was.
pub(crate) async fn choose_language(Query(choice): Query<Choice>) -> Response {
    let back = Redirect::to(local_path(&choice.back)).into_response();
    match Language::from_code(&choice.to) {
        Some(language) => with_cookie(back, LANGUAGE_COOKIE, language.code()),
        None => back,
    }
}

/// Turns single-key shortcuts on or off.
pub(crate) async fn choose_keys(Query(choice): Query<Choice>) -> Response {
    let back = Redirect::to(local_path(&choice.back)).into_response();
    with_cookie(back, KEYS_COOKIE, if choice.to == "off" { "off" } else { "on" })
}

/// The address if it stays on this host, else `/`: a link must not lead away.
pub fn local_path(address: &str) -> &str {
    let local = address.starts_with('/')
        && !address.starts_with("//")
        && !address.contains('\\')
        && address.bytes().all(|b| b.is_ascii_graphic());
    if local { address } else { "/" }
}

fn with_cookie(mut response: Response, name: &str, value: &str) -> Response {
    let cookie = format!("{name}={value}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Strict");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

/// The value of a cookie.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

const LANGUAGE_COOKIE: &str = "tidewaiter-language";
const OFFICER_COOKIE: &str = "tidewaiter-officer";
const KEYS_COOKIE: &str = "tidewaiter-keys";

#[cfg(test)]
mod tests {
    use super::{Visit, is_officer_id, local_path};
    use crate::language::Language;
    use axum::http::{HeaderMap, HeaderValue};

    #[test]
    fn a_way_back_never_leads_to_another_host() {
        for address in ["//evil.example", "https://evil.example", "/\\evil", "", "/a\r\nb"] {
            assert_eq!(local_path(address), "/", "{address:?}");
        }
        assert_eq!(local_path("/alerts/1?a=b"), "/alerts/1?a=b");
    }

    #[test]
    fn the_cookie_wins_over_the_header() {
        let mut headers = HeaderMap::new();
        headers.insert("accept-language", HeaderValue::from_static("ru"));
        assert_eq!(Visit::read(&headers, "/").text.language, Language::Russian);
        headers.insert("cookie", HeaderValue::from_static("a=b; tidewaiter-language=ar"));
        assert_eq!(Visit::read(&headers, "/").text.language, Language::Arabic);
    }

    #[test]
    fn an_officer_id_holds_nothing_that_could_leave_its_field() {
        assert!(is_officer_id("o-11"));
        for id in ["", "a b", "a;b", "ö", &"x".repeat(33)] {
            assert!(!is_officer_id(id), "{id}");
        }
    }
}
