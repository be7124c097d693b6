//! The officer's pages and the station's interface, over a real ledger.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where it panics")]

#[path = "pages/browser.rs"]
mod browser;
mod common;
#[path = "pages/devices.rs"]
mod devices;
#[path = "pages/forms.rs"]
mod forms;
#[path = "pages/interface.rs"]
mod interface;
#[path = "pages/officers.rs"]
mod officers;
