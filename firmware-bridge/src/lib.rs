//! The edge agent of one station: real checkpoint hardware in, numbered and signed records out.
//!
//! Works for days without a network, and loses nothing that it called recorded.
//!
//! | module | owns |
//! |---|---|
//! | [`configuration`], [`keys`], [`time`] | what the station is told, its keys, how far its clock can be trusted |
//! | [`driver`], [`simulate`] | devices that the agent reads itself; simulated ones |
//! | [`capture`], [`refusals`] | a device's line written down; bytes that a driver refused, for the engineer |
//! | [`mqtt`] | one MQTT connection |
//! | [`bus`] | MQTT at the station: drivers, kiosks and tablets speak, the recorder answers |
//! | [`recorder`], [`lane`] | what is said becomes records of an inspection |
//! | [`assess`], [`plausibility`] | the officer's first warning; a weight held against a count |
//! | [`station`] | the station as page, bus and sync see it |
//! | [`officers`] | who is signed in at the page, offline too |
//! | [`sync`] | records to the server, until they are receipted |
//! | [`http`], [`page`] | the officer's page and the programming interface |
//! | [`command`] | the program's commands |

pub mod assess;
pub mod bus;
pub mod capture;
pub mod command;
pub mod configuration;
pub mod driver;
pub mod http;
pub mod keys;
pub mod lane;
pub mod mqtt;
pub mod officers;
pub mod page;
pub mod plausibility;
pub mod recorder;
pub mod refusals;
pub mod simulate;
pub mod station;
pub mod sync;
pub mod time;
