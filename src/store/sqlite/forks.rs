//! Which files this process has open, so that a forked child does not open them a second time.
//!
//! SQLite keeps what it knows of a file's locks in memory, once for each process. A child that opens a file which its parent had open
//! takes the parent's locks for its own, and the system gives it none. When the parent closes the file it finds nobody else there,
//! moves the write-ahead log into it and removes the log: what the child writes from then on is acknowledged and lost.

use std::{
    fs,
    path::Path,
    process,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::files;
use crate::store::{StoreError, StoreResult};

static OPEN: Mutex<Vec<Opened>> = Mutex::new(Vec::new());

#[derive(Clone, Copy, PartialEq, Eq)]
struct Opened {
    device: u64,
    inode: u64,
    process: u32,
}

/// That a file is open, until this is dropped.
pub(super) struct Registered(Option<Opened>);

impl Registered {
    /// # Errors
    /// `Forked` where the process that this one was forked from had the file open.
    pub(super) fn new(path: &Path) -> StoreResult<Self> {
        let Some(file) = of(&fs::metadata(path).map_err(|e| files::fault(&e))?) else {
            return Ok(Self(None));
        };
        let mut open = held();
        let inherited = |other: &Opened| {
            (other.device, other.inode) == (file.device, file.inode) && other.process != file.process
        };
        if open.iter().any(inherited) {
            return Err(StoreError::Forked);
        }
        open.push(file);
        Ok(Self(Some(file)))
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        // Its parent may have the file open still.
        if self.0.is_none_or(|file| file.process != process::id()) {
            return;
        }
        let mut open = held();
        if let Some(at) = open.iter().position(|other| Some(*other) == self.0) {
            open.swap_remove(at);
        }
    }
}

fn held() -> MutexGuard<'static, Vec<Opened>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
fn of(meta: &fs::Metadata) -> Option<Opened> {
    use std::os::unix::fs::MetadataExt;
    Some(Opened { device: meta.dev(), inode: meta.ino(), process: process::id() })
}

/// Nothing forks elsewhere.
#[cfg(not(unix))]
fn of(_meta: &fs::Metadata) -> Option<Opened> {
    None
}
