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
//! | `ssp` | ITL SSP Protocol Manual GA138 2.2 | [`ssp`] |
//! | `ccnet` | CashCode NET Interface 2.4.3 | [`ccnet`] |
//! | `cctalk` | ccTalk Generic Specification 4.7 | [`cctalk`] |
//! | `id003` | JCM ID-003, from public drivers | [`id003`] |
//! | `ebds` | MEI/CPI EBDS, from decapod-atm/ebds | [`ebds`] |
//! | `scale` | MT-SICS levels 0 and 1, Toledo continuous | [`scale`] |
//! | `llrp` | GS1 EPCglobal LLRP 1.0.1, 1.1 | [`llrp`] |
//! | `gpio` | edges of the Linux character device | [`gpio`] |
//! | `transport` | IATA SSIM, IMO A.1117(30), ITU-R M.1371, PAXLST D:05B | [`transport`] |
//!
//! Stream protocols implement [`stream::Codec`]; what a failed check refuses is a
//! [`stream::Fault`], never a frame. [`decode`] and [`vectors`] are what the commands of the same
//! names use.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod bag;
pub mod bcbp;
pub mod ccnet;
pub mod cctalk;
mod crc;
pub mod decode;
pub mod delimited;
pub mod ebds;
pub mod gpio;
pub mod id003;
pub mod llrp;
pub mod mrz;
pub mod scale;
pub mod ssp;
pub mod stream;
pub mod translit;
pub mod transport;
pub mod vectors;
pub mod xfs4iot;
pub mod xray;
