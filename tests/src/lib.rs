//! A whole checkpoint on one machine: real programs, real bytes, real sockets.
//!
//! The demo and the tests that cross crates share this: [`programs`] builds and starts the real
//! binaries, [`devices`] talks to the simulated ones, [`checkpoint`] puts a station, a server and
//! headquarters together on free [`ports`], [`story`] plays what happened there; [`machine`] names what a figure was taken on.

pub mod checkpoint;
pub mod devices;
pub mod http;
pub mod machine;
pub mod ports;
pub mod programs;
pub mod story;
