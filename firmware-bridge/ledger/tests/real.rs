//! The ledger on real disks: the power cut under a mounted file system, the process killed, no room,
//! no descriptors, a file-size limit, calls that fail, bytes that flip, tails that are cut.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where it panics")]

#[path = "real/cuts.rs"]
mod cuts;
#[path = "real/damage.rs"]
mod damage;
#[path = "real/faults.rs"]
mod faults;
#[path = "real/limits.rs"]
mod limits;
#[path = "ledger/support.rs"]
#[expect(dead_code, reason = "shared with the other tests, which use more of it")]
mod support;
#[path = "real/writer.rs"]
mod writer;
