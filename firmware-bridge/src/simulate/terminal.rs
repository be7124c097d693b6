//! A pseudo-terminal with a link to it: the cable of a simulated serial device.
//!
//! The device keeps the other end open too, so that bytes sent while no bridge listens wait in
//! the kernel (some 4 KiB), and a bridge that comes back finds the same line.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};

use super::PlayError;
use super::knobs::Knobs;

/// The device's end of the line.
#[derive(Debug)]
pub(super) struct Terminal {
    device: File,
    bridge_side: PathBuf,
    link: PathBuf,
    _kept_open: File,
    /// Set when the device is gone, for what answers in its name.
    gone: Arc<AtomicBool>,
    /// What goes wrong with what is sent.
    pub(super) knobs: Knobs,
}

impl Terminal {
    /// Opens a raw line and puts a link to the bridge's end at `link`; a link that an earlier
    /// device left there is replaced, anything else is not.
    pub(super) fn open(link: &Path) -> io::Result<Self> {
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
        place(&bridge_side, link)?;
        let device = File::from(OwnedFd::from(device));
        let gone = Arc::new(AtomicBool::new(false));
        Ok(Self {
            device,
            bridge_side,
            link: link.to_owned(),
            _kept_open: kept_open,
            gone,
            knobs: Knobs::default(),
        })
    }

    /// Answers what the bridge sends, until the device is gone.
    pub(super) fn answer(
        &self,
        mut with: impl FnMut(&[u8]) -> Vec<u8> + Send + 'static,
    ) -> io::Result<()> {
        let mut line = self.device.try_clone()?;
        let gone = Arc::clone(&self.gone);
        thread::Builder::new().name("serial device".to_owned()).spawn(move || {
            let mut buffer = [0; 1024];
            while !gone.load(Ordering::Relaxed) {
                // The line never blocks, so that the thread sees that the device is gone.
                match line.read(&mut buffer) {
                    Ok(length) => {
                        let answer = with(buffer.get(..length).unwrap_or_default());
                        // A bridge that does not listen misses it, as on a real line.
                        let _ = line.write_all(&answer);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        sleep(Duration::from_millis(2));
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return,
                }
            }
        })?;
        Ok(())
    }

    pub(super) fn link(&self) -> &Path {
        &self.link
    }

    /// Sends bytes; waits a moment where nobody takes them.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), PlayError> {
        sleep(self.knobs.delay());
        let bytes = self.knobs.through(bytes);
        let began = Instant::now();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            match self.device.write(rest) {
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
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
        // A later device may have taken the place over.
        if fs::read_link(&self.link).is_ok_and(|target| target == self.bridge_side) {
            let _ = fs::remove_file(&self.link);
        }
    }
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
