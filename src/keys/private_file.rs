//! Files that only their owner may read.

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
};

use zeroize::Zeroizing;

use crate::{
    error::{Error, ErrorKind, Result},
    file_lock::FileLock,
};

/// Reads a private file of fewer than `longest` bytes.
///
/// # Errors
/// `NotFound`; `Storage` if it is a link, another user's, or can be reached by others (it must have mode 0600 or 0400), or cannot be
/// read; `Damaged` if it is longer.
pub(crate) fn read(path: &Path, longest: usize) -> Result<Zeroizing<Vec<u8>>> {
    let failed = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => Error::new(ErrorKind::NotFound, "there is no such key file"),
        _ => Error::new(ErrorKind::Storage, "the key file cannot be read"),
    };
    let meta = fs::symlink_metadata(path).map_err(failed)?;
    if !meta.is_file() {
        return Err(Error::new(ErrorKind::Storage, "the key file is not a plain file")
            .with_hint("links are not followed"));
    }
    check_private(&meta)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(longest));
    let file = fs::File::open(path).map_err(failed)?;
    file.take(longest as u64).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() < longest {
        Ok(bytes)
    } else {
        Err(Error::new(ErrorKind::Damaged, "the key file is too long for one"))
    }
}

/// Makes a private file, mode 0600. It is there whole or not at all.
///
/// # Errors
/// `Exists` if there is something of this name, `Storage`.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => Error::new(ErrorKind::Exists, "there is a file of this name already"),
        _ => Error::new(ErrorKind::Storage, "the key file cannot be written"),
    })?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| sync_name(path));
    written.map_err(|_| {
        let _half_written = fs::remove_file(path);
        Error::new(ErrorKind::Storage, "the key file cannot be written")
    })
}

/// Makes the file's name durable: what was made under the key that is in it outlives a power failure.
#[cfg(unix)]
fn sync_name(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

// Elsewhere a folder is not opened as a file is.
#[cfg(not(unix))]
fn sync_name(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Locks what belongs to a private file, among those who do, until the answer is dropped. Waits.
///
/// # Errors
/// `Storage`.
pub(crate) fn lock(path: &Path) -> Result<FileLock> {
    let locked = fs::File::open(path).and_then(FileLock::wait);
    locked.map_err(|_| Error::new(ErrorKind::Storage, "the key file cannot be locked"))
}

/// Replaces a private file in one step, durably. Its caller holds a lock.
///
/// # Errors
/// `Storage`.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    // What a crash left.
    let _nothing_there = fs::remove_file(&new);
    let failed = || Error::new(ErrorKind::Storage, "the file cannot be replaced");
    create(&new, bytes).map_err(|_| failed())?;
    fs::rename(&new, path).and_then(|()| sync_name(path)).map_err(|_| failed())
}

#[cfg(unix)]
fn check_private(meta: &fs::Metadata) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(Error::new(ErrorKind::Storage, "the key file belongs to another user"));
    }
    if meta.mode() & 0o077 != 0 {
        return Err(Error::new(ErrorKind::Storage, "the key file can be reached by other users")
            .with_hint("chmod 600 it"));
    }
    Ok(())
}

// Elsewhere the system's own access lists guard the file; the library does not read them.
#[cfg(not(unix))]
fn check_private(_meta: &fs::Metadata) -> Result<()> {
    Ok(())
}
