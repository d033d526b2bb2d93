//! The write lock: a lock on a file, which the system frees when its holder dies.

use std::{
    fs::{File, OpenOptions},
    path::Path,
    process,
    sync::{Condvar, Mutex, PoisonError},
    time::Instant,
};

use super::files::{LOCK, fault};
use crate::{
    file_lock::FileLock,
    store::{Held, LOCK_WAIT, StoreError, StoreResult, WriteLock},
};

pub(super) struct Lock {
    file: File,
    /// A file's lock excludes other processes only; this excludes the threads of this one.
    held: Mutex<bool>,
    freed: Condvar,
    process: u32,
}

impl Lock {
    pub(super) fn open(folder: &Path) -> StoreResult<Self> {
        let file = OpenOptions::new().write(true).open(folder.join(LOCK)).map_err(|e| fault(&e))?;
        Ok(Self { file, held: Mutex::new(false), freed: Condvar::new(), process: process::id() })
    }
}

struct Writing<'a> {
    // Let go in this order: the next thread locks the same open file.
    _file: FileLock<&'a File>,
    _thread: OfThreads<'a>,
}

impl Held for Writing<'_> {}

/// The only one of the threads.
struct OfThreads<'a>(&'a Lock);

impl Drop for OfThreads<'_> {
    fn drop(&mut self) {
        *self.0.held.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.freed.notify_one();
    }
}

impl WriteLock for Lock {
    fn hold(&self) -> StoreResult<Box<dyn Held + '_>> {
        // The file is open in both, so that a forked child would be given the lock that its parent holds, and free it.
        if self.process != process::id() {
            return Err(StoreError::Forked);
        }
        let until = Instant::now() + LOCK_WAIT;
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut held, waited) = self
            .freed
            .wait_timeout_while(held, LOCK_WAIT, |held| *held)
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(StoreError::Locked);
        }
        *held = true;
        drop(held);
        let thread = OfThreads(self);
        let file = FileLock::within(&self.file, until.saturating_duration_since(Instant::now()));
        let file = file.map_err(|e| fault(&e))?.ok_or(StoreError::Locked)?;
        Ok(Box::new(Writing { _file: file, _thread: thread }))
    }
}
