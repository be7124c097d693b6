//! The pure risk engine: records, law and lists in; explained alerts out.
//!
//! No I/O, no clock, no randomness: the same records, lists, law and instant give the same alerts
//! at a station and at the server. Callers read files and hand over texts.
//!
//! | module | owns |
//! |---|---|
//! | [`policy`] | the pack an authority lays down: dated law, places, routes, patterns, findings |
//! | [`rule`] | the authority's own rules: typed trees, three-valued, traced |
//! | [`rates`] | exchange rates and exact conversion |
//! | [`lists`] | sanctions lists |
//! | [`screening`] | who on the lists may be who crosses, in every script |
//! | [`crossing`] | records put together into one traveller's crossing |
//! | [`history`] | what earlier crossings say |
//! | [`engine`] | assessing a case |
//! | [`backtest`] | two policies on the same records: what each would have flagged |
//! | [`scenario`] | scenario files and how they are compared |

pub mod backtest;
pub mod crossing;
pub mod engine;
pub mod history;
pub mod lists;
pub mod policy;
pub mod rates;
pub mod rule;
pub mod scenario;
pub mod screening;
