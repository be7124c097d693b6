//! Every driver against its simulated device, over real pseudo-terminals and sockets.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where it panics")]

#[path = "devices/captures.rs"]
mod captures;
#[path = "devices/commands.rs"]
mod commands;
#[path = "devices/counter.rs"]
mod counter;
#[path = "devices/driven.rs"]
mod driven;
#[path = "devices/knobs.rs"]
mod knobs;
#[path = "devices/lines.rs"]
mod lines;
#[path = "devices/private.rs"]
mod private;
#[path = "devices/serial.rs"]
mod serial;
#[path = "devices/validator.rs"]
mod validator;
#[path = "devices/wedge.rs"]
mod wedge;
#[path = "devices/xray.rs"]
mod xray;
