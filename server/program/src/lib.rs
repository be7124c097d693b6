//! What the bridge and the server share as programs: nothing of cash or borders.
//!
//! | module | owns |
//! |---|---|
//! | [`clock`] | the only clock, and the one of demonstrations |
//! | [`configuration`] | reading a configuration file; errors that name file, line and key |
//! | [`disk`] | files that are whole or not there |
//! | [`embedded`] | the embedded MQTT broker, on loopback |
//! | [`lifecycle`] | starting, watching and stopping tasks |

pub mod clock;
pub mod configuration;
pub mod disk;
pub mod embedded;
pub mod lifecycle;
