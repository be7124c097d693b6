//! The file layer under the ledger: the few operations it needs, each with the promise it makes
//! about a power cut.
//!
//! [`RealDisk`] is the file system. Tests put a layer here that keeps unsynced writes apart and
//! drops, tears, reorders or corrupts them at a cut. sled does not go through this layer: it is
//! never trusted to have kept anything.

mod real;

use std::fmt::Debug;
use std::io;
use std::path::Path;

pub use real::RealDisk;

/// A file system.
pub trait Disk: Debug + Send + Sync {
    /// Makes a directory and its parents, if they are not there.
    fn make_dir(&self, dir: &Path) -> io::Result<()>;

    /// Makes a file of `length` zero bytes whose blocks are written, so that later overwriting
    /// needs no more space. Refused when the file exists. Not on disk before [`DiskFile::sync`]
    /// and [`Disk::sync_dir`].
    fn create(&self, path: &Path, length: u64) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// The names of the files in a directory, in no order.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Renames a file within a directory, replacing what has the new name. On disk after
    /// [`Disk::sync_dir`]; at a cut before that, either name may be found, never neither.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Returns when the directory's entries are on disk.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Bytes that may still be written.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64>;

    /// Takes the directory for this process alone; held until the guard is dropped.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>>;
}

/// An open file.
pub trait DiskFile: Debug + Send + Sync {
    /// Reads up to `buffer.len()` bytes; fewer only at the end of the file.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes all bytes at an offset. On disk after [`DiskFile::sync`]; at a cut before that, any
    /// part of them may be found.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// The file's length in bytes.
    fn length(&self) -> io::Result<u64>;

    /// Returns when all that was written is on disk. After an error nothing may be assumed about
    /// any unsynced byte, and the call must not be repeated.
    fn sync(&self) -> io::Result<()>;
}

/// Reads a file from an offset to its end, `most` bytes at most.
///
/// # Errors
/// What the file layer says.
pub fn read_from(file: &dyn DiskFile, offset: u64, most: usize) -> io::Result<Vec<u8>> {
    let there = file.length()?.saturating_sub(offset);
    let mut bytes = vec![0; usize::try_from(there).unwrap_or(usize::MAX).min(most)];
    let read = file.read_at(offset, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Replaces a file as a whole: write aside, sync, rename, sync the directory. At a cut the old
/// or the new content is found.
///
/// # Errors
/// What the file layer says; the old content stands then, or the new.
pub fn replace(disk: &dyn Disk, dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let aside = dir.join(format!("{name}.new"));
    match disk.remove(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = disk.create(&aside, bytes.len() as u64)?;
    file.write_at(0, bytes)?;
    file.sync()?;
    disk.rename(&aside, &dir.join(name))?;
    disk.sync_dir(dir)
}

/// Reads a small file, none when it is not there.
///
/// # Errors
/// What the file layer says.
pub fn read_small(disk: &dyn Disk, path: &Path) -> io::Result<Option<Vec<u8>>> {
    match disk.open(path) {
        Ok(file) => read_from(&*file, 0, SMALL_FILE_MAX).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether an error says that there is no room: no blocks, no quota, or the file-size limit.
pub fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

const SMALL_FILE_MAX: usize = 64 * 1024;
