//! Finding what a signed request has caused already.

use super::{Ledger, entries_of};
use crate::error::Result;

/// Seconds by which the clocks of processes that write one ledger may differ.
const CLOCKS_DIFFER: u64 = 300;
/// Entries read at a time: those of the last minutes are mostly few.
const PAGE: usize = 512;

impl Ledger {
    /// Whether an entry made at this time or later has this request hash. Reads backwards from the newest entry, through former
    /// ledgers too, and as far as the time says: not through the whole ledger.
    pub(crate) fn has_request(&self, hash: &[u8; 32], since: u64) -> Result<bool> {
        for (_, store) in self.numbered().rev() {
            let mut end = store.head()?.size;
            while end > 0 {
                let from = end.saturating_sub(PAGE as u64);
                let page = entries_of(store, from, usize::try_from(end - from).unwrap_or(PAGE))?;
                if page.iter().any(|entry| entry.request == *hash) {
                    return Ok(true);
                }
                // Times may go back a little from one entry to the next, where several processes write.
                if page.iter().all(|entry| entry.time.saturating_add(CLOCKS_DIFFER) < since) {
                    return Ok(false);
                }
                end = from;
            }
        }
        Ok(false)
    }
}
