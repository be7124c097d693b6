//! The languages are complete, and agree with English message by message.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fluent_bundle::FluentResource;

use super::Language;

/// Message names of a language, each with the variables it uses.
fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for source in language.sources() {
        let resource = FluentResource::try_new(source.to_owned())
            .unwrap_or_else(|(_, errors)| panic!("{}: {errors:?}", language.code()));
        drop(resource);
        let mut name = String::new();
        for line in source.lines() {
            if line.starts_with(|c: char| c.is_ascii_lowercase()) {
                name = line.split('=').next().unwrap().trim().to_owned();
                let known = found.insert(name.clone(), BTreeSet::new());
                assert!(known.is_none(), "{}: {name} twice", language.code());
            }
            if line.starts_with('#') {
                continue;
            }
            for piece in line.split('$').skip(1) {
                let variable: String = piece
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_')
                    .collect();
                found.get_mut(&name).unwrap().insert(variable);
            }
        }
    }
    found
}

#[test]
fn every_language_has_every_message_with_the_same_variables() {
    let english = messages(Language::English);
    for language in Language::ALL {
        let other = messages(*language);
        for (name, variables) in &english {
            let theirs =
                other.get(name).unwrap_or_else(|| panic!("{} lacks {name}", language.code()));
            assert_eq!(theirs, variables, "{} in {}", name, language.code());
        }
        for name in other.keys() {
            assert!(english.contains_key(name), "{name} in {} is not in en", language.code());
        }
    }
}

/// Every message a template or a page asks for by a literal name exists.
#[test]
fn every_message_asked_for_exists() {
    let english = messages(Language::English);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut asked = BTreeSet::new();
    for place in [
        "src",
        "templates",
        "../src",
        "../templates",
        "../../firmware-bridge/src",
        "../../firmware-bridge/templates",
    ] {
        collect(&root.join(place), &mut asked);
    }
    assert!(asked.len() > 100, "only {} messages asked for: is the search broken?", asked.len());
    let missing: Vec<_> = asked.iter().filter(|name| !english.contains_key(*name)).collect();
    assert!(missing.is_empty(), "asked for, but in no language file: {missing:?}");
}

fn collect(place: &Path, asked: &mut BTreeSet<String>) {
    let Ok(entries) = std::fs::read_dir(place) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, asked);
        } else if path.extension().is_some_and(|e| e == "html" || e == "rs") {
            let content = std::fs::read_to_string(&path).unwrap();
            for call in [".say(\"", ".say1(\"", ".say2(\"", "Message(\""] {
                for piece in content.split(call).skip(1) {
                    let name = piece.split('"').next().unwrap();
                    // A name that ends in a hyphen is completed by a code; those have their own test.
                    if !name.ends_with('-') && !name.contains('{') {
                        asked.insert(name.to_owned());
                    }
                }
            }
        }
    }
}

#[test]
fn every_code_of_the_contract_has_words() {
    use tidewaiter_proto::alert::{AlertCode, Outcome};
    use tidewaiter_proto::body::Body;

    let english = messages(Language::English);
    let codes = AlertCode::ALL.iter().map(|code| format!("alert-{code}"));
    let outcomes = Outcome::ALL.iter().map(|code| format!("outcome-{code}"));
    let bodies = Body::TYPES.iter().map(|name| format!("record-{name}"));
    for name in codes.chain(outcomes).chain(bodies) {
        assert!(english.contains_key(&name), "{name}");
    }
}

#[test]
fn the_reader_gets_the_language_weighed_most() {
    let cases = [
        ("", Language::English),
        ("ko-KR,ko;q=0.9,en;q=0.8", Language::Korean),
        ("fr,de;q=0.9", Language::English),
        ("fr, zh-CN;q=0.5, ru;q=0.7", Language::Russian),
        ("ru;q=0, ar;q=0.1", Language::Arabic),
        ("*", Language::English),
    ];
    for (header, expected) in cases {
        assert_eq!(Language::negotiate(header), expected, "{header}");
    }
}
