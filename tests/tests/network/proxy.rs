//! A TCP proxy on loopback that does to its connections what a bad line does.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;

/// What the line does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Everything passes.
    Open,
    /// All connections end now, and new ones end at once.
    Reset,
    /// What the station says is lost; what the server says passes.
    UpCut,
    /// The other way round.
    DownCut,
    /// Each connection ends after so many bytes of the station.
    EndsAfter(usize),
    /// So many bytes a second, each way.
    Rate(u64),
}

pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    way: Way,
    open: Vec<TcpStream>,
    /// Connections taken, and those that ended by [`Way::EndsAfter`].
    taken: usize,
    ended: usize,
}

impl Proxy {
    /// Listens on a free port and leads to `target` on loopback, until the process ends.
    pub(crate) fn start(target: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let shared =
            Arc::new(Mutex::new(Shared { way: Way::Open, open: Vec::new(), taken: 0, ended: 0 }));
        let accepting = shared.clone();
        std::thread::spawn(move || {
            for station in listener.incoming().flatten() {
                let _ = serve(station, target, &accepting);
            }
        });
        Ok(Self { port, shared })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How many connections there were, and how many of them ended by [`Way::EndsAfter`].
    pub(crate) fn counts(&self) -> (usize, usize) {
        let shared = self.shared.lock().unwrap();
        (shared.taken, shared.ended)
    }

    /// What the line does from now on, to open connections too.
    pub(crate) fn set(&self, way: Way) {
        let mut shared = self.shared.lock().unwrap();
        shared.way = way;
        if way == Way::Reset {
            for stream in shared.open.drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

fn serve(station: TcpStream, target: u16, shared: &Arc<Mutex<Shared>>) -> Result<()> {
    {
        let mut shared = shared.lock().unwrap();
        shared.taken += 1;
        if shared.way == Way::Reset {
            return Ok(());
        }
    }
    let server = TcpStream::connect(("127.0.0.1", target))?;
    let both = [station.try_clone()?, server.try_clone()?];
    shared.lock().unwrap().open.extend(both);
    let ends = [(station.try_clone()?, server.try_clone()?, true), (server, station, false)];
    for (from, to, up) in ends {
        let shared = shared.clone();
        std::thread::spawn(move || {
            let _ = carry(&from, &to, up, &shared);
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
    Ok(())
}

fn carry(mut from: &TcpStream, mut to: &TcpStream, up: bool, shared: &Mutex<Shared>) -> Result<()> {
    let (mut buffer, mut passed) = ([0; 512], 0usize);
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        let mut bytes = &buffer[..count];
        let way = shared.lock().unwrap().way;
        match way {
            Way::Open => {}
            Way::Reset => return Ok(()),
            // Held, not skipped: TCP would never go on with a hole.
            Way::UpCut | Way::DownCut if up == (way == Way::UpCut) => {
                while shared.lock().unwrap().way == way {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            Way::UpCut | Way::DownCut => {}
            Way::EndsAfter(most) => {
                if up && passed + count >= most {
                    bytes = &bytes[..most.saturating_sub(passed).min(count)];
                    to.write_all(bytes)?;
                    shared.lock().unwrap().ended += 1;
                    return Ok(());
                }
            }
            Way::Rate(bytes_per_second) => {
                let millis = count as u64 * 1000 / bytes_per_second.max(1);
                std::thread::sleep(Duration::from_millis(millis));
            }
        }
        passed += count;
        to.write_all(bytes)?;
    }
}
