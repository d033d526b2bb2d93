//! The folder and its files: who may reach them.

use std::{fs, io, path::Path};

use super::OpenError;
use crate::store::{StoreError, StoreResult};

/// Names of the databases in a vault's folder.
pub(crate) const FILES: [&str; 4] = ["orders.db", "secrets.db", "keys.db", "ledger.db"];
/// The file whose lock is the vault's write lock.
pub(crate) const LOCK: &str = "lock";
/// What SQLite puts beside a database, behind its name.
pub(crate) const SUFFIXES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Name of the database of a former ledger, by its number from 1.
pub(crate) fn former_ledger(number: usize) -> String {
    format!("ledger-{number}.db")
}

/// Names of the former ledgers that lie in a folder, oldest first. Which should, the vault knows.
pub(crate) fn former_ledgers(folder: &Path) -> Vec<String> {
    let there = |name: &String| folder.join(name).symlink_metadata().is_ok();
    (1..).map(former_ledger).take_while(there).collect()
}

/// Makes a folder that nobody else may enter.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes a file that nobody else may read, where there is nothing.
pub(crate) fn create_file(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the folder and its files, empty. The files are made before SQLite opens them, so that they never have a wider mode.
pub(super) fn create(folder: &Path) -> StoreResult<()> {
    create_folder(folder).map_err(|e| fault(&e))?;
    for name in FILES.iter().chain([&LOCK]) {
        create_file(&folder.join(name)).map_err(|e| fault(&e))?;
    }
    // SQLite syncs what is in the files; that they exist is for the folder to remember.
    #[cfg(unix)]
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| fault(&e))?;
    Ok(())
}

/// Refuses links, other users' files, and modes that let others in.
pub(super) fn check_private(folder: &Path) -> Result<(), OpenError> {
    let meta = folder.symlink_metadata().map_err(|e| fault(&e))?;
    check(&meta, meta.is_dir())?;
    let names = FILES.into_iter().chain([LOCK]).map(str::to_owned);
    for name in names.chain(former_ledgers(folder)) {
        let in_file = |fault| OpenError { file: Some(name.clone()), fault };
        let meta = folder.join(&name).symlink_metadata().map_err(|e| in_file(fault(&e)))?;
        check(&meta, meta.is_file()).map_err(in_file)?;
        for suffix in SUFFIXES {
            if let Ok(meta) = folder.join(format!("{name}{suffix}")).symlink_metadata() {
                check(&meta, meta.is_file()).map_err(in_file)?;
            }
        }
    }
    Ok(())
}

fn check(meta: &fs::Metadata, right_kind: bool) -> StoreResult<()> {
    if right_kind && access(meta) == Access::Private { Ok(()) } else { Err(StoreError::Exposed) }
}

/// Who may reach a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The user alone.
    Private,
    /// It belongs to somebody else.
    AnothersOwn,
    /// Its mode lets others in.
    Open,
}

#[cfg(unix)]
pub(crate) fn access(meta: &fs::Metadata) -> Access {
    use std::os::unix::fs::MetadataExt;
    if meta.uid() != rustix::process::geteuid().as_raw() {
        Access::AnothersOwn
    } else if meta.mode() & 0o077 != 0 {
        Access::Open
    } else {
        Access::Private
    }
}

// Elsewhere the system's own access lists guard the files; only links are refused.
#[cfg(not(unix))]
pub(crate) fn access(_meta: &fs::Metadata) -> Access {
    Access::Private
}

pub(crate) fn fault(e: &io::Error) -> StoreError {
    match e.kind() {
        io::ErrorKind::AlreadyExists => StoreError::Exists,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            StoreError::Full
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly,
        io::ErrorKind::NotFound => StoreError::Damaged,
        _ if is_too_many(e) => StoreError::TooManyFiles,
        _ => StoreError::Failed,
    }
}

#[cfg(unix)]
fn is_too_many(e: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| e.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(not(unix))]
fn is_too_many(_e: &io::Error) -> bool {
    false
}

/// Why SQLite could not open a file, of which it says no more than that.
pub(super) fn cannot_open() -> StoreError {
    match fs::File::open("/dev/null") {
        Err(e) if is_too_many(&e) => StoreError::TooManyFiles,
        _ => StoreError::ReadOnly,
    }
}
