//! The server of Tidewaiter: all stations' records in, alerts and nightly bundles out; and
//! headquarters, which takes the bundles.
//!
//! | module | owns |
//! |---|---|
//! | [`command`], [`lifecycle`] | the commands; starting, watching and stopping |
//! | [`configuration`], [`clock`], [`disk`] | what it is told, the only clock, files that are whole or not there |
//! | [`authority`], [`tls`] | its keys and certificates, and those it gives to stations |
//! | [`broker`], [`listener`] | MQTT, and the door through which stations reach it |
//! | [`ingest`] | what stations send: taken, stored, answered |
//! | [`store`] | what is on disk, and every SQL text |
//! | [`inspection`], [`law`], [`assess`], [`screen`] | records opened, policy and lists read, alerts made, names looked for |
//! | [`facts`], [`clocks`] | what the desk keeps of an inspection: terms, sums, what is due by when |
//! | [`case`] | a case file: exported with its proofs, and checked offline |
//! | [`bundle`] | the night: signed bundles, their checks, headquarters' receipts |
//! | [`headquarters`] | taking the bundles of servers |
//! | [`people`] | who is at the desk: sign-in, sessions, accounts, the audit's notes |
//! | [`state`] | what pages and the programming interface ask |
//! | [`http`], [`page`] | the programming interface, and the pages |

pub mod assess;
pub mod authority;
pub mod broker;
pub mod bundle;
pub mod case;
pub mod clocks;
pub mod command;
pub mod configuration;
pub mod facts;
pub mod headquarters;
pub mod http;
pub mod ingest;
pub mod inspection;
pub mod law;
pub mod listener;
pub mod page;
pub mod people;
pub mod screen;
pub mod state;
pub mod store;
pub mod tls;

pub use tidewaiter_program::{clock, disk, lifecycle};
