//! The station's ledger: what it said was recorded is there, once, unaltered.
//!
//! An append goes to an append-only journal first and is answered when it is on disk; sled stands
//! behind it as an index that can always be rebuilt. Records are sealed bytes in a chain of
//! hashes; the key of each inspection lies outside the journal, so that it can be destroyed.
//! What is not here: devices, networks, what a record means.
//!
//! | module | owns |
//! |---|---|
//! | [`ledger`], [`options`], [`queue`] | the handle, how it is opened, the way in |
//! | `sequencer`, `ready`, `writer`, `keeper` | numbering and sealing; bringing groups to the disk; all that need not wait |
//! | `recover`, `known`, `scan`, `piece`, `slots`, `agree`, `rebuild` | what opening makes of what it finds |
//! | [`frame`], [`segment`], [`head`], [`key`] | the files, byte by byte |
//! | [`index`], [`tail`], [`receipts`] | where each record stands; what the server has |
//! | `expire`, `erase` | what is let go after its time; keys destroyed by order |
//! | [`reading`], [`verify`] | records read back; a whole ledger checked offline |
//! | [`disk`], [`fault`] | the file layer; what can be wrong, in words |
//!
//! ```text
//! DIR/journal/NNNNNNNNNN.segment   segments      DIR/head, mark, checkpoint   the head, kept apart
//! DIR/keys/NNNNNNNN.keys           keys          DIR/index                    sled
//! DIR/lock, ballast                              DIR/set-aside                a sled that did not agree
//! ```

mod agree;
mod book;
pub mod disk;
mod erase;
mod expire;
pub mod fault;
pub mod frame;
pub mod head;
pub mod index;
mod keeper;
pub mod key;
mod known;
pub mod ledger;
pub mod options;
mod piece;
pub mod queue;
pub mod reading;
mod ready;
mod rebuild;
pub mod receipts;
mod recover;
mod scan;
pub mod segment;
mod sequencer;
mod slots;
pub mod tail;
pub mod verify;
mod writer;

pub use expire::Expired;
pub use fault::{AppendError, ExpireError, OpenError, ReadError, Refusal};
pub use ledger::{Health, Ledger};
pub use options::{LedgerOptions, LedgerSecrets, ledger_dir};
pub use queue::Appended;
pub use reading::Run;
