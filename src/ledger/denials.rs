//! Counts repeated denials into one entry, so that nobody floods the ledger by asking for what it may not have.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::Entry;

/// After the first denial of a kind, further ones are counted this long before they are entered.
const WINDOW: Duration = Duration::from_secs(60);

/// Denials since the last entry of their kind.
#[derive(Default)]
pub(crate) struct Denials(Mutex<HashMap<Kind, Counted>>);

/// Party key id, purpose, reason.
type Kind = ([u8; 16], String, u8);

struct Counted {
    /// When its last entry was written; `None` if that failed and the next denial is to write one.
    since: Option<Instant>,
    entry: Entry,
    count: u32,
}

impl Denials {
    /// Takes a denial with its count and returns the entry to write now, if one is due.
    pub(crate) fn count(&self, denial: &Entry) -> Option<Entry> {
        let kind = kind_of(denial);
        let mut counted = self.counted();
        match counted.get_mut(&kind) {
            None => {
                counted
                    .insert(kind, Counted { since: Some(Instant::now()), entry: denial.clone(), count: 0 });
                Some(denial.clone())
            }
            Some(known) => {
                known.count = known.count.saturating_add(count_of(denial));
                known.since.is_none_or(|since| since.elapsed() >= WINDOW).then(|| {
                    known.since = Some(Instant::now());
                    with_count(denial, std::mem::take(&mut known.count))
                })
            }
        }
    }

    /// Takes back an entry that could not be written: the next denial of its kind writes it.
    pub(crate) fn give_back(&self, entry: &Entry) {
        if let Some(known) = self.counted().get_mut(&kind_of(entry)) {
            known.since = None;
            known.count = known.count.saturating_add(count_of(entry));
        }
    }

    fn counted(&self) -> MutexGuard<'_, HashMap<Kind, Counted>> {
        // A panicking holder leaves at most one count too low.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has been counted and not entered.
    pub(crate) fn take(&self) -> Vec<Entry> {
        let counted = std::mem::take(&mut *self.counted());
        counted.into_values().filter(|c| c.count > 0).map(|c| with_count(&c.entry, c.count)).collect()
    }
}

fn kind_of(denial: &Entry) -> Kind {
    (denial.party, denial.purpose.clone(), denial.detail.first().copied().unwrap_or_default())
}

// Detail of a denial: reason u8 ‖ count u32   (docs/format.md, section 8)
fn count_of(denial: &Entry) -> u32 {
    denial.detail.get(1..5).and_then(|bytes| bytes.try_into().ok()).map_or(1, u32::from_le_bytes)
}

fn with_count(denial: &Entry, count: u32) -> Entry {
    let mut entry = denial.clone();
    if let Some(slot) = entry.detail.get_mut(1..5) {
        slot.copy_from_slice(&count.to_le_bytes());
    }
    entry
}
