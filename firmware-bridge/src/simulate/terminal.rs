//! A pseudo-terminal with a link to it: the cable of a simulated serial device.
//!
//! The device keeps the other end open too, so that bytes sent while no bridge listens wait in
//! the kernel (some 4 KiB), and a bridge that comes back finds the same line.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};

use super::PlayError;
use super::cable::Answer;
use super::knobs::Knobs;

/// The device's end of the line.
#[derive(Debug)]
pub(super) struct Terminal {
    link: PathBuf,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// `None` while the cable is pulled.
    ends: Mutex<Option<Ends>>,
    /// What goes wrong with what is sent.
    knobs: Mutex<Knobs>,
    /// The device is gone, and with it what answers in its name.
    gone: AtomicBool,
}

#[derive(Debug)]
struct Ends {
    device: File,
    bridge_side: PathBuf,
    _kept_open: File,
}

impl Terminal {
    /// Opens a raw line and puts a link to the bridge's end at `link`; a link that an earlier
    /// device left there is replaced, anything else is not.
    pub(super) fn open(link: &Path, answer: Answer) -> io::Result<Self> {
        let ends = Ends::open()?;
        place(&ends.bridge_side, link)?;
        let shared = Arc::new(Shared {
            ends: Mutex::new(Some(ends)),
            knobs: Mutex::default(),
            gone: AtomicBool::new(false),
        });
        let answering = Arc::clone(&shared);
        let speak = move || answering.answer(answer);
        thread::Builder::new().name("serial device".to_owned()).spawn(speak)?;
        Ok(Self { link: link.to_owned(), shared })
    }

    pub(super) fn link(&self) -> &Path {
        &self.link
    }

    pub(super) fn knobs(&self) -> MutexGuard<'_, Knobs> {
        locked(&self.shared.knobs)
    }

    /// Sends bytes; waits a moment where nobody takes them.
    pub(super) fn send(&self, bytes: &[u8]) -> Result<(), PlayError> {
        let delay = self.knobs().delay();
        sleep(delay);
        let bytes = self.knobs().through(bytes);
        let began = Instant::now();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            match self.shared.write(rest) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if began.elapsed() > PATIENCE {
                        return Err(PlayError::Full);
                    }
                    sleep(Duration::from_millis(10));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Pulls the cable, as an adapter is pulled from its socket: the port is gone, what was on the
    /// way is lost. Puts it back after `pause`, under the same link.
    pub(super) fn unplug(&self, pause: Duration) -> Result<(), PlayError> {
        drop(locked(&self.shared.ends).take());
        let _ = fs::remove_file(&self.link);
        sleep(pause);
        let ends = Ends::open()?;
        place(&ends.bridge_side, &self.link)?;
        *locked(&self.shared.ends) = Some(ends);
        Ok(())
    }
}

impl Shared {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match locked(&self.ends).as_mut() {
            Some(ends) => ends.device.write(bytes),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match locked(&self.ends).as_mut() {
            Some(ends) => ends.device.read(buffer),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Answers what the bridge sends, until the device is gone.
    fn answer(&self, mut with: Answer) {
        let mut buffer = [0; 1024];
        while !self.gone.load(Ordering::Relaxed) {
            // The line never blocks, so that the thread sees that the device is gone.
            match self.read(&mut buffer) {
                Ok(length) => {
                    let heard = buffer.get(..length).unwrap_or_default();
                    let mut said = locked(&self.knobs).echo(heard).to_vec();
                    let answer = with(heard);
                    if !answer.is_empty() {
                        let delay = locked(&self.knobs).delay();
                        sleep(delay);
                        said.extend(locked(&self.knobs).through(&answer));
                    }
                    // A bridge that does not listen misses it, as on a real line.
                    let _ = self.write(&said);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    sleep(Duration::from_millis(2));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Between the bridge's end and its next opening there may be nobody.
                Err(_) => sleep(Duration::from_millis(10)),
            }
        }
    }
}

impl Ends {
    fn open() -> io::Result<Self> {
        let device = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_NONBLOCK)?;
        grantpt(&device)?;
        unlockpt(&device)?;
        let bridge_side = PathBuf::from(ptsname_r(&device)?);
        let kept_open = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_NOCTTY.bits())
            .open(&bridge_side)?;
        let mut settings = tcgetattr(kept_open.as_fd())?;
        cfmakeraw(&mut settings);
        tcsetattr(kept_open.as_fd(), SetArg::TCSANOW, &settings)?;
        let device = File::from(OwnedFd::from(device));
        Ok(Self { device, bridge_side, _kept_open: kept_open })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.shared.gone.store(true, Ordering::Relaxed);
        let Some(ends) = locked(&self.shared.ends).take() else { return };
        // A later device may have taken the place over.
        if fs::read_link(&self.link).is_ok_and(|target| target == ends.bridge_side) {
            let _ = fs::remove_file(&self.link);
        }
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn place(target: &Path, link: &Path) -> io::Result<()> {
    if fs::symlink_metadata(link).is_ok_and(|found| !found.is_symlink()) {
        let told = format!("{} is there already and is no link", link.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, told));
    }
    // Made aside and moved: a bridge never finds half a line.
    let mut aside = link.as_os_str().to_owned();
    aside.push(format!(".{}", std::process::id()));
    let aside = PathBuf::from(aside);
    let _ = fs::remove_file(&aside);
    symlink(target, &aside)?;
    fs::rename(&aside, link)
}

const PATIENCE: Duration = Duration::from_secs(2);
