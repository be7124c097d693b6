//! Ports that nobody listens on, for checkpoints that run beside each other.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Result, bail};

/// The first of `count` free ports in a row.
///
/// # Errors
/// When there are none.
pub fn free(count: u16) -> Result<u16> {
    let salt = u16::try_from(std::process::id() % 500).unwrap_or(0) * 20;
    for _ in 0..ATTEMPTS {
        let first = FIRST + (salt + NEXT.fetch_add(count, Ordering::Relaxed)) % SPAN;
        let row: Vec<_> = (first..first + count)
            .map_while(|port| TcpListener::bind(("127.0.0.1", port)).ok())
            .collect();
        if row.len() == usize::from(count) {
            return Ok(first);
        }
    }
    bail!("no {count} free ports in a row");
}

static NEXT: AtomicU16 = AtomicU16::new(0);
const FIRST: u16 = 20_000;
const SPAN: u16 = 10_000;
const ATTEMPTS: usize = 200;
