//! What was read of the ledgers in search of some handles, so that who seeks them again reads what was appended since.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use super::{Entry, EntryPlace, Ledger, scan_of};
use crate::error::Result;

#[derive(Default)]
pub(super) struct Sought(Mutex<Reading>);

#[derive(Default)]
struct Reading {
    handles: HashSet<[u8; 16]>,
    /// Entries read, of each ledger.
    read: Vec<u64>,
    found: Vec<(EntryPlace, Entry)>,
}

impl Ledger {
    /// As [`Ledger::with_handles`], for whoever seeks the same handles again and again: only the first time, and for a handle that was
    /// not among them then, it reads what was there before. Entries do not change once they are there.
    pub(crate) fn with_handles_again(&self, handles: &[[u8; 16]]) -> Result<Vec<(EntryPlace, Entry)>> {
        let mut reading = self.sought.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Reading { handles: known, read, found } = &mut *reading;
        if !handles.iter().all(|handle| known.contains(handle)) {
            (*known, *read, *found) = (handles.iter().copied().collect(), Vec::new(), Vec::new());
        }
        for (at, (ledger, store)) in self.numbered().enumerate() {
            if read.len() == at {
                read.push(0);
            }
            scan_of(store, read[at], |index, entry| {
                if known.contains(&entry.handle) {
                    found.push((EntryPlace { ledger, index }, entry));
                }
                read[at] = index + 1;
            })?;
        }
        // What is appended to an earlier ledger than the last, if anything, comes behind.
        found.sort_by_key(|(place, _)| *place);
        Ok(found.iter().filter(|(_, entry)| handles.contains(&entry.handle)).cloned().collect())
    }
}
