//! The server of Tidewaiter: all stations' records in, alerts and nightly bundles out; and
//! headquarters, which takes the bundles.
//!
//! | module | owns |
//! |---|---|
//! | [`clock`] | the only clock |
//! | [`store`] | what is on disk, and every SQL text |

pub mod clock;
pub mod store;
