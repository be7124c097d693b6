//! A TCP forwarder that counts what passes, each way.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;

/// The line and its counts.
pub(crate) struct Counting {
    port: u16,
    up: Arc<AtomicU64>,
    down: Arc<AtomicU64>,
}

impl Counting {
    /// Listens on a free port and leads to `target` on loopback, until the process ends.
    pub(crate) fn start(target: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let (up, down) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let counts = (up.clone(), down.clone());
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                // A connection that cannot be made ends.
                let _ = carry(near, target, &counts);
            }
        });
        Ok(Self { port, up, down })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Bytes so far: of the station, of the server.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.up.load(Ordering::Relaxed), self.down.load(Ordering::Relaxed))
    }
}

fn carry(near: TcpStream, target: u16, counts: &(Arc<AtomicU64>, Arc<AtomicU64>)) -> Result<()> {
    let far = TcpStream::connect(("127.0.0.1", target))?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let ways =
        [(near.try_clone()?, far.try_clone()?, counts.0.clone()), (far, near, counts.1.clone())];
    for (mut from, mut to, count) in ways {
        std::thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            while let Ok(read) = from.read(&mut buffer)
                && read > 0
            {
                count.fetch_add(read as u64, Ordering::Relaxed);
                if to.write_all(buffer.get(..read).unwrap_or_default()).is_err() {
                    break;
                }
            }
            let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
        });
    }
    Ok(())
}
