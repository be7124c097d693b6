//! The file layer on the operating system's files.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::{Disk, DiskFile};

/// The operating system's file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        std::fs::create_dir_all(dir)
    }

    fn create(&self, path: &Path, length: u64) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(OWNER_ONLY)
            .open(path)?;
        // Zeros are written, not only reserved: overwriting written blocks needs no change of
        // metadata, which makes each later sync cheaper and keeps "disk full" out of it.
        if let Err(error) = write_zeros(&file, length) {
            let _ = std::fs::remove_file(path);
            return Err(error);
        }
        Ok(Box::new(file))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().read(true).write(true).open(path)?))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(dir)? {
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        let stat = nix::sys::statvfs::statvfs(dir)?;
        Ok(stat.blocks_available().saturating_mul(stat.fragment_size()))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(OWNER_ONLY)
            .open(path)?;
        Ok(Box::new(Locked::take(file)?))
    }
}

/// A lock that ends with this value. Closing the file is not enough: a child process that is just
/// being started has every descriptor for a moment, and the lock with them.
struct Locked(File);

impl Locked {
    fn take(file: File) -> io::Result<Self> {
        file.try_lock()?;
        Ok(Self(file))
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // What fails here is released with the last descriptor.
        let _ = self.0.unlock();
    }
}

impl DiskFile for File {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match FileExt::read_at(self, rest, offset + done as u64) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

fn write_zeros(file: &File, length: u64) -> io::Result<()> {
    let zeros = vec![0; usize::try_from(length.min(ZEROS)).unwrap_or(0)];
    let mut at = 0;
    while at < length {
        let step = (length - at).min(ZEROS);
        let part = zeros.get(..usize::try_from(step).unwrap_or(0)).unwrap_or_default();
        file.write_all_at(part, at)?;
        at += step;
    }
    Ok(())
}

const OWNER_ONLY: u32 = 0o600;
const ZEROS: u64 = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::Locked;

    #[test]
    fn a_lock_ends_though_a_child_process_has_the_descriptor_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let open = || std::fs::File::options().append(true).create(true).open(&path).unwrap();
        let file = open();
        let inherited = file.try_clone().unwrap();
        let held = Locked::take(file).unwrap();
        assert!(Locked::take(open()).is_err(), "it is held");
        drop(held);
        assert!(Locked::take(open()).is_ok(), "it ended");
        drop(inherited);
    }
}
