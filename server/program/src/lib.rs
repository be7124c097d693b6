//! What the bridge and the server share as programs: nothing of cash or borders.
//!
//! | module | owns |
//! |---|---|
//! | [`clock`] | the only clock, and the one of demonstrations |
//! | [`command`] | what commands found, and how the program ends |
//! | [`configuration`] | reading a configuration file; errors that name file, line and key |
//! | [`disk`] | files that are whole or not there |
//! | [`embedded`] | the embedded MQTT broker, on loopback |
//! | [`http`], [`problem`] | serving until the program stops; errors as problem documents |
//! | [`lifecycle`] | starting, watching and stopping tasks |
//! | [`metrics`] | measures as Prometheus text |

pub mod clock;
pub mod command;
pub mod configuration;
pub mod disk;
pub mod embedded;
pub mod http;
pub mod lifecycle;
pub mod metrics;
pub mod problem;
