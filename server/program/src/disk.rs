//! Files that must be there whole or not at all: written aside, synced, renamed, the directory
//! synced after.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file or directory that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: cannot be {what}", path = path.display())]
pub struct DiskError {
    path: PathBuf,
    what: &'static str,
    source: std::io::Error,
}

fn failed(path: &Path, what: &'static str) -> impl FnOnce(std::io::Error) -> DiskError {
    let path = path.to_owned();
    move |source| DiskError { path, what, source }
}

/// Reads a text file.
///
/// # Errors
/// [`DiskError`].
pub fn read_text(path: &Path) -> Result<String, DiskError> {
    fs::read_to_string(path).map_err(failed(path, "read"))
}

/// Makes a directory and those above it.
///
/// # Errors
/// [`DiskError`].
pub fn make_directory(path: &Path) -> Result<(), DiskError> {
    fs::create_dir_all(path).map_err(failed(path, "made"))
}

/// Makes a directory that only its owner may enter.
///
/// # Errors
/// [`DiskError`].
pub fn make_private_directory(path: &Path) -> Result<(), DiskError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(failed(path, "made"))
}

/// Writes a file that anybody may read.
///
/// # Errors
/// [`DiskError`]; then the file is as it was.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    write_with(path, bytes, 0o644)
}

/// Writes a file that only its owner may read.
///
/// # Errors
/// [`DiskError`]; then the file is as it was.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    write_with(path, bytes, 0o600)
}

fn write_with(path: &Path, bytes: &[u8], mode: u32) -> Result<(), DiskError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let aside = path.with_file_name(name);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let mut file = options.open(&aside).map_err(failed(&aside, "written"))?;
    file.write_all(bytes).map_err(failed(&aside, "written"))?;
    file.sync_all().map_err(failed(&aside, "synced"))?;
    fs::rename(&aside, path).map_err(failed(path, "put in place"))?;
    sync_parent(path)
}

/// Renames a directory whose files are synced to where none is yet.
///
/// # Errors
/// [`DiskError`]; also when something that is not empty is there.
pub fn rename_directory(from: &Path, to: &Path) -> Result<(), DiskError> {
    sync_directory(from)?;
    fs::rename(from, to).map_err(failed(to, "put in place"))?;
    sync_parent(to)
}

fn sync_parent(path: &Path) -> Result<(), DiskError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync_directory(parent.unwrap_or(Path::new(".")))
}

fn sync_directory(path: &Path) -> Result<(), DiskError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(failed(path, "synced"))
}
