//! The language all parts of Tidewaiter speak.
//!
//! Domain types (what a declaration, a movement, a count of cash is), the record format with its
//! hash chain and sealed bodies, and the signed messages that travel between a station, the
//! server and headquarters. No I/O, no async, no clock: callers bring bytes, keys and instants.
//!
//! | module | owns |
//! |---|---|
//! | [`station`] | station names, `SITE/LANE` |
//! | [`money`], [`cash`] | amounts, currencies, what counts as cash |
//! | [`document`], [`party`], [`movement`] | who, on whose behalf, by which way |
//! | [`body`], [`record`] | one fact, and the numbered record that carries it |
//! | [`stored`], [`seal`], [`chain`] | the bytes of a record, its sealed body, its place in the chain |
//! | [`signing`], [`batch`], [`receipt`], [`presence`] | what is signed, and by whom |
//! | [`manifest`] | the policy and lists in force, as stations are told |
//! | [`sync`] | how records reach the server: both sides, as state machines |
//! | [`enrolment`] | how a station becomes known to a server |
//! | [`topic`], [`bus`] | MQTT topics, and messages on the station's own bus |
//! | [`alert`] | what the risk engine raises and people decide |

pub mod alert;
pub mod batch;
pub mod body;
pub mod bus;
pub mod cash;
pub mod chain;
pub mod document;
pub mod enrolment;
pub mod manifest;
pub mod money;
pub mod movement;
pub mod order;
pub mod party;
pub mod presence;
pub mod receipt;
pub mod record;
pub mod seal;
pub mod signing;
pub mod station;
pub mod stored;
pub mod sync;
pub mod topic;
