//! The write lock: a lock on a file, which the system frees when its holder dies.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
    process,
    sync::{Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::files::{LOCK, fault};
use crate::store::{Held, LOCK_WAIT, StoreError, StoreResult, WriteLock};

/// How often a waiting process looks again. Threads of one process wait for each other without looking.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

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

    fn free(&self) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.freed.notify_one();
    }
}

struct Writing<'a>(&'a Lock);

impl Held for Writing<'_> {}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        // Should this fail, the lock goes with the process.
        let _freed = self.0.file.unlock();
        self.0.free();
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
        loop {
            match self.file.try_lock() {
                Ok(()) => return Ok(Box::new(Writing(self))),
                Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(LOOK_AGAIN),
                Err(e) => {
                    self.free();
                    return Err(match e {
                        TryLockError::WouldBlock => StoreError::Locked,
                        TryLockError::Error(e) => fault(&e),
                    });
                }
            }
        }
    }
}
