//! The sync protocol between a station and the server, as two state machines: messages, ticks and
//! answers in; effects out. No I/O, no async, no clock: `now` is the time since any fixed moment,
//! from a clock that never goes back, and comes from the caller. `docs/sync.md` tells the story.
//!
//! | module | owns |
//! |---|---|
//! | [`station`] | what to send next, what is receipted, when to connect again |
//! | [`server`] | what a batch may become, what is missing, what a station has to prove |
//! | [`ranges`] | sets of record numbers |
//! | [`finding`] | what either side raises, with the proof |
//! | [`jitter`] | delays that spread, from a seed |

pub mod finding;
pub mod jitter;
pub mod ranges;
pub mod server;
pub mod station;
