//! Locks on files.

use std::{
    borrow::Borrow,
    fs::{File, TryLockError},
    io, thread,
    time::{Duration, Instant},
};

/// How often somebody who waits a while looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// A lock on a file, freed when this is dropped. The system frees it when the last copy of the file is closed, and every child that
/// was forked meanwhile has one: closing it here would leave it held until that child ends.
pub(crate) struct FileLock<F: Borrow<File> = File>(F);

impl<F: Borrow<File>> FileLock<F> {
    /// Waits for it.
    pub(crate) fn wait(file: F) -> io::Result<Self> {
        file.borrow().lock()?;
        Ok(Self(file))
    }

    /// Waits for it this long; None where somebody else has it still.
    pub(crate) fn within(file: F, wait: Duration) -> io::Result<Option<Self>> {
        let until = Instant::now() + wait;
        loop {
            match file.borrow().try_lock() {
                Ok(()) => return Ok(Some(Self(file))),
                Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(LOOK_AGAIN),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(e)) => return Err(e),
            }
        }
    }
}

impl<F: Borrow<File>> Drop for FileLock<F> {
    fn drop(&mut self) {
        // Should this fail, the lock goes with the last process that has the file open.
        let _freed = self.0.borrow().unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_the_file_that_stays_open_does_not_keep_the_lock() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let open = || File::open(file.path()).unwrap();
        let held = FileLock::wait(open()).unwrap();
        // What a forked child has.
        let copy = held.0.try_clone().unwrap();
        assert!(FileLock::within(open(), Duration::from_millis(5)).unwrap().is_none());
        drop(held);
        assert!(FileLock::within(open(), Duration::ZERO).unwrap().is_some());
        drop(copy);
    }
}
