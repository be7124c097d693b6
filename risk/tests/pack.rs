//! The built-in pack and lists.

use tidewaiter_risk::lists::builtin;
use tidewaiter_risk::policy::PolicyPack;
use tidewaiter_risk::rule::lint::lint;

#[test]
fn the_built_in_pack_has_nothing_to_complain_of() {
    assert_eq!(lint(PolicyPack::built_in_files()), []);
}

#[test]
fn the_built_in_lists_can_be_read() {
    let bundles = builtin::bundles().unwrap();
    let names: Vec<&str> = bundles.iter().map(|bundle| bundle.name.as_str()).collect();
    assert_eq!(names, ["ofac", "un", "eu", "own"]);
    assert!(bundles.iter().any(|bundle| bundle.entry("20520").is_some()));
}
