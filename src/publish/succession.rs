//! Whether a ledger that a restore began says of the one before it what is published of that.

use std::{fs, path::Path};

use super::folder::Published;
use crate::{
    error::{Error, ErrorKind, Result},
    ledger::{Entry, EntryKind, LedgerState},
    tlog::{Checkpoint, is_included, leaf_hash},
};

/// What a ledger's first entry says of the ledger before it, beside what is published of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Succession {
    /// Size and root of the ledger before it, as far as the restore knew.
    pub known: LedgerState,
    /// Entries of that ledger that are published.
    pub published: u64,
}

impl Succession {
    /// Entries that were known of the ledger before it and are not published: nobody can show what they said.
    pub fn lost(&self) -> u64 {
        self.known.size.saturating_sub(self.published)
    }

    /// Entries that are published of it beyond what the restore knew. They stand, though the vault that goes on may not have them.
    pub fn unknown(&self) -> u64 {
        self.published.saturating_sub(self.known.size)
    }
}

impl Published {
    /// Holds the first entry of this ledger against the ledger before it, each of them verified by itself: it must be of the type
    /// `lost`, and name size and root of that ledger. `None` for a ledger without entries.
    ///
    /// # Errors
    /// `Damaged` where the first entry is another, or names a history that is not the published one; `NotFound` where the entries
    /// are not here; `Storage`.
    pub fn check_succession(&self, before: &Self) -> Result<Option<Succession>> {
        let proof = if self.checkpoint()?.checkpoint().size == 0 { return Ok(None) } else { self.prove(0)? };
        let own = proof.checkpoint.checkpoint();
        let bytes = self.entry(0, own.size)?;
        let damaged = |message: &'static str| Err(Error::new(ErrorKind::Damaged, message));
        if !is_included(&proof.hashes, leaf_hash(&bytes), 0, (own.size, &own.root)) {
            return damaged("entry 0 does not hash to the checkpoint");
        }
        let Some(known) = lost_of(&Entry::decode(&bytes)?) else {
            return damaged(
                "entry 0 does not say which ledger was lost, as it does where another ledger is before it",
            );
        };
        let signed = before.checkpoint()?;
        let published = signed.checkpoint();
        let follows =
            |(name, number): (&str, u32), before: (&str, u32)| (name, number) == (before.0, before.1 + 1);
        if !named(&own.origin).zip(named(&published.origin)).is_some_and(|(own, before)| follows(own, before))
        {
            return damaged("the origins are not those of two ledgers of one vault that follow each other");
        }
        let origin = published.origin.clone();
        let as_known = Checkpoint { origin, size: known.size, root: known.root };
        // Of entries that are known and not published nothing can be said.
        let fits = known.size > published.size || before.continues(&as_known, published)?;
        if !fits {
            return damaged(
                "entry 0 succeeds another history of the ledger before it than the published one",
            );
        }
        Ok(Some(Succession { known, published: published.size }))
    }

    /// Number of a ledger that is missing below a folder, where one with a greater number is there.
    pub fn missing(folder: &Path) -> Option<u32> {
        let number = |name: &str| name.strip_prefix("ledger-")?.parse::<u32>().ok();
        let names = fs::read_dir(folder).ok()?.filter_map(|found| found.ok()?.file_name().into_string().ok());
        let last =
            names.filter_map(|name| number(&name)).filter(|n| Self::ledger(folder, *n).is_there()).max()?;
        (1..last).find(|number| !Self::ledger(folder, *number).is_there())
    }
}

/// An origin's vault, and the number of the ledger.
fn named(origin: &str) -> Option<(&str, u32)> {
    let (vault, number) = origin.rsplit_once('/')?;
    Some((vault, number.parse().ok().filter(|number| *number < u32::MAX)?))
}

fn lost_of(entry: &Entry) -> Option<LedgerState> {
    let (size, root) = entry.detail.split_first_chunk()?;
    let root = root.try_into().ok()?;
    (entry.kind == EntryKind::Lost).then_some(LedgerState { size: u64::from_le_bytes(*size), root })
}
