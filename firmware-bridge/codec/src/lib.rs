//! Device protocols of a checkpoint, pure: bytes in, frames and named faults out.
//!
//! This crate owns the wire formats. It opens no port, reads no clock, keeps no file and knows
//! nothing of records; the drivers of the bridge and its simulators move the bytes.
//!
//! | protocol | source | module |
//! |---|---|---|
//! | `mrz` | ICAO Doc 9303 parts 3 to 7 | [`mrz`] |
//! | `mrz_translit` | ICAO Doc 9303-3 section 6 | [`translit`] |
//! | `bcbp` | IATA Resolution 792 | [`bcbp`] |
//! | `delimited` | scanner manuals (STX/ETX, CR, AIM identifiers) | [`delimited`] |
//! | `xfs4iot` | CEN XFS4IoT 2023-02 and later, and its 2021 headers | [`xfs4iot`] |
//! | `xray` | `baggage.xray.result/1`, terms of NEMA DICOS | [`xray`] |
//! | `bag` | IATA Resolution 740, RP1745 Type B messages | [`bag`] |
//!
//! Stream protocols implement [`stream::Codec`]; what a failed check refuses is a
//! [`stream::Fault`], never a frame. [`decode`] and [`vectors`] are what the commands of the same
//! names use.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod bag;
pub mod bcbp;
pub mod decode;
pub mod delimited;
pub mod mrz;
pub mod stream;
pub mod translit;
pub mod vectors;
pub mod xfs4iot;
pub mod xray;
