//! What the pages of station, supervisor and headquarters share: look, languages, components.
//!
//! Knows `proto` and `people` only. It draws what it is given; it asks no store and reads no clock. Pages are
//! rendered on the server, work without JavaScript, and load nothing from elsewhere.
//!
//! | module | owns |
//! |---|---|
//! | [`language`], [`text`] | the languages, and saying a message in one of them |
//! | [`frame`] | what is around every page: title, demonstration strip, navigation |
//! | [`visit`] | what a request says about its reader: language, officer, keys |
//! | [`assets`] | style sheet, script, fonts, served under names that carry their hash |
//! | [`guard`] | around everything: headers, posts from other sites, rates, bodies |
//! | [`entry`] | routes with what each needs, sessions' cookies, tokens of forms |
//! | [`form`] | fields of a posted form, and its problems |
//! | [`tally`], [`timeline`], [`traveller`], [`amended`] | records and alerts as a person reads them |
//! | [`answer`], [`failure`] | turning a template into a response; what is not there or failed |

pub mod amended;
pub mod answer;
pub mod assets;
pub mod entry;
pub mod failure;
pub mod form;
pub mod frame;
pub mod guard;
pub mod language;
pub mod tally;
pub mod text;
pub mod timeline;
pub mod traveller;
pub mod visit;
