//! The server of Tidewaiter: all stations' records in, alerts and nightly bundles out; and
//! headquarters, which takes the bundles.
//!
//! | module | owns |
//! |---|---|
//! | [`configuration`], [`clock`], [`disk`] | what it is told, the only clock, files that are whole or not there |
//! | [`authority`], [`tls`] | its keys and certificates, and those it gives to stations |
//! | [`broker`], [`listener`] | MQTT, and the door through which stations reach it |
//! | [`store`] | what is on disk, and every SQL text |
//! | [`inspection`] | records opened |
//! | [`bundle`] | the night: signed bundles, their checks, headquarters' receipts |
//! | [`state`] | what pages and the programming interface ask |

pub mod authority;
pub mod broker;
pub mod bundle;
pub mod configuration;
pub mod inspection;
pub mod listener;
pub mod state;
pub mod store;
pub mod tls;

pub use tidewaiter_program::{clock, disk, lifecycle};
